import type { Log, RecordBatch } from './contract.ts';

type Reads = Pick<Log, 'latest' | 'read'>;

/**
 * Offset of the first batch that the log accepted at `timeMs` (epoch) or later; the end where there is none. Timestamps
 * of a partition fall only where a clock was set back, and then the answer is one of the offsets around that border.
 */
export async function offsetAt(log: Reads, topic: string, partition: number, timeMs: number): Promise<number> {
  const { start, end } = await log.latest(topic, partition);
  let low = start;
  let high = end;
  // What begins below `low` is older than the time; what begins at `high` is not.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const batch = await batchAt(log, topic, partition, middle, high);
    if (batch === null) high = middle;
    else if (batch.timestamp < timeMs) low = batch.baseOffset + batch.count;
    else high = Math.max(low, Math.min(batch.baseOffset, middle));
  }
  return low;
}

/** The batch that holds `from`, or the next one that begins below `before`; null where only holes lie between. */
async function batchAt(
  log: Reads,
  topic: string,
  partition: number,
  from: number,
  before: number,
): Promise<RecordBatch | null> {
  for (let next = from; next < before; ) {
    const [batch] = await log.read(topic, partition, next, 1);
    if (batch === undefined || batch.baseOffset >= before) return null;
    if (batch.count > 0) return batch;
    next = Math.max(next + 1, batch.baseOffset);
  }
  return null;
}
