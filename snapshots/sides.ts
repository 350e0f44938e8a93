import type { Block } from './block.ts';
import { type KeyType, numberedKey } from './keys.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import type { StateSchema } from './schema.ts';

type Rows = Map<number, object | null>;

/** What the side records need of the database. */
export interface RecordSource {
  getSync(key: Buffer): Buffer | undefined;
  /** The error to throw for what cannot be trusted. */
  corrupt(what: string): Error;
}

/** Assumed memory of a changed record, whose size nobody measured yet. */
const CHANGED_BYTES = 400;

/**
 * Records without a fixed size, by asset: changed ones in memory until a snapshot has written them, others on disk
 * under the snapshot number that the asset's column holds, with the recently used ones kept decoded.
 */
export class SideRecords {
  readonly #type: KeyType;
  readonly #column: string;
  readonly #source: RecordSource;
  readonly #maxBytes: number;
  /** Changed since the newest cut, by block. */
  readonly #changed = new Map<number, Rows>();
  /** In the snapshot that is being written, by block. */
  readonly #frozen = new Map<number, Rows>();
  /** Unchanged and decoded; the longest unused one first. */
  readonly #clean = new Map<number, { value: object; bytes: number }>();
  #cleanBytes = 0;
  #changedRows = 0;

  constructor(type: KeyType, column: string, source: RecordSource, maxBytes: number) {
    this.#type = type;
    this.#column = column;
    this.#source = source;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#cleanBytes + this.#changedRows * CHANGED_BYTES;
  }

  read(block: Block, slot: number): object | null {
    const changed = this.#changed.get(block.id)?.get(slot);
    if (changed !== undefined) return changed;
    const frozen = this.#frozen.get(block.id)?.get(slot);
    if (frozen !== undefined) return frozen;
    const number = block.get(columnOf(block.schema, this.#column), slot);
    if (number === 0) return null;
    const id = block.id * 65536 + slot;
    const kept = this.#clean.get(id);
    if (kept !== undefined) {
      this.#clean.delete(id);
      this.#clean.set(id, kept);
      return kept.value;
    }
    return this.#load(block, slot, number, id);
  }

  write(block: Block, slot: number, value: object | null): void {
    let rows = this.#changed.get(block.id);
    if (rows === undefined) this.#changed.set(block.id, (rows = new Map()));
    if (!rows.has(slot)) this.#changedRows++;
    rows.set(slot, value);
    this.#forget(block.id * 65536 + slot);
  }

  /**
   * Takes the block's changes into snapshot `number` and notes it in the column. `replaced` is called with the keys
   * that the snapshot of number `durable` or an older one needed.
   */
  freeze(block: Block, number: number, durable: number, replaced: (key: Buffer) => void): void {
    const rows = this.#changed.get(block.id);
    if (rows === undefined) return;
    this.#changed.delete(block.id);
    this.#changedRows -= rows.size;
    this.#frozen.set(block.id, rows);
    const c = columnOf(block.schema, this.#column);
    for (const [slot, value] of rows) {
      const old = block.get(c, slot);
      if (old > 0 && old <= durable) replaced(numberedKey(old, this.#type, block.id, slot));
      const next = value === null ? 0 : number;
      if (next === old) continue;
      if (block.offsets[c] < 0) block.allocate(c);
      block.set(c, slot, next);
    }
  }

  /** Bytes of the block's frozen records, to be written under `number`. */
  encode(block: number, number: number, put: (key: Buffer, value: Buffer) => void): void {
    for (const [slot, value] of this.#frozen.get(block) ?? []) {
      if (value === null) continue;
      const key = numberedKey(number, this.#type, block, slot);
      const bytes = encodeRecord(key, value);
      put(key, bytes);
    }
  }

  /** The snapshot is durable: what it wrote need not stay in memory. */
  settle(): void {
    this.#frozen.clear();
  }

  /** The snapshot failed: what it took counts as changed again, unless it changed since. */
  revert(): void {
    for (const [block, rows] of this.#frozen) {
      const newer = this.#changed.get(block);
      if (newer !== undefined) for (const [slot, value] of newer) rows.set(slot, value);
      this.#changedRows += rows.size - (newer?.size ?? 0);
      this.#changed.set(block, rows);
    }
    this.#frozen.clear();
  }

  #load(block: Block, slot: number, number: number, id: number): object {
    const key = numberedKey(number, this.#type, block.id, slot);
    const bytes = this.#source.getSync(key);
    const value = decodeRecord(key, bytes) as object | undefined;
    if (value === undefined) {
      const state = bytes ? 'damaged' : 'missing';
      throw this.#source.corrupt(
        `the record of ${block.serial(slot)} in block ${block.id}, of snapshot ${number}, is ${state}`,
      );
    }
    const size = bytes!.length * 3 + 64;
    this.#clean.set(id, { value, bytes: size });
    this.#cleanBytes += size;
    for (const oldest of this.#clean.keys()) {
      if (this.#cleanBytes <= this.#maxBytes || oldest === id) break;
      this.#forget(oldest);
    }
    return value;
  }

  #forget(id: number): void {
    const kept = this.#clean.get(id);
    if (kept === undefined) return;
    this.#cleanBytes -= kept.bytes;
    this.#clean.delete(id);
  }
}

const columns = new WeakMap<StateSchema, Map<string, number>>();

function columnOf(schema: StateSchema, name: string): number {
  let known = columns.get(schema);
  if (known === undefined) columns.set(schema, (known = new Map()));
  let c = known.get(name);
  if (c === undefined) known.set(name, (c = schema.index(name)));
  return c;
}
