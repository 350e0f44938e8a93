import type { WindowCursor } from './block.ts';
import type { ColumnType } from './schema.ts';

/** What stands before the schema's name in an image; see image.ts. */
export const HEAD = 64;
export const TYPES: readonly ColumnType[] = ['f64', 'u32', 'u8'];
export const WIDTHS = [8, 4, 1];

/** A column as an image stores it; `place` is where its value begins in a row, in bytes. */
export interface TableEntry {
  readonly name: string;
  readonly type: number;
  readonly place: number;
}

export interface ImageTable {
  /** In the order of a row. */
  readonly entries: readonly TableEntry[];
  /** Bytes of a row. */
  readonly stride: number;
  /** Where the table ends in the image, and the ends of the serials begin. */
  readonly end: number;
}

export function readTable(image: Buffer): ImageTable {
  const columns = image.readUInt16LE(6);
  const entries: TableEntry[] = [];
  let at = HEAD + image.readUInt32LE(24);
  let place = 0;
  for (let i = 0; i < columns; i++) {
    const type = image[at];
    const end = at + 2 + image[at + 1];
    entries.push({ type, name: image.toString('latin1', at + 2, end), place });
    place += WIDTHS[type];
    at = end;
  }
  return { entries, stride: (place + 7) & ~7, end: at };
}

/** Images of a lower format lead to windows of which the entries were written in another way. */
export const WINDOW_FORMAT = 2;

/** Where the block's window stood; see window.ts. Of one that cannot be read no more than where it ended. */
export function windowOf(image: Buffer): WindowCursor {
  const [end, chunk, last] = [32, 40, 48].map((at) => image.readDoubleLE(at));
  if (image.readUInt16LE(4) < WINDOW_FORMAT) return { end, chunk: end, last: -1, lastCrc: 0 };
  return { end, chunk, last, lastCrc: image.readUInt32LE(28) };
}

/** By slot, the snapshots under which the records of a block's assets stand, 0 for none; empty where no asset has one. */
export interface RecordNumbers {
  readonly side: Uint32Array;
  readonly life: Uint32Array;
}

const NONE = new Uint32Array(0);

/** Taken from an image that is whole, without making a block of it: that costs ten times as much. */
export function recordNumbers(image: Buffer): RecordNumbers {
  const { entries, stride, end } = readTable(image);
  const count = image.readUInt32LE(12);
  const rows = end + count * 4 + image.readUInt32LE(16);
  const numbers = (name: string) => {
    const column = entries.find((entry) => entry.name === name);
    if (column === undefined) return NONE;
    return Uint32Array.from({ length: count }, (_, slot) => image.readUInt32LE(rows + slot * stride + column.place));
  };
  return { side: numbers('sideSnapshot'), life: numbers('lifeSnapshot') };
}
