import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { Block } from './block.ts';
import type { Database } from './directory.ts';
import { decodeImage, imageMatches } from './image.ts';
import { KeyType, numberedKey, placeOf, segmentPlaceOf } from './keys.ts';
import type { BlockTable } from './manifest.ts';
import type { StateSchema } from './schema.ts';

const IMAGES_AT_ONCE = 32;

/** Where a snapshot lies: the database that holds its rows, and what its manifest says of the blocks. */
export interface StoredSnapshot {
  readonly db: Database;
  readonly table: BlockTable;
  readonly schemas: readonly StateSchema[];
  readonly blocksPerKind: number;
}

export interface ReadBlock {
  readonly id: number;
  readonly key: Buffer;
  readonly image: Buffer;
  readonly block: Block;
}

/** Reads blocks of the snapshot, some at a time, and checks them. Throws GridfoldError `block_corrupt`. */
export async function* readBlocks(
  { db, table, schemas, blocksPerKind }: StoredSnapshot,
  ids: readonly number[],
): AsyncGenerator<ReadBlock[]> {
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
      const block = decodeImage(image, id, schemas[Math.floor(id / blocksPerKind)], () => {});
      return { id, key: keys[i], image, block };
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

/** The rows that a snapshot needs: eight bytes per asset, so that keys can be asked for in any order. */
export class NamedRows {
  readonly #table: BlockTable;
  readonly #records = new Map<number, { readonly side: Uint32Array; readonly life: Uint32Array }>();
  /** Side records and lifecycle lists among them. */
  records = 0;

  private constructor(table: BlockTable) {
    this.#table = table;
  }

  /** Reads and checks every image of the snapshot. Throws GridfoldError `block_corrupt`. */
  static async of(snapshot: StoredSnapshot): Promise<NamedRows> {
    const named = new NamedRows(snapshot.table);
    for await (const blocks of readBlocks(snapshot, blocksOf(snapshot.table))) {
      for (const { block } of blocks) named.#add(block);
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

  #add(block: Block): void {
    const numbers = (column: string) => {
      const c = block.schema.index(column);
      return Uint32Array.from({ length: block.count }, (_, slot) => block.get(c, slot));
    };
    const [side, life] = [numbers('sideSnapshot'), numbers('lifeSnapshot')];
    for (const list of [side, life]) for (const number of list) if (number !== 0) this.records += 1;
    this.#records.set(block.id, { side, life });
  }
}
