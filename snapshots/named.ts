import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { Database } from './directory.ts';
import { imageMatches } from './image.ts';
import { type RecordNumbers, recordNumbers } from './image-table.ts';
import { KeyType, numberedKey, placeOf, segmentPlaceOf } from './keys.ts';
import type { BlockTable } from './manifest.ts';

const IMAGES_AT_ONCE = 32;

/** Where a snapshot lies: the database that holds its rows, and what its manifest says of the blocks. */
export interface StoredSnapshot {
  readonly db: Database;
  readonly table: BlockTable;
}

export interface ReadBlock {
  readonly id: number;
  readonly key: Buffer;
  readonly image: Buffer;
  readonly numbers: RecordNumbers;
}

/** Reads blocks of the snapshot, some at a time, and checks them. Throws GridfoldError `block_corrupt`. */
export async function* readBlocks({ db, table }: StoredSnapshot, ids: readonly number[]): AsyncGenerator<ReadBlock[]> {
  for (let at = 0; at < ids.length; at += IMAGES_AT_ONCE) {
    const some = ids.slice(at, at + IMAGES_AT_ONCE);
    const keys = some.map((id) => numberedKey(table.numbers[id], KeyType.image, id, 0));
    const images = await db.getMany(keys);
    yield some.map((id, i) => {
      const image = images[i] as Buffer | undefined;
      if (image === undefined || !imageMatches(image, table.crcs[id])) {
        const state = image === undefined ? 'missing' : 'damaged';
        throw new GridfoldError('block_corrupt', 'retry', `block ${id} of snapshot ${table.numbers[id]} is ${state}`);
      }
      return { id, key: keys[i], image, numbers: recordNumbers(image) };
    });
  }
}

/** Blocks that exist and that `wanted` takes, ascending. */
export function blocksOf(table: BlockTable, wanted: (number: number, id: number) => boolean = () => true): number[] {
  const ids: number[] = [];
  for (let id = 0; id < table.numbers.length; id++) {
    if (table.numbers[id] !== 0 && wanted(table.numbers[id], id)) ids.push(id);
  }
  return ids;
}

export interface RecordKey {
  readonly number: number;
  readonly type: KeyType;
  readonly slot: number;
  readonly key: Buffer;
}

/** Keys of the records that a block's image names. */
export function recordKeys(id: number, { side, life }: RecordNumbers): RecordKey[] {
  const keys: RecordKey[] = [];
  const add = (type: KeyType, numbers: Uint32Array) =>
    numbers.forEach((number, slot) => {
      if (number !== 0) keys.push({ number, type, slot, key: numberedKey(number, type, id, slot) });
    });
  add(KeyType.side, side);
  add(KeyType.life, life);
  return keys;
}

/** The rows that a snapshot needs: eight bytes per asset, so that keys can be asked for in any order. */
export class NamedRows {
  readonly #table: BlockTable;
  readonly #records = new Map<number, RecordNumbers>();

  private constructor(table: BlockTable) {
    this.#table = table;
  }

  /** Reads and checks every image of the snapshot. Throws GridfoldError `block_corrupt`. */
  static async of(snapshot: StoredSnapshot): Promise<NamedRows> {
    const named = new NamedRows(snapshot.table);
    for await (const blocks of readBlocks(snapshot, blocksOf(snapshot.table))) {
      for (const { id, numbers } of blocks) named.#records.set(id, numbers);
    }
    return named;
  }

  has(key: Buffer): boolean {
    const segment = segmentPlaceOf(key);
    if (segment !== null) return segment.position < this.#table.windowEnds[segment.block];
    const place = placeOf(key);
    if (place === null) return false;
    const { number, type, block, slot } = place;
    if (type === KeyType.image) return this.#table.numbers[block] === number;
    const records = this.#records.get(block);
    return (type === KeyType.side ? records?.side : records?.life)?.[slot] === number;
  }
}
