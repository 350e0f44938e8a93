import { Block } from './block.ts';
import type { Columns, StateSchema } from './schema.ts';

/** Side records by asset: what of the fold's state has no fixed size. */
export interface SideAccess {
  read(block: Block, slot: number): object | null;
  write(block: Block, slot: number, value: object | null): void;
}

/** Side records in memory, for scratch assets of a re-fold and for tests. */
export class MemorySides implements SideAccess {
  readonly #values = new Map<Block, Map<number, object>>();

  read(block: Block, slot: number): object | null {
    return this.#values.get(block)?.get(slot) ?? null;
  }

  write(block: Block, slot: number, value: object | null): void {
    let rows = this.#values.get(block);
    if (rows === undefined) this.#values.set(block, (rows = new Map()));
    if (value === null) rows.delete(slot);
    else rows.set(slot, value);
  }
}

/**
 * Reads like an object (`asset.soc`), is a window over one row of a block, and allocates nothing.
 * Writing a default to a column that the block has no room for does nothing; any other value makes the room.
 */
export abstract class CursorBase {
  readonly schema: StateSchema;
  block: Block;
  slot = 0;
  /** Where side records come from; the owner of the blocks sets it. */
  sides: SideAccess = new MemorySides();
  offsets: Int32Array;
  /** Where the row begins, in elements of each type. */
  row8 = 0;
  row4 = 0;
  row1 = 0;
  f64: Float64Array;
  u32: Uint32Array;
  u8: Uint8Array;

  constructor(schema: StateSchema) {
    this.schema = schema;
    const empty = new Block(-1, schema);
    this.block = empty;
    this.offsets = empty.offsets;
    this.f64 = empty.f64;
    this.u32 = empty.u32;
    this.u8 = empty.u8;
  }

  /** Points at row `slot` of `block`. */
  attach(block: Block, slot: number): void {
    this.block = block;
    this.slot = slot;
    this.row1 = slot * block.stride;
    this.row4 = this.row1 / 4;
    this.row8 = this.row1 / 8;
    this.offsets = block.offsets;
    this.f64 = block.f64;
    this.u32 = block.u32;
    this.u8 = block.u8;
  }

  /** What of the asset has no fixed size (texts, lists, open faults), or null. Treat it as immutable; see {@link writeSide}. */
  readSide<T extends object>(): T | null {
    return this.sides.read(this.block, this.slot) as T | null;
  }

  /** Replaces the side record by a new object that msgpack can hold, or by nothing. */
  writeSide(value: object | null): void {
    this.sides.write(this.block, this.slot, value);
  }

  get serial(): string {
    return this.block.serial(this.slot);
  }

  getAt(c: number): number {
    return this.block.get(c, this.slot);
  }

  setAt(c: number, value: number): void {
    let o = this.offsets[c];
    if (o < 0) {
      if (Object.is(value, this.schema.defaults[c])) return;
      o = this.grow(c);
    }
    const width = this.schema.widths[c];
    if (width === 8) this.f64[o + this.row8] = value;
    else if (width === 4) this.u32[o + this.row4] = value;
    else this.u8[o + this.row1] = value;
  }

  /** Gives column `c` room in the block and returns its offset. */
  grow(c: number): number {
    this.block.allocate(c);
    this.attach(this.block, this.slot);
    return this.offsets[c];
  }
}

/** A cursor with one property per column. */
export type Cursor<C extends Columns> = CursorBase & { -readonly [K in keyof C]: number };

const classes = new WeakMap<StateSchema, new () => CursorBase>();

/**
 * Creates cursors of one schema. All of one schema share a class, in whatever partition, so that a fold sees one shape: a
 * class for each partition cost 4 partitions a tenth of the fold, and 64 more than half.
 */
export function cursorFactory<C extends Columns>(schema: StateSchema<C>): () => Cursor<C> {
  const plain = schema as unknown as StateSchema;
  let SchemaCursor = classes.get(plain);
  if (SchemaCursor === undefined) classes.set(plain, (SchemaCursor = cursorClass(plain)));
  const Known = SchemaCursor;
  return () => new Known() as Cursor<C>;
}

function cursorClass(schema: StateSchema): new () => CursorBase {
  class SchemaCursor extends CursorBase {
    constructor() {
      super(schema);
    }
  }
  schema.names.forEach((name, c) => {
    Object.defineProperty(SchemaCursor.prototype, name, accessor(c, schema.widths[c], schema.defaults[c]));
  });
  return SchemaCursor;
}

/**
 * Accessors are generated, one pair of functions per column with its numbers written in: shared closures would keep the
 * optimiser from inlining them, which cost a tenth of the fold. Nothing but a column's index, width and default goes
 * into the source.
 */
function accessor(c: number, width: number, fallback: number): PropertyDescriptor {
  const view = width === 8 ? 'f64' : width === 4 ? 'u32' : 'u8';
  const get = `const o = this.offsets[${c}]; return o < 0 ? ${fallback} : this.${view}[o + this.row${width}];`;
  const isDefault = Number.isNaN(fallback) ? 'value !== value' : `value === ${fallback}`;
  const set = `let o = this.offsets[${c}];
    if (o < 0) { if (${isDefault}) return; o = this.grow(${c}); }
    this.${view}[o + this.row${width}] = value;`;
  return { get: new Function(get) as () => number, set: new Function('value', set) as (value: number) => void };
}
