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
 * partition starves another. Empty when there is nothing.
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
    const { events, size } = await decode(records, topic, partition, from, rows);
    if (events.length === 0) continue;
    batches.push({ partition, from, next: from + events.length, events });
    rows -= events.length;
    bytes -= size;
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

async function decode(
  batches: readonly RecordBatch[],
  topic: string,
  partition: number,
  from: number,
  limit: number,
): Promise<{ events: DerivedEvent[]; size: number }> {
  const events: DerivedEvent[] = [];
  let size = 0;
  for (const batch of batches) {
    for (let i = Math.max(0, from - batch.baseOffset); i < batch.count && events.length < limit; i++) {
      const value = batch.bytes.subarray(batch.keyEnd[i], batch.valueEnd[i]);
      events.push(decodeEvent(value, () => `${topic}/${partition} offset ${batch.baseOffset + i}`));
      size += value.length;
      if (events.length % eventsPerTurn === 0) await breathe();
    }
  }
  return { events, size };
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
