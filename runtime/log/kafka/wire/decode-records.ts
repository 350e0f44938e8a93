import type { RecordBatch } from '../../contract.ts';

/** The tables of a batch while its records are read: entries `[0, count)` are filled. */
export interface RecordTable {
  readonly bytes: Buffer;
  readonly count: number;
  /** By record, the distance from the batch's base offset. */
  readonly deltas: Uint32Array;
  readonly keyStart: Uint32Array;
  readonly keyEnd: Uint32Array;
  readonly valueStart: Uint32Array;
  readonly valueEnd: Uint32Array;
}

/** Length, attributes, time, offset, key, value and headers take a byte each at the least. */
const MIN_RECORD_BYTES = 7;

/** Where the last read varint ended. */
let next = 0;

/**
 * One pass over `count` records of `bytes[from, to)`. Nothing is allocated per record and headers are skipped.
 * Throws an Error that says what is wrong with the bytes.
 */
export function decodeRecords(bytes: Buffer, from: number, to: number, count: number): RecordTable {
  if (count < 0 || count * MIN_RECORD_BYTES > to - from)
    throw new Error(`claims ${count} records in ${to - from} bytes`);
  const columns = new Uint32Array(5 * count);
  const column = (i: number) => columns.subarray(i * count, (i + 1) * count);
  const [deltas, keyStart, keyEnd, valueStart, valueEnd] = [0, 1, 2, 3, 4].map(column);
  next = from;
  for (let i = 0; i < count; i++) {
    const size = varint(bytes);
    const recordEnd = next + size;
    if (size < MIN_RECORD_BYTES - 1 || recordEnd > to) throw new Error(`ends within record ${i}`);
    next += 1;
    while (bytes[next] > 0x7f) next += 1;
    next += 1;
    deltas[i] = varint(bytes);
    const keyBytes = varint(bytes);
    keyStart[i] = next;
    keyEnd[i] = next += Math.max(0, keyBytes);
    if (next >= recordEnd) throw new Error(`has a key beyond record ${i}`);
    const valueBytes = varint(bytes);
    valueStart[i] = next;
    valueEnd[i] = next += Math.max(0, valueBytes);
    if (next >= recordEnd) throw new Error(`has a value beyond record ${i}`);
    next = recordEnd;
  }
  return { bytes, count, deltas, keyStart, keyEnd, valueStart, valueEnd };
}

/** Batches without holes: compaction leaves some records of a batch, and their offsets. */
export function withoutHoles(table: RecordTable, baseOffset: number, timestamp: number): RecordBatch[] {
  const { count, deltas } = table;
  if (count > 0 && deltas[0] === 0 && deltas[count - 1] === count - 1) {
    return [slice(table, 0, count, baseOffset, timestamp)];
  }
  const batches: RecordBatch[] = [];
  for (let from = 0; from < count; ) {
    let to = from + 1;
    while (to < count && deltas[to] === deltas[to - 1] + 1) to += 1;
    batches.push(slice(table, from, to, baseOffset + deltas[from], timestamp));
    from = to;
  }
  return batches;
}

function slice(table: RecordTable, from: number, to: number, baseOffset: number, timestamp: number): RecordBatch {
  const { bytes, keyStart, keyEnd, valueStart, valueEnd } = table;
  return {
    baseOffset,
    count: to - from,
    timestamp,
    bytes,
    keyStart: keyStart.subarray(from, to),
    keyEnd: keyEnd.subarray(from, to),
    valueStart: valueStart.subarray(from, to),
    valueEnd: valueEnd.subarray(from, to),
  };
}

/** A signed number of at most 32 bits in zigzag, at {@link next}. */
function varint(bytes: Buffer): number {
  let byte = bytes[next++];
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let value = byte & 0x7f;
  for (let shift = 7; shift < 35; shift += 7) {
    byte = bytes[next++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  throw new Error('holds a number of more than 32 bits');
}
