import type { Builder, Offset } from 'flatbuffers';

/** Types of a table's cells; offsets lead to what was written before. */
export const UBYTE = 1;
export const BOOL = 2;
export const LONG = 3;
export const DOUBLE = 4;
export const OFFSET = 5;

export interface Cell {
  readonly id: number;
  readonly type: number;
  readonly value: number;
}

/** Writes a table of so many ids; null cells are absent. The largest values come first, so that no space is lost. */
export function writeTable(out: Builder, size: number, cells: readonly (Cell | null)[]): Offset {
  out.startObject(size);
  const present = cells.filter((cell) => cell !== null);
  for (const { id, type, value } of present.sort((a, b) => widthOf(b.type) - widthOf(a.type))) {
    if (type === LONG) out.addInt64(BigInt(value));
    else if (type === DOUBLE) out.addFloat64(value);
    else if (type === OFFSET) out.addOffset(value);
    else out.addInt8(value);
    out.slot(id);
  }
  return out.endObject();
}

const widthOf = (type: number) => (type === LONG || type === DOUBLE ? 8 : type === OFFSET ? 4 : 1);

/** Writes a vector of texts or tables. */
export function writeOffsets(out: Builder, offsets: readonly Offset[]): Offset {
  out.startVector(4, offsets.length, 4);
  for (const offset of [...offsets].reverse()) out.addOffset(offset);
  return out.endVector();
}

/** A table of texts only, with ids from 0 on. */
export function writeTexts(out: Builder, texts: readonly (string | null)[]): Offset {
  const cells = texts.map((text, id): Cell | null =>
    text === null ? null : { id, type: OFFSET, value: out.createString(text) },
  );
  return writeTable(out, texts.length, cells);
}
