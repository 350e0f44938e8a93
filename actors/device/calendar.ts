import { localDay } from './zone.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No zone is further from UTC. */
const FURTHEST_MS = 15 * HOUR_MS;
const MAX_KEPT = 4096;

const starts = new Map<string, number>();

/** First instant of a local day, epoch ms; days are counted as in {@link localDay}. A day begins on a full minute. */
export function dayStart(zone: string, day: number): number {
  if (zone === 'UTC') return day * DAY_MS;
  const key = `${zone}/${day}`;
  const known = starts.get(key);
  if (known !== undefined) return known;
  let before = day * DAY_MS - FURTHEST_MS;
  let start = day * DAY_MS + FURTHEST_MS;
  while (start - before > 60_000) {
    const middle = before + Math.floor((start - before) / 120_000) * 60_000;
    if (localDay(zone, middle) < day) before = middle;
    else start = middle;
  }
  if (starts.size >= MAX_KEPT) starts.clear();
  starts.set(key, start);
  return start;
}

/** A local day as people write it, for instance 2022-07-08. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Number of the month that a local day is in, counted from January 1970. */
export function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** Local day with which a month begins. */
export function monthStart(month: number): number {
  return Date.UTC(1970, month, 1) / DAY_MS;
}
