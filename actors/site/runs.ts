import { type Row, rowsBetween } from './series.ts';
import { MINUTE_MS, type PlaceSide, type Said } from './state.ts';

/** Minutes with a row, one after the other, that show the same value. */
export interface Run {
  readonly value: number;
  readonly fromTime: number;
  /** Start of the minute that showed something else; null while the value lasts. */
  readonly toTime: number | null;
  readonly marks: readonly Row[];
  /** What was said of the run when it began, where the marks of that time are forgotten. */
  readonly before: Said | null;
}

/** Runs of equal values over the marks of a place; the first goes on from the fact of that type that lasts there and `shows` the same. */
export function runsOf(
  side: PlaceSide,
  type: string,
  value: (rows: readonly number[], at: number) => number,
  shows: (said: Said, value: number) => boolean,
): Run[] {
  const runs: { value: number; fromTime: number; toTime: number | null; marks: Row[]; before: Said | null }[] = [];
  for (const row of rowsBetween(side.marks, 0, Infinity)) {
    const now = value(row.rows, row.at);
    const time = row.rows[row.at] * MINUTE_MS;
    const last = runs.at(-1);
    if (last !== undefined && last.value === now) {
      last.marks.push(row);
      continue;
    }
    if (last !== undefined) last.toTime = time;
    const said = last === undefined ? lasting(side, type, time) : null;
    const before = said !== null && shows(said, now) ? said : null;
    runs.push({ value: now, fromTime: before?.eventTime ?? time, toTime: null, marks: [row], before });
  }
  return runs;
}

/** A fact that began before the floor and lasts at the first mark after it. */
function lasting(side: PlaceSide, type: string, time: number): Said | null {
  const began = (fact: Said) => fact.eventTime < side.floor * MINUTE_MS && (fact.until === null || fact.until >= time);
  return side.said.find((fact) => fact.type === type && began(fact)) ?? null;
}
