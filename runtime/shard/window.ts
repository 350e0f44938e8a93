import type { PartitionState } from '../../snapshots/contract.ts';
import { lengthAt, lengthBytes } from '../../snapshots/window-length.ts';
import type { AnyAsset } from './columns.ts';
import { baseState, isBase, timeOf } from './entry-layout.ts';
import { compareEntries, isDuplicate } from './entry-order.ts';

/** What the window holds of one asset from the newest base below a time on. */
export interface WindowSlice {
  /** Packed state to fold from. */
  readonly base: Uint8Array;
  /** Reading entries after the base, in total order. */
  readonly readings: Uint8Array[];
}

export type WindowAnswer =
  | { readonly found: 'slice'; readonly slice: WindowSlice }
  | { readonly found: 'duplicate' | 'nothing' };

/**
 * Walks the window of the asset back from its newest entry to a base that lies before `time` and that no later
 * arrival has made wrong. `candidate` (the entry of the reading in hand, or null) ends the walk where it turns out
 * to be a duplicate.
 *
 * A base says what the asset was after all readings up to the base's time, as known when it was written: a reading
 * appended later with a time at or below the base's makes it useless.
 */
export function windowBack(
  state: PartitionState,
  asset: AnyAsset,
  time: number,
  candidate: Uint8Array | null,
): WindowAnswer {
  const slot = asset.slot;
  const readings: Uint8Array[] = [];
  let oldest = time;
  let base: Uint8Array | null = null;
  let duplicate = false;
  const own: Uint8Array[] = [];
  state.scanWindow(asset.block, (bytes, start, end) => {
    own.length = 0;
    collect(bytes, start, end, slot, own);
    for (let i = own.length - 1; i >= 0; i--) {
      const entry = own[i];
      const entryTime = timeOf(entry);
      if (isBase(entry)) {
        if (entryTime < oldest) {
          base = baseState(entry);
          return false;
        }
        continue;
      }
      if (candidate !== null && isDuplicate(candidate, entry)) {
        duplicate = true;
        return false;
      }
      readings.push(entry);
      if (entryTime < oldest) oldest = entryTime;
    }
    return true;
  });
  if (duplicate) return { found: 'duplicate' };
  if (base === null) return { found: 'nothing' };
  return { found: 'slice', slice: { base, readings: inOrder(readings) } };
}

/** In total order, each once: readings written again behind a newer base stand twice in a walk that goes past it. */
function inOrder(readings: Uint8Array[]): Uint8Array[] {
  readings.reverse().sort(compareEntries);
  return readings.filter((entry, i) => i === 0 || compareEntries(readings[i - 1], entry) !== 0);
}

/** Entries of `slot` in a chunk, oldest first. */
function collect(bytes: Uint8Array, start: number, end: number, slot: number, into: Uint8Array[]): void {
  for (let at = start; at < end; ) {
    const length = lengthAt(bytes, at);
    const body = at + lengthBytes(bytes, at);
    if ((bytes[body] | (bytes[body + 1] << 8)) === slot) into.push(bytes.subarray(at, at + length));
    at += length;
  }
}
