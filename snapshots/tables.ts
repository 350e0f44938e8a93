import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';

/**
 * Checks LevelDB's table files by their own checksums. The library does not check them when it reads, and its build
 * ends the process on some damages; so this is done before opening once that may have happened.
 *
 * A table is blocks (content, type u8, masked crc32c u32), one of which is the index, and a footer that says where.
 */
const FOOTER = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** Indexes are plain, as the directory is opened without compression. */
const UNCOMPRESSED = 0;

/** Moves tables that fail into `damaged/` beside the others and returns their names. */
export function setDamagedTablesAside(level: string): string[] {
  const damaged = tableNames(level).filter((name) => !tableSound(readFileSync(join(level, name))));
  if (damaged.length > 0) mkdirSync(join(level, 'damaged'), { recursive: true });
  for (const name of damaged) renameSync(join(level, name), join(level, 'damaged', name));
  return damaged;
}

function tableNames(level: string): string[] {
  try {
    return readdirSync(level).filter((name) => /\.(ldb|sst)$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export function tableSound(table: Buffer): boolean {
  if (table.length < FOOTER || table.readBigUInt64LE(table.length - 8) !== MAGIC) return false;
  const at = { position: table.length - FOOTER };
  // The index of what is beside the data (a filter), and that of the data.
  for (let i = 0; i < 2; i++) {
    const offset = varint(table, at);
    const size = varint(table, at);
    if (!blockSound(table, offset, size) || table[offset + size] !== UNCOMPRESSED) return false;
    const handles = handlesIn(table.subarray(offset, offset + size));
    if (!handles.every(([from, length]) => blockSound(table, from, length))) return false;
  }
  return true;
}

/** The values of an index's entries (shared, unshared, value length, key, value): where other blocks lie. */
function handlesIn(index: Buffer): [number, number][] {
  const handles: [number, number][] = [];
  const end = index.length - 4 - index.readUInt32LE(index.length - 4) * 4;
  const at = { position: 0 };
  while (at.position < end) {
    varint(index, at);
    const unshared = varint(index, at);
    const length = varint(index, at);
    const value = at.position + unshared;
    at.position = value;
    handles.push([varint(index, at), varint(index, at)]);
    at.position = value + length;
  }
  return handles;
}

function blockSound(table: Buffer, offset: number, size: number): boolean {
  const end = offset + size + 1;
  return end + 4 <= table.length && masked(crc32c(table.subarray(offset, end))) === table.readUInt32LE(end);
}

function varint(bytes: Buffer, at: { position: number }): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at.position++];
    value += (byte & 127) * scale;
    if (!(byte >= 128) || scale > 2 ** 42) return value;
  }
}

function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
