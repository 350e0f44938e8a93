import { packRows, unpackRows } from './packing.ts';

/**
 * Rows of numbers in order of a whole number (a minute, a quarter of an hour), kept in chunks so that a change copies
 * little; all but the last chunk are packed. Everything is immutable, since a snapshot may still be writing what is replaced.
 */
export interface Series {
  /** Numbers per row; the first is its place in the order. */
  readonly width: number;
  /** Places per chunk. */
  readonly span: number;
  readonly chunks: readonly Chunk[];
}

export interface Chunk {
  readonly from: number;
  /** When its newest row arrived, epoch milliseconds. */
  readonly arrivedAt: number;
  /** Number of rows. */
  readonly count: number;
  /** Row by row, or packed. */
  readonly rows: readonly number[] | Uint8Array;
}

/** So many chunks at the end are not packed: most of what comes is about now. */
const PLAIN_CHUNKS = 1;

/** A row where it lies: `rows[at]` is its place, what follows are its values. */
export interface Row {
  readonly rows: readonly number[];
  readonly at: number;
}

export function series(width: number, span: number): Series {
  return { width, span, chunks: [] };
}

/** The rows of a chunk as numbers. */
export function rowsIn({ rows }: Chunk, width: number): readonly number[] {
  return rows instanceof Uint8Array ? unpackRows(rows, width) : rows;
}

/** The same chunks with these rows in one of them. */
export function withRows({ chunks, width }: Series, c: number, rows: readonly number[], arrivedAt: number): Chunk[] {
  const copy = chunks.slice();
  const plain = c >= chunks.length - PLAIN_CHUNKS;
  copy[c] = { from: chunks[c].from, arrivedAt, count: rows.length / width, rows: plain ? rows : packRows(rows, width) };
  return copy;
}

/** Index of the last chunk that begins at `place` or before; -1 where all begin later. */
function chunkBefore({ chunks }: Series, place: number): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (chunks[middle].from <= place) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Number of rows of a chunk before `place`. */
function rowsBefore(rows: readonly number[], width: number, place: number): number {
  let low = 0;
  let high = rows.length / width;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle * width] < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function rowAt(of: Series, place: number): Row | null {
  const c = chunkBefore(of, place);
  if (c < 0) return null;
  const rows = rowsIn(of.chunks[c], of.width);
  const at = rowsBefore(rows, of.width, place) * of.width;
  return at < rows.length && rows[at] === place ? { rows, at } : null;
}

/** Puts a row at its place, or in place of the one there. */
export function put(of: Series, row: readonly number[], arrivedAt: number): Series {
  const { width, span } = of;
  const from = row[0] - (row[0] % span);
  const c = chunkBefore(of, from);
  const old = c >= 0 && of.chunks[c].from === from ? of.chunks[c] : null;
  if (old === null) {
    const chunks = of.chunks.slice();
    chunks.splice(c + 1, 0, { from, arrivedAt, count: 1, rows: row.slice() });
    return { width, span, chunks: packed(chunks, width, c + 1) };
  }
  const rows = rowsIn(old, width).slice();
  const at = rowsBefore(rows, width, row[0]) * width;
  rows.splice(at, at < rows.length && rows[at] === row[0] ? width : 0, ...row);
  return { width, span, chunks: withRows(of, c, rows, Math.max(old.arrivedAt, arrivedAt)) };
}

/** Packs what a new chunk pushed out of the last ones, or the new one itself where it lies before them. */
function packed(chunks: Chunk[], width: number, added: number): Chunk[] {
  const last = chunks.length - 1 - PLAIN_CHUNKS;
  const c = Math.min(added, last);
  if (c < 0) return chunks;
  const { rows } = chunks[c];
  if (!(rows instanceof Uint8Array)) chunks[c] = { ...chunks[c], rows: packRows(rows, width) };
  return chunks;
}

export function remove(of: Series, place: number): Series {
  const c = chunkBefore(of, place);
  const found = rowAt(of, place);
  if (found === null) return of;
  const rows = found.rows.slice();
  rows.splice(found.at, of.width);
  if (rows.length > 0) return { ...of, chunks: withRows(of, c, rows, of.chunks[c].arrivedAt) };
  return { ...of, chunks: of.chunks.filter((_, i) => i !== c) };
}

/** The last row at `place` or before that `accepts`; null where there is none. */
export function lastAt(
  of: Series,
  place: number,
  accepts: (rows: readonly number[], at: number) => boolean,
): Row | null {
  const { width, chunks } = of;
  for (let c = chunkBefore(of, place); c >= 0; c--) {
    const rows = rowsIn(chunks[c], width);
    for (let at = (rowsBefore(rows, width, place + 1) - 1) * width; at >= 0; at -= width) {
      if (accepts(rows, at)) return { rows, at };
    }
  }
  return null;
}

/** The first row at `place` or after that `accepts`; null where there is none. */
export function firstAt(
  of: Series,
  place: number,
  accepts: (rows: readonly number[], at: number) => boolean,
): Row | null {
  const { width, chunks } = of;
  for (let c = Math.max(0, chunkBefore(of, place)); c < chunks.length; c++) {
    const rows = rowsIn(chunks[c], width);
    for (let at = rowsBefore(rows, width, place) * width; at < rows.length; at += width) {
      if (accepts(rows, at)) return { rows, at };
    }
  }
  return null;
}

/** Every row from `from` to `to`, both included, in order. */
export function* rowsBetween(of: Series, from: number, to: number): Generator<Row> {
  const { width, chunks } = of;
  for (let c = Math.max(0, chunkBefore(of, from)); c < chunks.length && chunks[c].from <= to; c++) {
    const rows = rowsIn(chunks[c], width);
    for (let at = rowsBefore(rows, width, from) * width; at < rows.length && rows[at] <= to; at += width) {
      yield { rows, at };
    }
  }
}

export function rowCount({ chunks }: Series): number {
  return chunks.reduce((sum, { count }) => sum + count, 0);
}

/** Without the chunks that end at `place` or before; their last row that `keeps` stays, for who asks what was before. */
export function without(
  of: Series,
  place: number,
  keeps: ((rows: readonly number[], at: number) => boolean) | null,
): Series {
  const first = of.chunks.findIndex(({ from }) => from + of.span > place);
  const gone = first < 0 ? of.chunks : of.chunks.slice(0, first);
  if (gone.length === 0) return of;
  const kept = first < 0 ? [] : of.chunks.slice(first);
  const last = keeps === null ? null : lastAt({ ...of, chunks: gone }, Number.MAX_SAFE_INTEGER, keeps);
  if (last === null) return { ...of, chunks: kept };
  const rows = last.rows.slice(last.at, last.at + of.width);
  return { ...of, chunks: [{ from: rows[0] - (rows[0] % of.span), arrivedAt: 0, count: 1, rows }, ...kept] };
}
