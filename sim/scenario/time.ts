import { parseTimestamp } from '../time.ts';
import { Misreading } from './script.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION = /^(\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const RELATIVE = /^([+-])(\S+)$/;
const CLOCK = /^(\d\d):(\d\d)(?::(\d\d))?(?:\+(\d+)d)?$/;

/** `90s`, `1h30m`, `2d` in milliseconds. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) throw new Misreading(`"${text}" is no duration: write 90s, 10m, 1h30m or 2d`);
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) ms += Number(amount) * UNIT_MS[unit];
  return Math.round(ms);
}

/** What times of a scenario are relative to. */
export interface Start {
  readonly ms: number;
  /** Milliseconds that the zone it was written in is ahead of UTC. */
  readonly offsetMs: number;
}

/** The absolute time with which a scenario starts; its offset is the one that `HH:MM` means. */
export function parseStart(text: string): Start {
  const time = parseTimestamp(text);
  if (time === null || !time.hasOffset) {
    throw new Misreading(`"${text}" is no absolute time: write 2019-09-01T10:00+02:00 or 2019-09-01T08:00Z`);
  }
  return {
    ms: time.ms,
    offsetMs: Date.parse(`${text.slice(0, 16)}Z`) - Date.parse(`${text.slice(0, 16)}${zoneOf(text)}`),
  };
}

function zoneOf(text: string): string {
  return /(Z|[+-]\d\d:?\d\d)$/i.exec(text)?.[0] ?? 'Z';
}

export function looksLikeTime(text: string): boolean {
  return /^[+-]\d/.test(text) || /^\d\d:\d\d/.test(text) || /^\d{4}-\d\d-\d\d/.test(text);
}

/** `+5m` after the start, `07:30` on its day (`07:30+1d` a day later), or an absolute time; epoch milliseconds. */
export function parseTime(text: string, start: Start): number {
  const relative = RELATIVE.exec(text);
  if (relative !== null) {
    const distance = /^0\w?$/.test(relative[2]) ? 0 : parseDuration(relative[2]);
    return start.ms + (relative[1] === '-' ? -distance : distance);
  }
  const clock = CLOCK.exec(text);
  if (clock !== null) {
    const [, hours, minutes, seconds, days] = clock;
    const midnight = Math.floor((start.ms + start.offsetMs) / UNIT_MS.d) * UNIT_MS.d - start.offsetMs;
    const ofDay = (Number(hours) * 60 + Number(minutes)) * UNIT_MS.m + Number(seconds ?? 0) * UNIT_MS.s;
    return midnight + ofDay + Number(days ?? 0) * UNIT_MS.d;
  }
  const absolute = parseTimestamp(text);
  if (absolute?.hasOffset === true) return absolute.ms;
  throw new Misreading(`"${text}" is no time: write +5m, 07:30, 07:30+1d or 2019-09-01T10:00+02:00`);
}

/** A time as people compare it with what they wrote: distance from the start, and the absolute time. */
export function describeTime(ms: number, startMs: number): string {
  let rest = Math.abs(ms - startMs);
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const amount = Math.floor(rest / UNIT_MS[unit]);
    rest -= amount * UNIT_MS[unit];
    if (amount > 0) text += `${amount}${unit}`;
  }
  return `${ms < startMs ? '-' : '+'}${text === '' ? '0m' : text}`;
}
