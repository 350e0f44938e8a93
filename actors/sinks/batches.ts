import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { LedgerEntry, SinkAudit, SinkBatch } from './contract.ts';

/**
 * What of `batches` the target still wants: those below its ledger are left out, one that straddles it is cut, and
 * several batches of one partition follow each other. Pure; the ledger is a map from partition to next offset.
 *
 * Throws `sink_offset_gap` (stop) when a batch starts above the ledger and `sink_batch_invalid` (stop) when a batch
 * does not hold as many events as it says.
 */
export function wanted(batches: readonly SinkBatch[], ledger: ReadonlyMap<number, number>): SinkBatch[] {
  const next = new Map(ledger);
  const result: SinkBatch[] = [];
  for (const batch of batches) {
    assertWhole(batch);
    const have = next.get(batch.partition) ?? 0;
    if (batch.next <= have) continue;
    if (batch.from > have) throw offsetGap(batch.partition, have, batch.from);
    result.push(batch.from === have ? batch : cut(batch, have));
    next.set(batch.partition, batch.next);
  }
  return result;
}

/** What of a batch stands at `from` or later. */
function cut(batch: SinkBatch, from: number): SinkBatch {
  const { events, offsets } = batch;
  if (offsets === undefined) return { ...batch, from, events: events.slice(from - batch.from) };
  const first = offsets.findIndex((offset) => offset >= from);
  const start = first === -1 ? offsets.length : first;
  return { ...batch, from, events: events.slice(start), offsets: offsets.slice(start) };
}

/** The error of a target or log that cannot go on without a hole; the message names the missing range. */
export function offsetGap(partition: number, have: number, from: number): GridfoldError {
  return new GridfoldError(
    'sink_offset_gap',
    'stop',
    `partition ${partition}: the target wants offset ${have} next, but only ${from} and later is offered; ` +
      `offsets [${have}, ${from}) are missing. Rebuild the target from a log that still holds them.`,
  );
}

function assertWhole(batch: SinkBatch): void {
  const { partition, from, next, events } = batch;
  if (isWhole(batch)) return;
  throw new GridfoldError(
    'sink_batch_invalid',
    'stop',
    `partition ${partition}: a batch [${from}, ${next}) holds ${events.length} events at other offsets than it says`,
  );
}

function isWhole({ from, next, events, offsets }: SinkBatch): boolean {
  if (from < 0) return false;
  if (offsets === undefined) return next - from === events.length;
  if (offsets.length !== events.length || next < from) return false;
  return offsets.every((offset, i) => offset >= (i === 0 ? from : offsets[i - 1] + 1) && offset < next);
}

/** Offsets `[from, next)` that one commit wrote. */
export interface CommittedRange {
  readonly from: number;
  readonly next: number;
}

/** What a target's rows say about one partition. */
export interface RowCounts {
  readonly rows: number;
  readonly distinct: number;
}

/**
 * Compares the ledger, the committed ranges and the rows of one partition. Overlapping ranges and repeated event ids
 * and rows the ledger does not know of count as doubled; offsets that only the ranges or only the
 * ledger cover, and events of the ledger without a row, as missing.
 */
export function auditPartition(entry: LedgerEntry, ranges: readonly CommittedRange[], counts: RowCounts): SinkAudit {
  let reached = 0;
  let holes = 0;
  let overlaps = 0;
  for (const range of [...ranges].sort((a, b) => a.from - b.from || a.next - b.next)) {
    if (range.from > reached) holes += range.from - reached;
    else overlaps += Math.min(reached, range.next) - range.from;
    reached = Math.max(reached, range.next);
  }
  holes += Math.abs(entry.next - reached);
  return {
    partition: entry.partition,
    next: entry.next,
    rows: counts.rows,
    doubled: overlaps + counts.rows - counts.distinct + Math.max(0, counts.distinct - entry.rows),
    missing: holes + Math.max(0, entry.rows - counts.distinct),
  };
}
