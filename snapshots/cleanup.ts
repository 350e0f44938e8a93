import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from './directory.ts';
import { manifestKey, NUMBERED_KEY_BYTES, numberedStart, numberOf, obsoleteRange, segmentKey } from './keys.ts';

const KEYS_PER_BATCH = 500;

/** Deletes manifests, and what they alone needed: everything noted as obsolete up to snapshot `upTo`. */
export async function deleteObsolete(db: Database, manifests: readonly number[], upTo: number): Promise<void> {
  await db.batch(manifests.map((number) => ({ type: 'del', key: manifestKey(number) })));
  for await (const [key, keys] of db.iterator(obsoleteRange)) {
    if (numberOf(key) > upTo) break;
    for (let at = 0; at < keys.length; at += KEYS_PER_BATCH * NUMBERED_KEY_BYTES) {
      await db.batch(slices(keys.subarray(at, at + KEYS_PER_BATCH * NUMBERED_KEY_BYTES)));
      await nextTurn();
    }
    await db.del(key);
  }
}

/** Deletes what was written under the numbers of snapshots that never became durable. */
export async function deleteNumbers(db: Database, from: number, to: number): Promise<void> {
  await db.clear({ gte: numberedStart(from), lt: numberedStart(to + 1) });
}

/** Deletes window segments of the block that begin in [from, to). */
export async function deleteSegments(db: Database, block: number, from: number, to: number): Promise<void> {
  await db.clear({ gte: segmentKey(block, from), lt: segmentKey(block, to) });
}

function slices(keys: Buffer): { type: 'del'; key: Buffer }[] {
  const batch: { type: 'del'; key: Buffer }[] = [];
  for (let at = 0; at < keys.length; at += NUMBERED_KEY_BYTES) {
    batch.push({ type: 'del', key: Buffer.from(keys.subarray(at, at + NUMBERED_KEY_BYTES)) });
  }
  return batch;
}
