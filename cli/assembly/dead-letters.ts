import type { DeadLetterPage, DeadLetterView } from '../../api/http/operations.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { decodeDeadLetter } from '../../runtime/shard/outputs.ts';

const READ_BYTES = 4 << 20;

/**
 * A page of dead letters, newest first within each partition, the partitions one after the other.
 * The cursor is `partition.offset`: the first one not shown any more.
 */
export async function deadLetterPage(log: Log, options: { limit: number; before?: string }): Promise<DeadLetterPage> {
  const items: DeadLetterView[] = [];
  const [first, below] = options.before?.split('.').map(Number) ?? [0, Number.POSITIVE_INFINITY];
  for (let partition = first; partition < log.partitions; partition++) {
    const { start, end } = log.extent(topics.deadLetters, partition);
    const until = Math.min(end, partition === first ? below : Number.POSITIVE_INFINITY);
    const from = Math.max(start, until - (options.limit - items.length));
    items.push(...(await letters(log, partition, from, until)).reverse());
    if (from > start) return { items, next: `${partition}.${from}` };
    if (items.length === options.limit) {
      return { items, next: partition + 1 < log.partitions ? `${partition + 1}.${Number.MAX_SAFE_INTEGER}` : null };
    }
  }
  return { items, next: null };
}

async function letters(log: Log, partition: number, from: number, until: number): Promise<DeadLetterView[]> {
  const found: DeadLetterView[] = [];
  for (let offset = from; offset < until; ) {
    const batches = await log.read(topics.deadLetters, partition, offset, READ_BYTES);
    if (batches.length === 0) break;
    for (const batch of batches) {
      // Offsets have holes: a transaction's end takes one.
      offset = Math.max(offset, batch.baseOffset);
      for (let i = offset - batch.baseOffset; i < batch.count && offset < until; i++, offset++) {
        const key = batch.bytes.subarray(batch.keyStart[i], batch.keyEnd[i]);
        found.push(view(partition, offset, key, batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])));
      }
    }
  }
  return found;
}

function view(partition: number, offset: number, key: Uint8Array, record: Uint8Array): DeadLetterView {
  const letter = decodeDeadLetter(record);
  return {
    partition,
    offset,
    at: new Date(letter.timestamp).toISOString(),
    reason: letter.reason,
    serial: key.length === 0 ? null : Buffer.from(key).toString(),
    source: letter.offset < 0 ? null : `${letter.topic}:${letter.partition}:${letter.offset}`,
    bytes: letter.value.length,
    value: Buffer.from(letter.value).toString('base64'),
  };
}
