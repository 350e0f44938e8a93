import type { OutputRecord, RecordBatch } from '../runtime/log/contract.ts';
import type { SourceRecord } from '../sim/record.ts';

const encoder = new TextEncoder();
const BATCH = 2000;

export interface KeyedRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export function keyed({ key, value }: SourceRecord): KeyedRecord {
  return { key: encoder.encode(key), value: encoder.encode(JSON.stringify(value)) };
}

/** Records as the log hands them out, up to 2,000 in a batch, accepted at `timestamp`. */
export function batchesOf(records: readonly (KeyedRecord | OutputRecord)[], timestamp: number): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let from = 0; from < records.length; from += BATCH) {
    const some = records.slice(from, from + BATCH);
    const [keyStart, keyEnd, valueEnd] = [0, 1, 2].map(() => new Uint32Array(some.length));
    const parts: Uint8Array[] = [];
    let end = 0;
    for (const [i, { key, value }] of some.entries()) {
      keyStart[i] = end;
      keyEnd[i] = end + (key?.length ?? 0);
      end = valueEnd[i] = keyEnd[i] + value.length;
      if (key !== null) parts.push(key);
      parts.push(value);
    }
    batches.push({
      baseOffset: from,
      count: some.length,
      timestamp,
      bytes: Buffer.concat(parts),
      keyStart,
      keyEnd,
      valueStart: keyEnd,
      valueEnd,
    });
  }
  return batches;
}

/** Seconds of this thread that JSON.parse (UTF-8 decoding included) takes of the values: what any consumer has to do at the least. */
export function parseSeconds(batches: readonly RecordBatch[]): number {
  let checksum = 0;
  const began = process.threadCpuUsage();
  for (const { bytes, count, valueStart, valueEnd } of batches) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) {
      checksum += String(JSON.parse(buffer.toString('utf8', valueStart[i], valueEnd[i])).serial).length;
    }
  }
  const { user, system } = process.threadCpuUsage(began);
  if (checksum === 0) throw new Error('nothing was parsed');
  return (user + system) / 1e6;
}
