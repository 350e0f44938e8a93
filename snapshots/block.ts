import { GridfoldError } from '../runtime/kernel/errors.ts';
import { murmur2 as hashOf } from '../runtime/kernel/hash.ts';
import { type Layout, layoutOf, wayTo } from './layout.ts';
import type { StateSchema } from './schema.ts';

const FIRST_CAPACITY = 4;
/** The slot index holds slot + 1 in 16 bits. */
const MAX_ASSETS = 65_535;

/** Where a block's window stands; see window.ts. Positions count bytes appended since the block began. */
export interface WindowCursor {
  /** Position after the newest entry. */
  end: number;
  /** Position at which the chunk in progress began. */
  chunk: number;
  /** Position of the newest segment that was closed, or -1; and its checksum. */
  last: number;
  lastCrc: number;
}

/**
 * Some hundred assets of one kind in one buffer: the unit of load, of snapshot and of passivation.
 *
 * Row after row of `stride` bytes, so that a turn touches few cache lines; within a row the f64 columns come first,
 * then u32, then u8. Only columns in use have room: `offsets[c]` is the column's place in the row, counted in elements
 * of its type, or -1. Serials lie end to end in `keys`; `index` is an open-addressing table of slot + 1 over their
 * hash. An asset keeps its slot for ever.
 */
export class Block {
  readonly id: number;
  readonly schema: StateSchema;
  #layout: Layout;
  /** Shared by all blocks of the schema that have the same columns in use: never written to. */
  offsets: Int32Array;
  count = 0;
  capacity = 0;
  /** Bytes of a row, a multiple of 8. */
  stride = 0;
  f64 = new Float64Array(0);
  u32 = new Uint32Array(0);
  u8 = new Uint8Array(0);
  keys = new Uint8Array(0);
  keyEnds = new Uint32Array(0);
  index = new Uint16Array(0);
  readonly window: WindowCursor = { end: 0, chunk: 0, last: -1, lastCrc: 0 };
  /** Changed since the newest snapshot took its image. */
  dirty = false;
  /** Value of the owner's touch counter at the last use, for passivation. */
  touched = 0;

  constructor(id: number, schema: StateSchema) {
    this.id = id;
    this.schema = schema;
    this.#layout = layoutOf(schema, []);
    this.offsets = this.#layout.offsets;
  }

  /** Slot of the serial `bytes[start, end)`, or -1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const { index, keys, keyEnds } = this;
    const mask = index.length - 1;
    if (mask < 0) return -1;
    const length = end - start;
    for (let i = spread(hash) & mask; ; i = (i + 1) & mask) {
      const slot = index[i] - 1;
      if (slot < 0) return -1;
      const from = slot === 0 ? 0 : keyEnds[slot - 1];
      if (keyEnds[slot] - from !== length) continue;
      let k = 0;
      while (k < length && keys[from + k] === bytes[start + k]) k++;
      if (k === length) return slot;
    }
  }

  /** Adds a serial that `find` did not find; returns its slot. All its columns read as their defaults. */
  add(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slot = this.count;
    if (slot === MAX_ASSETS) {
      const message = `block ${this.id} is full (${MAX_ASSETS} assets): use more partitions or more blocks per kind`;
      throw new GridfoldError('block_full', 'fix-configuration', message);
    }
    if (slot === this.capacity) this.#grow(slot < 32 ? Math.max(FIRST_CAPACITY, slot * 2) : Math.ceil(slot * 1.2));
    const from = slot === 0 ? 0 : this.keyEnds[slot - 1];
    const keyEnd = from + end - start;
    if (keyEnd > this.keys.length) {
      const keys = new Uint8Array(Math.max(keyEnd + 16, Math.ceil(keyEnd * 1.2)));
      keys.set(this.keys.subarray(0, from));
      this.keys = keys;
    }
    this.keys.set(bytes.subarray(start, end), from);
    this.keyEnds[slot] = keyEnd;
    this.count = slot + 1;
    const { offsets, schema } = this;
    for (let c = 0; c < offsets.length; c++) if (schema.defaults[c] !== 0) this.set(c, slot, schema.defaults[c]);
    if (this.count * 3 > this.index.length * 2) this.#rehash();
    else this.#link(slot, hash);
    return slot;
  }

  serial(slot: number): string {
    return decoder.decode(this.serialBytes(slot));
  }

  serialBytes(slot: number): Uint8Array {
    return this.keys.subarray(slot === 0 ? 0 : this.keyEnds[slot - 1], this.keyEnds[slot]);
  }

  /** Gives column `c` room in this block, filled with its default. */
  allocate(c: number): void {
    const { count, stride, u8 } = this;
    const { to, moves } = wayTo(this.schema, this.#layout, c);
    this.#adopt(to);
    this.#makeRoom(this.capacity);
    for (const move of moves) {
      for (let row = 0; row < count; row++) {
        const source = row * stride + move.from;
        const target = row * this.stride + move.to;
        for (let i = 0; i < move.length; i++) this.u8[target + i] = u8[source + i];
      }
    }
    if (this.schema.defaults[c] === 0) return;
    for (let slot = 0; slot < count; slot++) this.set(c, slot, this.schema.defaults[c]);
  }

  get(c: number, slot: number): number {
    const o = this.offsets[c];
    if (o < 0) return this.schema.defaults[c];
    const width = this.schema.widths[c];
    if (width === 8) return this.f64[(slot * this.stride) / 8 + o];
    return width === 4 ? this.u32[(slot * this.stride) / 4 + o] : this.u8[slot * this.stride + o];
  }

  /** Sets a column that has room; one without room is left as it is. */
  set(c: number, slot: number, value: number): void {
    const o = this.offsets[c];
    if (o < 0) return;
    const width = this.schema.widths[c];
    if (width === 8) this.f64[(slot * this.stride) / 8 + o] = value;
    else if (width === 4) this.u32[(slot * this.stride) / 4 + o] = value;
    else this.u8[slot * this.stride + o] = value;
  }

  /** Resident bytes: columns, serials, index; without the fixed cost of the object (about 1 KB). */
  get bytes(): number {
    return this.f64.buffer.byteLength + this.keys.length + this.keyEnds.byteLength + this.index.byteLength;
  }

  /** Makes room for `capacity` assets at once, when the number is known (loading an image). */
  reserve(capacity: number): void {
    if (capacity > this.capacity) this.#grow(capacity);
  }

  /** Gives a block without assets room for `capacity` of them and for the columns at once. */
  prepare(capacity: number, columns: readonly number[]): void {
    this.keyEnds = new Uint32Array(capacity);
    this.#adopt(layoutOf(this.schema, columns));
    this.#makeRoom(capacity);
  }

  #grow(capacity: number): void {
    const ends = new Uint32Array(capacity);
    ends.set(this.keyEnds.subarray(0, this.count));
    this.keyEnds = ends;
    const rows = this.u8.subarray(0, this.count * this.stride);
    this.#makeRoom(capacity);
    this.u8.set(rows);
  }

  #adopt(layout: Layout): void {
    this.#layout = layout;
    this.offsets = layout.offsets;
    this.stride = layout.stride;
  }

  /** An empty buffer for so many rows. */
  #makeRoom(capacity: number): void {
    const buffer = new ArrayBuffer(capacity * this.stride);
    this.f64 = new Float64Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.capacity = capacity;
  }

  #link(slot: number, hash: number): void {
    const mask = this.index.length - 1;
    let i = spread(hash) & mask;
    while (this.index[i] !== 0) i = (i + 1) & mask;
    this.index[i] = slot + 1;
  }

  #rehash(): void {
    let size = 8;
    while (this.count * 3 > size * 2 - size / 4) size *= 2;
    this.index = new Uint16Array(size);
    for (let slot = 0; slot < this.count; slot++) this.#link(slot, hashOf(this.serialBytes(slot)));
  }

  /** Builds the index anew after an image was loaded. */
  reindex(): void {
    this.#rehash();
  }
}

const decoder = new TextDecoder();

/** Blocks take the low bits of the hash's product; the slot index takes other ones. */
function spread(hash: number): number {
  return (hash ^ (hash >>> 15)) >>> 7;
}
