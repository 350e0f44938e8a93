import { mkdirSync, rmSync } from 'node:fs';
import type { WindowCursor } from './block.ts';
import type { PartitionStateOptions } from './contract.ts';
import { createDatabase, type Database, FORMAT, writeLayout } from './directory.ts';
import { manifestKey } from './keys.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import type { MirroredSnapshot } from './mirrored.ts';
import { freshDirectory, replace } from './replace.ts';
import { damaged, RestoredRows } from './restored-rows.ts';

const BATCH_BYTES = 1 << 20;

type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer };

/**
 * Replaces the partition's directory by a mirrored snapshot, but for its windows. It is built beside the old one and
 * takes its place when everything in it was checked: until then the old one stays as it is. Returns where the windows
 * of the blocks stand, for {@link Filling} to bring them.
 *
 * Throws GridfoldError `mirror_damaged` when the rows do not make up the snapshot.
 */
export async function importSnapshot(
  options: PartitionStateOptions,
  mirrored: MirroredSnapshot,
): Promise<ReadonlyMap<number, WindowCursor>> {
  const { dir, schemas } = options;
  const manifest = checkedManifest(options, mirrored);
  const fresh = freshDirectory(dir);
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const db = await createDatabase(fresh);
  let windows: ReadonlyMap<number, WindowCursor>;
  try {
    windows = await load(db, manifest, options, mirrored);
    await db.put(manifestKey(mirrored.number), mirrored.manifest, { sync: true });
  } finally {
    await db.close();
  }
  const kinds = schemas.map((schema) => schema.name);
  writeLayout(fresh, { format: FORMAT, blocksPerKind: mirrored.layout.blocksPerKind, kinds, snapshots: true });
  replace(dir);
  return windows;
}

/** Throws `mirror_damaged` too where the kinds are not those of this release: they may only grow at the end. */
function checkedManifest({ schemas }: PartitionStateOptions, { number, manifest, layout }: MirroredSnapshot): Manifest {
  const moved = layout.kinds.findIndex((kind, i) => schemas[i]?.name !== kind);
  if (moved >= 0) throw damaged(number, `its state ${layout.kinds[moved]} is not in place ${moved} here`);
  const decoded = decodeManifest(number, manifest, layout.blocksPerKind * schemas.length);
  if (decoded === null) throw damaged(number, 'its manifest cannot be read');
  return decoded;
}

async function load(
  db: Database,
  manifest: Manifest,
  { schemas }: PartitionStateOptions,
  mirrored: MirroredSnapshot,
): Promise<ReadonlyMap<number, WindowCursor>> {
  const restored = new RestoredRows(manifest, schemas);
  let batch: Operation[] = [];
  let bytes = 0;
  for await (const rows of mirrored.rows()) {
    for (const row of rows) {
      if (!restored.takes(row)) continue;
      const { key, value } = row;
      batch.push(value === null ? { type: 'del', key } : { type: 'put', key, value });
      bytes += key.length + (value?.length ?? 0);
    }
    if (bytes < BATCH_BYTES) continue;
    await db.batch(batch);
    batch = [];
    bytes = 0;
  }
  batch.push(...restored.finish().map((key) => ({ type: 'del' as const, key })));
  await db.batch(batch);
  return restored.windows;
}
