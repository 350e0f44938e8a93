import type { DerivedData, DerivedType, Facts } from '../../runtime/shard/derived.ts';
import { type Chunk, put, remove, rowAt, rowsIn, type Series, without, withRows } from './series.ts';
import type { PlaceSide, Rows } from './state.ts';

/** A table whose rows are a function of the state of the actor. */
export interface Table {
  readonly type: DerivedType;
  readonly lengthMs: number;
  exists(side: PlaceSide, place: number): boolean;
  data(side: PlaceSide, place: number): DerivedData;
  /** Data that say which row it is: what a row that is taken back still tells. */
  name(start: number): DerivedData;
  key(serial: string, start: number): string;
}

/** Every row from `from` to `to`, both included, is to be said anew. */
export function doubt(rows: Rows, from: number, to: number): Rows {
  const known = flag(rows.known, from, to, 0);
  return known === rows.known ? rows : { known, waitsFrom: Math.min(rows.waitsFrom, from) };
}

/** The row at `place` exists or not, as the state now says: a new one waits, one that is no more is taken back. */
export function settle(rows: Rows, table: Table, side: PlaceSide, place: number, serial: string, out: Facts): Rows {
  const exists = table.exists(side, place);
  if ((rowAt(rows.known, place) !== null) === exists) return rows;
  if (exists) return { known: put(rows.known, [place, 0], 0), waitsFrom: Math.min(rows.waitsFrom, place) };
  const start = place * table.lengthMs;
  out.retract(table.type, table.key(serial, start), start, table.name(start));
  return { ...rows, known: remove(rows.known, place) };
}

/** Says the waiting rows before `end`. */
export function sayWaiting(rows: Rows, table: Table, side: PlaceSide, end: number, serial: string, out: Facts): Rows {
  if (rows.waitsFrom >= end) return rows;
  for (const place of waiting(rows, end)) sayRow(table, side, place, serial, out);
  const known = flag(rows.known, rows.waitsFrom, end - 1, 1);
  const [next] = waiting({ known, waitsFrom: end }, Number.POSITIVE_INFINITY);
  return { known, waitsFrom: next ?? Number.POSITIVE_INFINITY };
}

/** States the waiting rows as they stand now. */
export function openWaiting(rows: Rows, table: Table, side: PlaceSide, serial: string, out: Facts): void {
  for (const place of waiting(rows, Number.POSITIVE_INFINITY)) sayRow(table, side, place, serial, out);
}

/** Without the rows that lie in chunks before `place`. */
export function forget(rows: Rows, place: number): Rows {
  return { known: without(rows.known, place, null), waitsFrom: Math.max(rows.waitsFrom, place) };
}

function sayRow(table: Table, side: PlaceSide, place: number, serial: string, out: Facts): void {
  const start = place * table.lengthMs;
  out.emit(table.type, table.key(serial, start), start, table.data(side, place));
}

function waiting({ known, waitsFrom }: Rows, end: number): number[] {
  const places: number[] = [];
  for (const chunk of chunksWithin(known, waitsFrom, end)) {
    const rows = rowsIn(chunk, known.width);
    for (let at = 0; at < rows.length; at += 2) {
      if (rows[at] >= waitsFrom && rows[at] < end && rows[at + 1] === 0) places.push(rows[at]);
    }
  }
  return places;
}

function chunksWithin({ chunks, span }: Series, from: number, end: number): readonly Chunk[] {
  let first = chunks.length;
  while (first > 0 && chunks[first - 1].from + span > from) first--;
  let last = first;
  while (last < chunks.length && chunks[last].from < end) last++;
  return chunks.slice(first, last);
}

/** Sets the flag of every row from `from` to `to`, both included. */
function flag(known: Series, from: number, to: number, value: number): Series {
  let changed = known;
  for (let c = known.chunks.length - 1; c >= 0 && known.chunks[c].from + known.span > from; c--) {
    if (known.chunks[c].from > to) continue;
    const rows = rowsIn(known.chunks[c], known.width);
    let copy: number[] | null = null;
    for (let at = 0; at < rows.length; at += 2) {
      if (rows[at] < from || rows[at] > to || rows[at + 1] === value) continue;
      copy ??= rows.slice();
      copy[at + 1] = value;
    }
    if (copy !== null) changed = { ...known, chunks: withRows(changed, c, copy, known.chunks[c].arrivedAt) };
  }
  return changed;
}
