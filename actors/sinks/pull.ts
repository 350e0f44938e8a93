import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Log, RecordBatch } from '../../runtime/log/contract.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { offsetGap } from './batches.ts';
import { breathe } from './breathe.ts';
import type { SinkBatch } from './contract.ts';

/** Events decoded before others get their turn; some milliseconds. */
const eventsPerTurn = 1024;

/** Bounds of one pull, over all partitions. */
export interface PullLimits {
  readonly rows: number;
  /** Bytes of event values; one batch of the log may go past it. */
  readonly bytes: number;
}

/**
 * Reads the events that follow `next` in the log, from `first` on round the partitions, until a limit is reached. So no
 * partition starves another. Empty when there is nothing. A batch without events says that its offsets hold none.
 *
 * Throws `sink_offset_gap` or `sink_ahead_of_log` (stop) when log and target do not belong together, `sink_event_invalid`
 * (stop) when a record is not a derived event.
 */
export async function pull(
  log: Log,
  topic: string,
  next: ReadonlyMap<number, number>,
  first: number,
  limits: PullLimits,
): Promise<SinkBatch[]> {
  const batches: SinkBatch[] = [];
  let { rows, bytes } = limits;
  for (let i = 0; i < log.partitions && rows > 0 && bytes > 0; i++) {
    const partition = (first + i) % log.partitions;
    const from = next.get(partition) ?? 0;
    if (!hasMore(log, topic, partition, from)) continue;
    const records = await log.read(topic, partition, from, bytes);
    const read = await decode(records, topic, partition, from, rows);
    if (read.next === from) continue;
    batches.push(batchOf(partition, from, read));
    rows -= read.events.length;
    bytes -= read.size;
  }
  return batches;
}

function hasMore(log: Log, topic: string, partition: number, from: number): boolean {
  const { start, end } = log.extent(topic, partition);
  if (from < start) throw offsetGap(partition, from, start);
  if (from > end) {
    throw new GridfoldError(
      'sink_ahead_of_log',
      'stop',
      `partition ${partition}: the target wants offset ${from} next, but the log ends at ${end}: the target belongs to ` +
        'another log, or the log was lost. Use the log it was written from, or a new target.',
    );
  }
  return from < end;
}

function batchOf(partition: number, from: number, { events, offsets, next }: Decoded): SinkBatch {
  const hasHoles = next - from !== events.length;
  return { partition, from, next, events, ...(hasHoles ? { offsets } : {}) };
}

interface Decoded {
  readonly events: DerivedEvent[];
  readonly offsets: number[];
  /** Where reading goes on: behind the last event, and behind offsets without a record. */
  readonly next: number;
  readonly size: number;
}

async function decode(
  batches: readonly RecordBatch[],
  topic: string,
  partition: number,
  from: number,
  limit: number,
): Promise<Decoded> {
  const events: DerivedEvent[] = [];
  const offsets: number[] = [];
  let next = from;
  let size = 0;
  for (const batch of batches) {
    if (events.length === limit) break;
    next = Math.max(next, batch.baseOffset);
    for (let i = next - batch.baseOffset; i < batch.count && events.length < limit; i++) {
      const value = batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i]);
      events.push(decodeEvent(value, () => `${topic}/${partition} offset ${batch.baseOffset + i}`));
      offsets.push(batch.baseOffset + i);
      next = batch.baseOffset + i + 1;
      size += value.length;
      if (events.length % eventsPerTurn === 0) await breathe();
    }
  }
  return { events, offsets, next, size };
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** A derived event from its JSON on the log. `where` names the record for the message of `sink_event_invalid` (stop). */
export function decodeEvent(value: Uint8Array, where: () => string): DerivedEvent {
  try {
    const event = JSON.parse(decoder.decode(value)) as DerivedEvent;
    if (typeof event.id === 'string' && typeof event.type === 'string' && typeof event.data === 'object') return event;
  } catch (cause) {
    throw new GridfoldError('sink_event_invalid', 'stop', `${where()} is not JSON`, { cause });
  }
  throw new GridfoldError('sink_event_invalid', 'stop', `${where()} is not a derived event`);
}
