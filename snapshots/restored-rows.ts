import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { WindowCursor } from './block.ts';
import { decodeImage, imageMatches } from './image.ts';
import { type RecordNumbers, recordNumbers, windowOf } from './image-table.ts';
import { KeyType, numberedKey, placeOf } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { blocksOf, recordKeys } from './named.ts';
import { recordMatches } from './record.ts';
import type { StateRow } from './mirrored.ts';
import type { StateSchema } from './schema.ts';

/**
 * Checks the rows of a mirrored snapshot while they pass, so that nothing of it is read twice: every image is whole,
 * and every record that an image names is there. Rows of a snapshot that never became whole may stand among them, and
 * of a key the last row counts.
 */
export class RestoredRows {
  readonly #manifest: Manifest;
  readonly #schemas: readonly StateSchema[];
  readonly #blocksPerKind: number;
  /** What the image of a block names; null where it is not there, or not whole. */
  readonly #images: (RecordNumbers | null)[];
  /** Records that came, by block: slot, type and snapshot number in one. */
  readonly #records = new Map<number, Set<number>>();
  readonly #readable = new Set<StateSchema>();
  /** Where the window of each block that came stands. */
  readonly windows = new Map<number, WindowCursor>();

  constructor(manifest: Manifest, schemas: readonly StateSchema[]) {
    this.#manifest = manifest;
    this.#schemas = schemas;
    this.#images = new Array<RecordNumbers | null>(manifest.table.numbers.length).fill(null);
    this.#blocksPerKind = this.#images.length / schemas.length;
  }

  /** Whether the snapshot can need the row. Throws GridfoldError `mirror_damaged`. */
  takes(row: StateRow): boolean {
    const { number, table } = this.#manifest;
    const place = placeOf(row.key);
    if (place === null || place.number > number) return false;
    if (place.type !== KeyType.image) return this.#takesRecord(row, place);
    if (table.numbers[place.block] !== place.number) return false;
    const isWhole = row.value !== null && imageMatches(row.value, table.crcs[place.block]);
    if (isWhole) this.#refuseUnreadable(row.value, place.block);
    this.#images[place.block] = isWhole ? recordNumbers(row.value) : null;
    if (isWhole) this.windows.set(place.block, windowOf(row.value));
    return true;
  }

  /** To be called behind the last row. Returns keys of records that no image names. Throws GridfoldError `mirror_damaged`. */
  finish(): Buffer[] {
    const { number, table } = this.#manifest;
    const unnamed: Buffer[] = [];
    for (const id of blocksOf(table)) {
      const image = this.#images[id];
      if (image === null) throw damaged(number, `block ${id} is missing or damaged`);
      const came = this.#records.get(id);
      for (const { number: of, type, slot } of recordKeys(id, image)) {
        if (came?.delete(pack(slot, type, of)) !== true) throw damaged(number, `a record of block ${id} is missing`);
      }
    }
    for (const [id, left] of this.#records) for (const packed of left) unnamed.push(unpack(id, packed));
    return unnamed;
  }

  #takesRecord({ key, value }: StateRow, { block, slot, type, number }: Place): boolean {
    let came = this.#records.get(block);
    if (came === undefined) this.#records.set(block, (came = new Set()));
    if (value === null) came.delete(pack(slot, type, number));
    else if (recordMatches(key, value)) came.add(pack(slot, type, number));
    else throw damaged(this.#manifest.number, `a record of block ${block}`);
    return true;
  }

  /** One image of each kind shows whether this release reads that kind's state. */
  #refuseUnreadable(image: Buffer, id: number): void {
    const schema = this.#schemas[Math.floor(id / this.#blocksPerKind)];
    if (this.#readable.has(schema)) return;
    try {
      decodeImage(image, id, schema, () => {});
    } catch (cause) {
      throw damaged(this.#manifest.number, String(cause), { cause });
    }
    this.#readable.add(schema);
  }
}

type Place = NonNullable<ReturnType<typeof placeOf>>;

const SLOTS = 65_536;
const TYPES = 4;

function pack(slot: number, type: number, number: number): number {
  return (number * TYPES + type) * SLOTS + slot;
}

function unpack(block: number, packed: number): Buffer {
  const slot = packed % SLOTS;
  const rest = (packed - slot) / SLOTS;
  const type = rest % TYPES;
  return numberedKey((rest - type) / TYPES, type as KeyType, block, slot);
}

export function damaged(number: number, what: string, options?: ErrorOptions): GridfoldError {
  return new GridfoldError('mirror_damaged', 'retry', `snapshot ${number} in the log cannot be used: ${what}`, options);
}
