import { type Log, topics } from '../../runtime/log/contract.ts';
import { offsetAt } from '../../runtime/log/offset-at.ts';
import type { Offsets } from './reprocess-record.ts';

/** What of the log a second fold reads. */
export interface InputPlan {
  readonly firsts: Offsets;
  /** Event time from which its facts stand for the live ones; null: from the beginning of all. */
  readonly sinceMs: number | null;
}

/**
 * Readings from `fromMs` on (null: all), lifecycle records always from the first: they are few, are kept for ever, and
 * without them nobody would know what stands where. Where retention took readings that were to be read, the facts of
 * before what is left stay those of the live fold.
 */
export async function planInput(log: Log, fromMs: number | null): Promise<InputPlan> {
  const telemetry: number[] = [];
  const lifecycle: number[] = [];
  let sinceMs = fromMs;
  for (let partition = 0; partition < log.partitions; partition++) {
    const { start, end } = await log.latest(topics.telemetry, partition);
    lifecycle.push((await log.latest(topics.lifecycle, partition)).start);
    telemetry.push(fromMs === null ? start : await offsetAt(log, topics.telemetry, partition, fromMs));
    if (start === 0 || start === end) continue;
    const [oldest] = await log.read(topics.telemetry, partition, start, 1);
    if (oldest !== undefined && oldest.count > 0) sinceMs = Math.max(sinceMs ?? 0, oldest.timestamp);
  }
  return { firsts: { telemetry, lifecycle }, sinceMs };
}

/** Where the input ends now. */
export async function endsOf(log: Log): Promise<Offsets> {
  const of = async (topic: string) => {
    const partitions = Array.from({ length: log.partitions }, (_, p) => p);
    return Promise.all(partitions.map(async (p) => (await log.latest(topic, p)).end));
  };
  return { telemetry: await of(topics.telemetry), lifecycle: await of(topics.lifecycle) };
}

/** Where the input ends as far as it is known here. */
export function knownEndsOf(log: Log): Offsets {
  const of = (topic: string) => Array.from({ length: log.partitions }, (_, p) => log.extent(topic, p).end);
  return { telemetry: of(topics.telemetry), lifecycle: of(topics.lifecycle) };
}

/** How many records lie in `[firsts, reached)`, and in `[firsts, ends)`. Beyond the end nothing counts. */
export function progressOf(firsts: Offsets, ends: Offsets, reached: Offsets): { folded: number; total: number } {
  let folded = 0;
  let total = 0;
  for (const input of ['telemetry', 'lifecycle'] as const) {
    ends[input].forEach((end, partition) => {
      const first = firsts[input][partition] ?? 0;
      const next = reached[input][partition] ?? first;
      total += Math.max(0, end - first);
      folded += Math.max(0, Math.min(next, end) - first);
    });
  }
  return { folded, total };
}
