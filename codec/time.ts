/** Earliest and latest instant a device can have measured at: 2000-01-01 up to (exclusive) 2101-01-01, epoch ms. */
export const TIME_MIN = 946684800000;
export const TIME_END = 4133980800000;

/** What `readTime` answers for 0001-01-01T00:00:00Z, the upstream's way of writing "none". */
export const TIME_ABSENT = Number.NEGATIVE_INFINITY;

const DAYS = new Uint8Array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);

/** Days since 1970-01-01 of a Gregorian date; the year is counted from March, so that the leap day comes last. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const leaps = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leaps + Math.floor((m * 153 + 2) / 5) + day - 719469;
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Two digits as a number; at least 100 when one of them is no digit. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - 0x30;
  const ones = bytes[at + 1] - 0x30;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? 100 : tens * 10 + ones;
}

/** Epoch ms that the minute in `YYYY-MM-DDTHH:MM` at `start` would have in UTC; NaN when it is none. */
function readMinute(bytes: Uint8Array, start: number): number {
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d || (bytes[start + 10] | 0x20) !== 0x74) return NaN;
  if (bytes[start + 13] !== 0x3a) return NaN;
  const century = two(bytes, start);
  const yearOf = two(bytes, start + 2);
  const month = two(bytes, start + 5);
  const day = two(bytes, start + 8);
  const hour = two(bytes, start + 11);
  const minute = two(bytes, start + 14);
  if (century > 99 || yearOf > 99 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59) return NaN;
  const year = century * 100 + yearOf;
  if (day > DAYS[month] && !(month === 2 && day === 29 && isLeap(year))) return NaN;
  return dayNumber(year, month, day) * 86400000 + (hour * 60 + minute) * 60000;
}

/** Seconds, fraction and offset from `at` on; `minute` is what `readMinute` found before them. */
function readRest(bytes: Uint8Array, at: number, end: number, minute: number): number {
  const second = two(bytes, at + 1);
  if (bytes[at] !== 0x3a || second > 59) return NaN;
  let p = at + 3;
  let ms = second * 1000;
  if (bytes[p] === 0x2e) {
    const first = ++p;
    for (let unit = 100; p < end && bytes[p] >= 0x30 && bytes[p] <= 0x39; p++) {
      ms += (bytes[p] - 0x30) * unit;
      unit = (unit / 10) | 0;
    }
    if (p === first) return NaN;
  }
  if (p >= end) return NaN;
  const sign = bytes[p];
  if ((sign | 0x20) === 0x7a) return p + 1 === end ? orAbsent(minute + ms) : NaN;
  if ((sign !== 0x2b && sign !== 0x2d) || p + 6 !== end || bytes[p + 3] !== 0x3a) return NaN;
  const hours = two(bytes, p + 1);
  const minutes = two(bytes, p + 4);
  if (hours > 23 || minutes > 59) return NaN;
  const offset = (hours * 60 + minutes) * 60000;
  return sign === 0x2d ? minute + ms + offset : minute + ms - offset;
}

/** 0001-01-01T00:00:00Z in epoch ms. */
export const ZERO_TIME = -62135596800000;

const orAbsent = (ms: number) => (ms === ZERO_TIME ? TIME_ABSENT : ms);

const MIN_LENGTH = 20;

/**
 * Epoch ms of an RFC 3339 time with offset in bytes [start, end): NaN when it is none (calendar included; a leap second
 * is none), TIME_ABSENT for the upstream's zero time. What is finer than a millisecond is cut off. No range is enforced.
 */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  return end - start < MIN_LENGTH ? NaN : readRest(bytes, start + 16, end, readMinute(bytes, start));
}

/** `readTime` for a stream of records: most have the minute of the one before. */
export class TimeReader {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 0;
  private minute = Number.NaN;

  /** `view` is over the same memory as `bytes`. */
  read(view: DataView, bytes: Uint8Array, start: number, end: number): number {
    if (end - start < MIN_LENGTH) return NaN;
    const a = view.getInt32(start, true);
    const b = view.getInt32(start + 4, true);
    const c = view.getInt32(start + 8, true);
    const d = view.getInt32(start + 12, true);
    if (d !== this.d || c !== this.c || b !== this.b || a !== this.a) {
      this.a = a;
      this.b = b;
      this.c = c;
      this.d = d;
      this.minute = readMinute(bytes, start);
    }
    return readRest(bytes, start + 16, end, this.minute);
  }
}

const scratch = new Uint8Array(64);

/** `readTime` of a string. */
export function parseTime(text: string): number {
  if (text.length > scratch.length) return NaN;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7e) return NaN;
    scratch[i] = c;
  }
  return readTime(scratch, 0, text.length);
}

/** An instant given as RFC 3339 text or as whole epoch ms; NaN when it is neither, or outside [min, TIME_END). */
export function instantOf(value: unknown, min = TIME_MIN): number {
  const ms =
    typeof value === 'string'
      ? parseTime(value)
      : typeof value === 'number' && Number.isInteger(value)
        ? orAbsent(value)
        : NaN;
  return ms === TIME_ABSENT || (ms >= min && ms < TIME_END) ? ms : NaN;
}
