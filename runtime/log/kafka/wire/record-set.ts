import { crc32c } from '@node-rs/crc32';
import type { Compression } from '../connection.ts';
import { CHECKED_FROM, CHECKSUM_AT, HEADER_BYTES } from './batch-header.ts';
import { compress, compressions } from './compression.ts';

/** A record to write; `value` null is a tombstone. */
export interface WireRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** Who writes a batch, and the place of its first record among all that this producer wrote to the partition. */
export interface BatchIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly isTransactional: boolean;
}

const MAX_VARINT_BYTES = 5;
/** Below it compression costs more than it saves. */
const COMPRESS_FROM_BYTES = 512;
const TRANSACTIONAL = 0x10;

/** Bytes that a record takes in a batch, at most. */
export function wireSize({ key, value }: WireRecord): number {
  return 3 * MAX_VARINT_BYTES + 6 + (key?.length ?? 0) + (value?.length ?? 0);
}

/** The body of a batch, records `[from, to)`: encoded once, whoever sends it under which sequence. */
export async function encodeBody(
  records: readonly WireRecord[],
  from: number,
  to: number,
  compression: Compression,
): Promise<{ body: Buffer; codec: number; count: number }> {
  let capacity = 0;
  for (let i = from; i < to; i++) capacity += wireSize(records[i]);
  const bytes = Buffer.allocUnsafe(capacity);
  let at = 0;
  for (let i = from; i < to; i++) at = putRecord(bytes, at, i - from, records[i]);
  const plain = bytes.subarray(0, at);
  if (compression === 'none' || at < COMPRESS_FROM_BYTES) return { body: plain, codec: 0, count: to - from };
  return { body: await compress(compression, plain), codec: compressions.indexOf(compression), count: to - from };
}

export type Body = Awaited<ReturnType<typeof encodeBody>>;

/** A batch of version 2: header, checksum and body. `timestamp` is that of all its records, epoch milliseconds. */
export function encodeBatch({ body, codec, count }: Body, identity: BatchIdentity, timestamp: number): Buffer {
  const batch = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  putInt64(batch, 0, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(codec | (identity.isTransactional ? TRANSACTIONAL : 0), CHECKED_FROM);
  batch.writeInt32BE(count - 1, 23);
  putInt64(batch, 27, timestamp);
  putInt64(batch, 35, timestamp);
  putInt64(batch, 43, identity.producerId);
  batch.writeInt16BE(identity.producerEpoch, 51);
  batch.writeInt32BE(identity.sequence, 53);
  batch.writeInt32BE(count, 57);
  body.copy(batch, HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(CHECKED_FROM)), CHECKSUM_AT);
  return batch;
}

function putRecord(bytes: Buffer, at: number, delta: number, { key, value }: WireRecord): number {
  const keyBytes = key === null ? 0 : key.length;
  const valueBytes = value === null ? 0 : value.length;
  const keyLength = key === null ? -1 : keyBytes;
  const valueLength = value === null ? -1 : valueBytes;
  const size = 3 + sizeOf(delta) + sizeOf(keyLength) + keyBytes + sizeOf(valueLength) + valueBytes;
  let to = putVarint(bytes, at, size);
  bytes[to++] = 0;
  bytes[to++] = 0;
  to = putVarint(bytes, to, delta);
  to = putVarint(bytes, to, keyLength);
  if (key !== null) bytes.set(key, to);
  to = putVarint(bytes, to + keyBytes, valueLength);
  if (value !== null) bytes.set(value, to);
  to += valueBytes;
  bytes[to++] = 0;
  return to;
}

const zigzag = (value: number) => ((value << 1) ^ (value >> 31)) >>> 0;

function sizeOf(value: number): number {
  const bits = 32 - Math.clz32(zigzag(value));
  return Math.max(1, Math.ceil(bits / 7));
}

function putVarint(bytes: Buffer, at: number, value: number): number {
  let left = zigzag(value);
  let to = at;
  while (left > 0x7f) {
    bytes[to++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  bytes[to++] = left;
  return to;
}

function putInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 0x1_0000_0000, at + 4);
}
