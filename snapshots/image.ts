import { crc32 } from 'node:zlib';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { Block } from './block.ts';
import {
  HEAD,
  type ImageTable,
  readTable,
  type TableEntry,
  TYPES,
  WIDTHS,
  WINDOW_FORMAT,
  windowOf,
} from './image-table.ts';
import type { StateSchema } from './schema.ts';

/**
 * A block as bytes, little-endian:
 *
 *   head (64 bytes), schema name, column table (type, name length, name; in the order of a row), key ends, keys, rows, crc32
 *
 * Columns are named, so that a later release reads what an earlier one wrote: what it no longer declares is dropped,
 * what it declares anew reads as its default.
 */
const MAGIC = 0x42444647;
const FORMAT = WINDOW_FORMAT;

type Report = (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, unknown>) => void;

/**
 * The image of a block as it is now, in a buffer from `allocate`; its last four bytes are for the checksum.
 * See {@link sealImage}.
 */
export function encodeImage(block: Block, allocate: (size: number) => Buffer = Buffer.allocUnsafeSlow): Buffer {
  const { schema, offsets, count, window } = block;
  const keyBytes = count === 0 ? 0 : block.keyEnds[count - 1];
  const name = Buffer.from(schema.name);
  const tables = columnTables(schema);
  let columns = 0;
  let size = HEAD + name.length + count * 4 + keyBytes + 4;
  for (let c = 0; c < offsets.length; c++) {
    if (offsets[c] < 0) continue;
    columns++;
    size += tables[c].length;
  }
  size += count * block.stride;
  const out = allocate(size);
  out.fill(0, 0, HEAD);
  out.writeUInt32LE(MAGIC, 0);
  out.writeUInt16LE(FORMAT, 4);
  out.writeUInt16LE(columns, 6);
  out.writeUInt32LE(block.id, 8);
  out.writeUInt32LE(count, 12);
  out.writeUInt32LE(keyBytes, 16);
  out.writeUInt32LE(schema.version, 20);
  out.writeUInt32LE(name.length, 24);
  out.writeUInt32LE(window.lastCrc, 28);
  out.writeDoubleLE(window.end, 32);
  out.writeDoubleLE(window.chunk, 40);
  out.writeDoubleLE(window.last, 48);
  let at = HEAD + name.copy(out, HEAD);
  for (const c of rowOrder(block)) at += tables[c].copy(out, at);
  out.set(bytesOf(block.keyEnds, 0, count), at);
  at += count * 4;
  out.set(block.keys.subarray(0, keyBytes), at);
  at += keyBytes;
  out.set(block.u8.subarray(0, count * block.stride), at);
  return out;
}

/** Writes the checksum into an image and returns it. Apart from encoding, because a copy made in a turn must be quick. */
export function sealImage(image: Buffer): number {
  const crc = crc32(image.subarray(0, image.length - 4));
  image.writeUInt32LE(crc, image.length - 4);
  return crc;
}

/** True when the image is whole and is the one the manifest means. */
export function imageMatches(image: Buffer, crc: number): boolean {
  return (
    image.length >= HEAD + 4 &&
    image.readUInt32LE(image.length - 4) === crc &&
    crc32(image.subarray(0, image.length - 4)) === crc
  );
}

/** The block of an image that {@link imageMatches}. Throws GridfoldError `state_version_mismatch`. */
export function decodeImage(image: Buffer, id: number, schema: StateSchema, message: Report): Block {
  const format = image.readUInt16LE(4);
  if (image.readUInt32LE(0) !== MAGIC || format > FORMAT) {
    throw mismatch(`block ${id} has image format ${format}; this release reads up to ${FORMAT}`);
  }
  const count = image.readUInt32LE(12);
  const keyBytes = image.readUInt32LE(16);
  const nameEnd = HEAD + image.readUInt32LE(24);
  const name = image.toString('utf8', HEAD, nameEnd);
  if (image.readUInt32LE(8) !== id || name !== schema.name) {
    throw mismatch(`block ${id} of state ${schema.name} holds block ${image.readUInt32LE(8)} of state ${name}`);
  }
  const table = readTable(image);
  const block = new Block(id, schema);
  const wanted = table.entries.map((entry) => columnFor(entry, schema, image.readUInt32LE(20), message));
  block.prepare(
    count + Math.ceil(count / 64) + 1,
    wanted.filter((c) => c >= 0),
  );
  let at = table.end;
  bytesOf(block.keyEnds, 0, count).set(image.subarray(at, at + count * 4));
  at += count * 4;
  block.keys = Uint8Array.prototype.slice.call(image, at, at + keyBytes);
  at += keyBytes;
  readRows(image, at, table, wanted, block, count);
  at += count * table.stride;
  if (at !== image.length - 4) throw mismatch(`block ${id} has an image of ${image.length} bytes that ends at ${at}`);
  block.count = count;
  Object.assign(block.window, windowOf(image));
  block.reindex();
  if (image.readUInt32LE(20) !== schema.version || format < WINDOW_FORMAT) upgrade(block);
  return block;
}

/**
 * A block that another version of the state wrote, or a release that wrote entries in another way. What its window holds
 * means nothing here, so the chain of its segments ends: what follows begins a new one at the same place.
 */
function upgrade(block: Block): void {
  block.window.chunk = block.window.end;
  block.window.last = -1;
  block.window.lastCrc = 0;
  const { schema } = block;
  schema.names.forEach((name, c) => {
    const { upgraded } = schema.columns[name];
    if (upgraded === undefined) return;
    if (block.offsets[c] < 0) block.allocate(c);
    for (let slot = 0; slot < block.count; slot++) block.set(c, slot, upgraded);
  });
}

/** Columns in use, in the order in which they lie in a row. */
function rowOrder({ schema, offsets }: Block): number[] {
  const order: number[] = [];
  for (const width of WIDTHS) {
    for (let c = 0; c < offsets.length; c++) if (offsets[c] >= 0 && schema.widths[c] === width) order.push(c);
  }
  return order;
}

/** Takes the rows over: in one piece where the layout is the same, else column by column. */
function readRows(
  image: Buffer,
  start: number,
  { entries, stride }: ImageTable,
  wanted: readonly number[],
  block: Block,
  count: number,
): void {
  const order = rowOrder(block);
  const isSame = (c: number, i: number) => c === wanted[i] && block.schema.types[c] === TYPES[entries[i].type];
  if (order.length === wanted.length && order.every(isSame)) {
    block.u8.set(image.subarray(start, start + count * stride));
    return;
  }
  entries.forEach(({ type, place }, i) => {
    for (let row = 0; row < count && wanted[i] >= 0; row++) {
      const at = start + row * stride + place;
      const value = type === 0 ? image.readDoubleLE(at) : type === 1 ? image.readUInt32LE(at) : image[at];
      block.set(wanted[i], row, value);
    }
  });
}

/** The schema's column for a stored one, or -1 where it is gone. */
function columnFor(entry: TableEntry, schema: StateSchema, version: number, message: Report): number {
  const c = schema.names.indexOf(entry.name);
  if (c < 0) {
    reportDropped(schema, entry.name, version, message);
    return -1;
  }
  // A wider whole number holds what a narrower one held.
  const isWider = schema.types[c] === 'u32' && TYPES[entry.type] === 'u8';
  if (schema.types[c] !== TYPES[entry.type] && !isWider) {
    throw mismatch(
      `column ${entry.name} of state ${schema.name} was ${TYPES[entry.type]} in version ${version} and is ` +
        `${schema.types[c]} in version ${schema.version}: rename the column, or keep its type`,
    );
  }
  return c;
}

const dropped = new WeakMap<StateSchema, Set<string>>();

/** Once per column and schema, not once per block. */
function reportDropped(schema: StateSchema, name: string, version: number, message: Report): void {
  let names = dropped.get(schema);
  if (names === undefined) dropped.set(schema, (names = new Set()));
  if (names.has(name)) return;
  names.add(name);
  message('warn', `column ${name} of state ${schema.name} is no longer declared: its values are dropped`, {
    writtenBy: version,
    readBy: schema.version,
  });
}

const tablesBySchema = new WeakMap<StateSchema, Buffer[]>();

function columnTables(schema: StateSchema): Buffer[] {
  let tables = tablesBySchema.get(schema);
  if (tables === undefined) {
    tables = schema.names.map((name, c) =>
      Buffer.concat([Buffer.of(TYPES.indexOf(schema.types[c]), name.length), Buffer.from(name, 'latin1')]),
    );
    tablesBySchema.set(schema, tables);
  }
  return tables;
}

function bytesOf(array: Uint32Array, start: number, end: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset + start * 4, (end - start) * 4);
}

function mismatch(message: string): GridfoldError {
  return new GridfoldError('state_version_mismatch', 'stop', message);
}
