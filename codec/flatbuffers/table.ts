import { MAX_RECORD_BYTES } from '../limits.ts';
import { textOf, UNDECODABLE } from '../wire-document.ts';

/**
 * The memory of one FlatBuffer: bytes [start, end) of a larger one. Everything that is read is checked to lie inside; a
 * Refusal is thrown where it does not.
 */
export class FlatMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  /** Offsets may lead to the same bytes many times, so what they lead to is bounded on its own. */
  private budget = MAX_RECORD_BYTES;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.start = start;
    this.end = end;
  }

  /** The table that the buffer begins with. */
  root(): FlatTable {
    return new FlatTable(this, this.follow(this.start));
  }

  /** Where the offset at `at` leads to. */
  follow(at: number): number {
    this.check(at, 4);
    const target = at + this.view.getUint32(at, true);
    this.check(target, 4);
    return target;
  }

  /** Throws unless `length` bytes from `at` on lie inside. */
  check(at: number, length: number): void {
    if (!(at >= this.start && at + length <= this.end)) throw UNDECODABLE;
  }

  /** The length of the vector at `at`, whose items have `size` bytes each. */
  vectorLength(at: number, size: number): number {
    this.check(at, 4);
    const length = this.view.getUint32(at, true);
    this.check(at + 4, length * size);
    this.spend(length);
    return length;
  }

  text(at: number): string {
    const length = this.vectorLength(at, 1);
    return textOf(this.bytes, at + 4, at + 4 + length);
  }

  private spend(count: number): void {
    this.budget -= count;
    if (this.budget < 0) throw UNDECODABLE;
  }
}

/** A table: its fields by id. A field that is absent is undefined. */
export class FlatTable {
  private readonly memory: FlatMemory;
  private readonly at: number;
  private readonly vtable: number;
  /** Ids that the table may have. */
  readonly size: number;

  constructor(memory: FlatMemory, at: number) {
    memory.check(at, 4);
    const vtable = at - memory.view.getInt32(at, true);
    memory.check(vtable, 4);
    const length = memory.view.getUint16(vtable, true);
    if (length < 4) throw UNDECODABLE;
    memory.check(vtable, length);
    this.memory = memory;
    this.at = at;
    this.vtable = vtable;
    this.size = (length - 4) >> 1;
  }

  has(id: number): boolean {
    return this.offset(id) !== 0;
  }

  byte(id: number): number | undefined {
    const at = this.place(id, 1);
    return at < 0 ? undefined : this.memory.bytes[at];
  }

  boolean(id: number): boolean | undefined {
    const byte = this.byte(id);
    return byte === undefined ? undefined : byte !== 0;
  }

  integer(id: number): number | undefined {
    const at = this.place(id, 4);
    return at < 0 ? undefined : this.memory.view.getInt32(at, true);
  }

  /** A 64-bit number; beyond 2^53 it is not exact. */
  long(id: number): number | undefined {
    const at = this.place(id, 8);
    if (at < 0) return undefined;
    const { view } = this.memory;
    return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  }

  double(id: number): number | undefined {
    const at = this.place(id, 8);
    return at < 0 ? undefined : this.memory.view.getFloat64(at, true);
  }

  text(id: number): string | undefined {
    const at = this.place(id, 4);
    return at < 0 ? undefined : this.memory.text(this.memory.follow(at));
  }

  table(id: number): FlatTable | undefined {
    const at = this.place(id, 4);
    return at < 0 ? undefined : new FlatTable(this.memory, this.memory.follow(at));
  }

  shorts(id: number): number[] | undefined {
    return this.vector(id, 2, (at) => this.memory.view.getUint16(at, true));
  }

  texts(id: number): string[] | undefined {
    return this.vector(id, 4, (at) => this.memory.text(this.memory.follow(at)));
  }

  tables(id: number): FlatTable[] | undefined {
    return this.vector(id, 4, (at) => new FlatTable(this.memory, this.memory.follow(at)));
  }

  private vector<T>(id: number, size: number, read: (at: number) => T): T[] | undefined {
    const field = this.place(id, 4);
    if (field < 0) return undefined;
    const at = this.memory.follow(field);
    const length = this.memory.vectorLength(at, size);
    const items: T[] = [];
    for (let i = 0; i < length; i++) items.push(read(at + 4 + i * size));
    return items;
  }

  private offset(id: number): number {
    return id < this.size ? this.memory.view.getUint16(this.vtable + 4 + id * 2, true) : 0;
  }

  /** Where the field's `length` bytes are; -1 where it is absent. */
  private place(id: number, length: number): number {
    const offset = this.offset(id);
    if (offset === 0) return -1;
    this.memory.check(this.at + offset, length);
    return this.at + offset;
  }
}
