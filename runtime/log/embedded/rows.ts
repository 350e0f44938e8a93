import { pack, unpack } from 'msgpackr';
import { crc32 } from 'node:zlib';
import type { ClassicLevel } from 'classic-level';
import { commitKey, formatKey, markerKey } from './keys.ts';
import { corrupt } from './failures.ts';

export type Db = ClassicLevel<Uint8Array, Uint8Array>;
export type Op = { type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array };

/** Written once, when the data directory is made. */
export interface FormatRow {
  readonly format: 1;
  readonly partitions: number;
}

/** The newest commit of a partition, or a claim on it. */
export interface CommitRow {
  readonly generation: number;
  readonly position: Uint8Array | null;
  /** By topic, where the partition of that topic ended after the newest commit that wrote to it. */
  readonly ends: Readonly<Record<string, number>>;
}

/** Where a partition begins. Needed when nothing is retained, and to see that its first values are missing. */
export interface MarkerRow {
  readonly start: number;
  /** Chain checksum and byte count of what lay before `start`, to go on with where nothing is retained. */
  readonly crc: number;
  readonly bytes: number;
}

/** Rows are msgpack behind a CRC32 that covers their key too. */
export function sealRow(key: Uint8Array, row: FormatRow | CommitRow | MarkerRow): Op {
  const body = pack(row);
  const value = Buffer.allocUnsafe(4 + body.length);
  value.set(body, 4);
  value.writeUInt32LE(crc32(body, crc32(key)));
  return { type: 'put', key, value };
}

function openRow<T>(db: Db, key: Uint8Array, what: string): T | null {
  const value = db.getSync(key);
  if (value === undefined) return null;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length < 4 || crc32(bytes.subarray(4), crc32(key)) !== bytes.readUInt32LE()) {
    throw corrupt(`${what} fails its checksum`);
  }
  return unpack(bytes.subarray(4)) as T;
}

export const readFormat = (db: Db): FormatRow | null => openRow(db, formatKey, 'The format entry');

export const readCommit = (db: Db, journal: string, partition: number): CommitRow | null =>
  openRow(db, commitKey(journal, partition), `The commit entry of ${journal}/${partition}`);

export const readMarker = (db: Db, topic: string, partition: number): MarkerRow | null =>
  openRow(db, markerKey(topic, partition), `The start marker of ${topic}/${partition}`);
