import { crc32 } from 'node:zlib';
import type { RecordBatch } from '../contract.ts';

/**
 * One LevelDB value: many records of one topic and partition. Little-endian, 56 bytes of header, then the
 * tables `end of key` (count) and `start, then end of value` (1 + count) as uint32, then keys and values.
 * The tables lie so that reading a value back needs three views and no pass over the records.
 *
 *   0 u16 magic   2 u16 version   4 u32 CRC32 of everything from byte 8 on
 *   8 u32 CRC32 of the value before this one in the same topic and partition: a chain, so that a value that
 *         vanished, came back or was swapped is noticed even where the offsets fit
 *  12 u32 CRC32 of topic name and partition: a value under a foreign key is noticed
 *  16 u32 count   20 u32 length of the whole value
 *  24 f64 base offset
 *  32 f64 when the log accepted it, epoch milliseconds
 *  40 f64 bytes of all values before it in the same topic and partition since the beginning (for retention)
 *  48 f64 bytes of all values before it in the whole log (how far back the tail has to be verified)
 */
const HEADER_BYTES = 56;
const MAGIC = 0x4c47;
const VERSION = 1;

export interface ValueHeader {
  readonly crc: number;
  readonly previousCrc: number;
  readonly identity: number;
  readonly count: number;
  readonly baseOffset: number;
  readonly timestamp: number;
  readonly bytesBefore: number;
  readonly logBytesBefore: number;
}

export type HeaderToWrite = Omit<ValueHeader, 'crc' | 'count'>;

/** What identifies a topic and partition inside a value. */
export function identityOf(topic: string, partition: number): number {
  return crc32(`${topic}/${partition}`);
}

/** Bytes that {@link encodeValue} will need. */
export function valueBytes(count: number, recordBytes: number): number {
  return HEADER_BYTES + 4 * (2 * count + 1) + recordBytes;
}

/**
 * Packs records into one value. `keyEnd` and `valueEnd` are offsets into `bytes`; only their first `count` entries
 * and the bytes up to the last `valueEnd` are used.
 */
export function encodeValue(
  header: HeaderToWrite,
  count: number,
  keyEnd: Uint32Array,
  valueEnd: Uint32Array,
  bytes: Uint8Array,
): { value: Uint8Array; crc: number } {
  const recordBytes = valueEnd[count - 1];
  const length = valueBytes(count, recordBytes);
  const value = Buffer.allocUnsafeSlow(length);
  const words = new Uint32Array(value.buffer, 0, HEADER_BYTES / 4 + 2 * count + 1);
  const doubles = new Float64Array(value.buffer, 0, HEADER_BYTES / 8);
  words[0] = MAGIC | (VERSION << 16);
  words[2] = header.previousCrc;
  words[3] = header.identity;
  words[4] = count;
  words[5] = length;
  doubles[3] = header.baseOffset;
  doubles[4] = header.timestamp;
  doubles[5] = header.bytesBefore;
  doubles[6] = header.logBytesBefore;
  const tables = HEADER_BYTES / 4;
  words.set(keyEnd.subarray(0, count), tables);
  words[tables + count] = 0;
  words.set(valueEnd.subarray(0, count), tables + count + 1);
  value.set(bytes.subarray(0, recordBytes), length - recordBytes);
  const crc = crc32(value.subarray(8));
  words[1] = crc;
  return { value, crc };
}

/**
 * Checks a value against its checksum, its key and its own length. Returns its header, or why it can't be trusted.
 */
export function checkValue(value: Uint8Array, identity: number, baseOffset: number): ValueHeader | string {
  if (value.length < HEADER_BYTES) return `value of ${value.length} bytes is shorter than its header`;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (view.getUint16(0, true) !== MAGIC) return 'not a value of this log';
  const version = view.getUint16(2, true);
  if (version !== VERSION) return `value of version ${version}, this release reads ${VERSION}`;
  const crc = view.getUint32(4, true);
  if (crc32(value.subarray(8)) !== crc) return 'checksum mismatch';
  const header = {
    crc,
    previousCrc: view.getUint32(8, true),
    identity: view.getUint32(12, true),
    count: view.getUint32(16, true),
    baseOffset: view.getFloat64(24, true),
    timestamp: view.getFloat64(32, true),
    bytesBefore: view.getFloat64(40, true),
    logBytesBefore: view.getFloat64(48, true),
  };
  if (view.getUint32(20, true) !== value.length) return 'value has another length than it was written with';
  if (header.identity !== identity) return 'value belongs to another topic or partition';
  if (header.baseOffset !== baseOffset) return `value of offset ${header.baseOffset} under another key`;
  return header;
}

/** The records of a value that {@link checkValue} found good: views into it, nothing is copied. */
export function recordsOf(value: Uint8Array, header: ValueHeader): RecordBatch {
  const { count } = header;
  // Typed-array views need aligned memory; LevelDB's copies are, but nothing promises it.
  const aligned = value.byteOffset % 4 === 0 ? value : Uint8Array.from(value);
  const tables = aligned.byteOffset + HEADER_BYTES;
  const keyEnd = new Uint32Array(aligned.buffer, tables, count);
  const starts = new Uint32Array(aligned.buffer, tables + 4 * count, count + 1);
  return {
    baseOffset: header.baseOffset,
    count,
    timestamp: header.timestamp,
    bytes: aligned.subarray(HEADER_BYTES + 4 * (2 * count + 1)),
    keyStart: starts.subarray(0, count),
    keyEnd,
    valueStart: keyEnd,
    valueEnd: starts.subarray(1),
  };
}
