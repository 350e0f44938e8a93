import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { PartitionState, PartitionStateOptions } from './contract.ts';
import { type Database, findManifest, type Found, noteUnclean, openDirectory, repairDirectory } from './directory.ts';
import { importSnapshot } from './import.ts';
import { manifestKey, numberOf, obsoleteRange } from './keys.ts';
import { takeBack } from './replace.ts';
import { PartitionStore } from './store.ts';

/**
 * Opens the state of one partition at its newest usable snapshot, or empty when it never had one.
 *
 * Throws GridfoldError `state_lost` (no snapshot can be used), `state_layout` (kinds do not fit the directory),
 * `state_locked`, `mirror_damaged` (what shall replace the directory cannot be trusted). Later, what turns out damaged
 * throws `block_corrupt` or `window_corrupt`: open again with `skipNewest`; or `state_lost` where that does not help.
 */
export async function openPartitionState(options: PartitionStateOptions): Promise<PartitionState> {
  await takeBack(options.dir);
  if (!options.replaceWith) return open(options);
  const windows = await importSnapshot(options, options.replaceWith);
  const state = await open(options);
  state.fill(options.replaceWith, windows);
  return state;
}

async function open(options: PartitionStateOptions): Promise<PartitionStore> {
  try {
    return await restore(options);
  } catch (error) {
    if (error instanceof GridfoldError) throw error;
    options.message('warn', `${options.dir} cannot be read and is repaired; its contents are checked when used`, {
      error,
    });
  }
  await repairDirectory(options.dir);
  try {
    return await restore({ ...options, startEmpty: false });
  } catch (error) {
    if (error instanceof GridfoldError) throw error;
    const message = `${options.dir} cannot be read: open it with startEmpty to fold the log again`;
    throw new GridfoldError('state_lost', 'stop', message, { cause: error });
  }
}

async function restore(options: PartitionStateOptions): Promise<PartitionStore> {
  const { db, layout } = await openDirectory(options);
  try {
    const blocks = options.schemas.length * layout.blocksPerKind;
    const found = await findManifest(db, layout, blocks, options);
    await discardNewer(db, found);
    return new PartitionStore(options, db, layout, found);
  } catch (error) {
    await db.close();
    noteUnclean(options.dir, 0);
    throw error;
  }
}

/** Manifests above the restored one, and what they call obsolete, must never be read again. */
async function discardNewer(db: Database, found: Found): Promise<void> {
  const restored = found.manifest?.number ?? 0;
  const keys = found.numbers.filter((number) => number > restored).map(manifestKey);
  for await (const key of db.keys(obsoleteRange)) if (numberOf(key) > restored) keys.push(key);
  if (keys.length > 0)
    await db.batch(
      keys.map((key) => ({ type: 'del', key })),
      { sync: true },
    );
}
