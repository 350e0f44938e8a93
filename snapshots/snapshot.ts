import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crashPoint } from '../runtime/kernel/crash.ts';
import type { Piece } from './arena.ts';
import type { SnapshotFigures, SnapshotMeta } from './contract.ts';
import type { Database } from './directory.ts';
import { sealImage } from './image.ts';
import { KeyType, manifestKey, NUMBERED_KEY_BYTES, numberedKey, obsoleteKey } from './keys.ts';
import { type BlockTable, encodeManifest } from './manifest.ts';
import type { SideRecords } from './sides.ts';
import type { Windows } from './window.ts';

/** One batch to the database is at most this large, and prepared in at most about this time. */
const BATCH_BYTES = 1024 * 1024;
const BATCH_MS = 3;
const OBSOLETE_KEYS_PER_PART = 40_000;

type Put = { type: 'put'; key: Buffer; value: Buffer };

export interface FrozenBlock {
  readonly id: number;
  readonly image: Piece;
  readonly assets: number;
  readonly windowEnd: number;
}

/** A snapshot between its cut and its manifest. */
export interface Cut {
  readonly number: number;
  readonly meta: SnapshotMeta;
  /** Blocks of the cut, ascending; `pending[id]` is 1 until the block was copied, then 2. */
  readonly ids: readonly number[];
  readonly pending: Uint8Array;
  /** Copied and not yet written. */
  readonly frozen: FrozenBlock[];
  /** The table as it will be when the snapshot is durable. */
  readonly table: BlockTable;
  readonly due: Float64Array;
  readonly unpublished: Uint8Array;
  readonly names: readonly string[];
}

export interface SnapshotTarget {
  readonly db: Database;
  readonly windows: Windows;
  readonly sides: SideRecords;
  readonly lives: SideRecords;
  /** Copies a block of the cut that is still pending. */
  freeze(id: number): void;
  /** Numbered keys that the snapshot makes obsolete, end to end. Asked for once all blocks are copied. */
  obsolete(): Buffer;
}

/** Writes the cut and its manifest; what it resolves with is durable. */
export async function writeSnapshot(
  target: SnapshotTarget,
  cut: Cut,
  confirmed: Promise<void>,
): Promise<SnapshotFigures> {
  const started = performance.now();
  const figures = { bytes: 0, longestPauseMs: 0 };
  crashPoint('snapshot.1');
  let next = 0;
  for (;;) {
    const batchStarted = performance.now();
    const batch: Put[] = [];
    const images: Piece[] = [];
    let bytes = 0;
    const put = (key: Buffer, value: Buffer) => {
      batch.push({ type: 'put', key, value });
      bytes += key.length + value.length;
    };
    while (bytes < BATCH_BYTES && (batch.length === 0 || performance.now() - batchStarted < BATCH_MS)) {
      while (cut.frozen.length === 0 && next < cut.ids.length) {
        const id = cut.ids[next++];
        if (cut.pending[id] === 1) target.freeze(id);
      }
      const block = cut.frozen.pop();
      if (block === undefined) break;
      putBlock(target, cut, block, put);
      images.push(block.image);
    }
    if (batch.length === 0) break;
    // The database copies the batch before the call returns.
    const written = target.db.batch(batch);
    for (const image of images) image.release();
    figures.bytes += bytes;
    figures.longestPauseMs = Math.max(figures.longestPauseMs, performance.now() - batchStarted);
    await written;
    crashPoint('snapshot.2');
    await nextTurn();
  }
  while (target.windows.backlogBytes > 0) await target.windows.flush();
  await confirmed;
  crashPoint('snapshot.3');
  figures.bytes += await putManifest(target, cut, figures);
  crashPoint('snapshot.4');
  return { number: cut.number, blocks: cut.ids.length, durationMs: performance.now() - started, ...figures };
}

function putBlock(
  target: SnapshotTarget,
  cut: Cut,
  block: FrozenBlock,
  put: (key: Buffer, value: Buffer) => void,
): void {
  cut.table.numbers[block.id] = cut.number;
  cut.table.crcs[block.id] = sealImage(block.image.bytes);
  cut.table.assets[block.id] = block.assets;
  cut.table.windowEnds[block.id] = block.windowEnd;
  put(numberedKey(cut.number, KeyType.image, block.id, 0), block.image.bytes);
  target.sides.encode(block.id, cut.number, put);
  target.lives.encode(block.id, cut.number, put);
}

async function putManifest(target: SnapshotTarget, cut: Cut, figures: { longestPauseMs: number }): Promise<number> {
  const started = performance.now();
  const manifest = encodeManifest(cut);
  const batch: Put[] = [{ type: 'put', key: manifestKey(cut.number), value: manifest }];
  const obsolete = target.obsolete();
  const step = OBSOLETE_KEYS_PER_PART * NUMBERED_KEY_BYTES;
  for (let part = 0; part * step < obsolete.length; part++) {
    batch.push({
      type: 'put',
      key: obsoleteKey(cut.number, part),
      value: obsolete.subarray(part * step, (part + 1) * step),
    });
  }
  const written = target.db.batch(batch, { sync: true });
  figures.longestPauseMs = Math.max(figures.longestPauseMs, performance.now() - started);
  await written;
  return manifest.length + obsolete.length;
}
