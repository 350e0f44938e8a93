import { topics } from '../contract.ts';

/**
 * LevelDB keys. They sort by topic, partition and base offset, so that a partition is one key range.
 *
 *   f                                     format and partition count
 *   c partition(u16) [journal]            commit entry: generation, position, ends; the name only where it is not `journal`
 *   m topic 00 partition(u16)             where the partition begins after a trim
 *   r topic 00 partition(u16) base(u48)   records, big-endian
 */
const MAX_OFFSET = 2 ** 48 - 1;
const TOPIC = /^[A-Za-z0-9._-]{1,200}$/;

export const formatKey: Uint8Array = Buffer.from('f');
export const recordsRange: { gte: Uint8Array; lt: Uint8Array } = { gte: Buffer.from('r'), lt: Buffer.from('s') };

export const markersRange: { gte: Uint8Array; lt: Uint8Array } = { gte: Buffer.from('m'), lt: Buffer.from('n') };

export function isTopicName(topic: string): boolean {
  return TOPIC.test(topic);
}

export const commitsRange: { gte: Uint8Array; lt: Uint8Array } = { gte: Buffer.from('c'), lt: Buffer.from('d') };

export function commitKey(journal: string, partition: number): Uint8Array {
  const name = journal === topics.journal ? '' : journal;
  return Buffer.concat([Buffer.from([0x63, partition >> 8, partition & 0xff]), Buffer.from(name)]);
}

/** Null when the bytes are no commit key. */
export function parseCommitKey(key: Uint8Array): { journal: string; partition: number } | null {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (bytes.length < 3) return null;
  const journal = bytes.length === 3 ? topics.journal : bytes.toString('latin1', 3);
  return isTopicName(journal) ? { journal, partition: bytes.readUInt16BE(1) } : null;
}

export function markerKey(topic: string, partition: number): Uint8Array {
  return Buffer.concat([Buffer.from(`m${topic}\0`), Buffer.from([partition >> 8, partition & 0xff])]);
}

/** Key of the value whose first record has `base` as offset. */
export function recordsKey(topic: string, partition: number, base: number): Uint8Array {
  const key = Buffer.allocUnsafe(topic.length + 10);
  key.write(`r${topic}\0`, 'latin1');
  key.writeUInt16BE(partition, topic.length + 2);
  key.writeUIntBE(base, topic.length + 4, 6);
  return key;
}

/** All values of a partition, as bounds of an iterator. */
export function partitionRange(topic: string, partition: number): { gte: Uint8Array; lte: Uint8Array } {
  return { gte: recordsKey(topic, partition, 0), lte: recordsKey(topic, partition, MAX_OFFSET) };
}

export interface RecordsKey {
  readonly topic: string;
  readonly partition: number;
  readonly base: number;
}

/** Null when the bytes are no records key: a damaged one. */
export function parseRecordsKey(key: Uint8Array): RecordsKey | null {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const zero = bytes.indexOf(0);
  if (bytes[0] !== 0x72 || zero < 0 || bytes.length !== zero + 9) return null;
  const topic = bytes.toString('latin1', 1, zero);
  if (!isTopicName(topic)) return null;
  return { topic, partition: bytes.readUInt16BE(zero + 1), base: bytes.readUIntBE(zero + 3, 6) };
}

/** Null when the bytes are no marker key. */
export function parseMarkerKey(key: Uint8Array): { topic: string; partition: number } | null {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const topic = bytes.toString('latin1', 1, bytes.length - 3);
  return isTopicName(topic) ? { topic, partition: bytes.readUInt16BE(bytes.length - 2) } : null;
}

/** Key base offset only, for keys of a known range. */
export function baseOf(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUIntBE(key.length - 6, 6);
}
