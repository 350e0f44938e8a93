import { asciiText } from './ascii.ts';

/** Powers of ten that a double holds exactly. */
const POWERS = new Float64Array(23);
for (let k = 0; k < 23; k++) POWERS[k] = 10 ** k;

/** As they look by that distance. */
const DOT = 0x2e ^ 0x30;
const SMALL_E = 0x65 ^ 0x30;
const LARGE_E = 0x45 ^ 0x30;

const isDigit = (c: number) => c >= 0x30 && c <= 0x39;

/**
 * Reads the JSON number at `at` into `out[slot]` and returns the position behind it; -1 when there is none. A negative
 * zero becomes 0. Otherwise the same double as JSON.parse: below 2^53 the mantissa is exact and one division by an exact
 * power of ten rounds correctly; anything longer, or with an exponent, goes through Number(). Somewhere behind the
 * number there must be a byte that is not part of one.
 */
export function readNumber(bytes: Uint8Array, at: number, out: Float64Array, slot: number): number {
  let p = at;
  if (bytes[p] === 0x2d) p++;
  const first = p;
  const stop = p + 9; // so many digits fit a 32-bit integer
  let mantissa = 0;
  // A byte is a digit where its distance from '0', by XOR, is at most 9.
  let d = bytes[p] ^ 0x30;
  for (; d <= 9 && p < stop; d = bytes[++p] ^ 0x30) mantissa = (Math.imul(mantissa, 10) + d) | 0;
  if (p === first || (bytes[first] === 0x30 && p > first + 1)) return -1;
  let places = 0;
  if (d === DOT && p < stop) {
    const dot = p;
    d = bytes[++p] ^ 0x30;
    for (; d <= 9 && p <= stop; d = bytes[++p] ^ 0x30) mantissa = (Math.imul(mantissa, 10) + d) | 0;
    places = p - dot - 1;
    if (places === 0) return -1;
  }
  if (d <= 9 || d === DOT || d === SMALL_E || d === LARGE_E) return readMore(bytes, at, p, mantissa, places, out, slot);
  const value = places === 0 ? mantissa : mantissa / POWERS[places];
  out[slot] = bytes[at] === 0x2d ? 0 - value : value;
  return p;
}

/** Goes on at `p` with digits 10 to 22 of a number, the first nine being in `mantissa`. */
function readMore(
  bytes: Uint8Array,
  at: number,
  p: number,
  mantissa: number,
  places: number,
  out: Float64Array,
  slot: number,
): number {
  let q = p;
  let c = bytes[q];
  let m = mantissa;
  for (const stop = p + 13; q < stop && isDigit(c); c = bytes[++q]) m = m * 10 + (c - 0x30);
  let k = places === 0 ? 0 : places + q - p;
  if (c === 0x2e && places === 0) {
    const dot = q;
    const stop = p + 14;
    c = bytes[++q];
    for (; q < stop && isDigit(c); c = bytes[++q]) m = m * 10 + (c - 0x30);
    k = q - dot - 1;
    if (k === 0) return readLong(bytes, at, out, slot);
  }
  if (m >= 2 ** 53 || isDigit(c) || c === 0x65 || c === 0x45) return readLong(bytes, at, out, slot);
  const value = k === 0 ? m : m / POWERS[k];
  out[slot] = bytes[at] === 0x2d ? 0 - value : value;
  return q;
}

/** Any JSON number: the grammar is walked, the value comes from Number(). */
function readLong(bytes: Uint8Array, at: number, out: Float64Array, slot: number): number {
  let p = bytes[at] === 0x2d ? at + 1 : at;
  if (!isDigit(bytes[p]) || (bytes[p] === 0x30 && isDigit(bytes[p + 1]))) return -1;
  while (isDigit(bytes[p])) p++;
  if (bytes[p] === 0x2e) {
    if (!isDigit(bytes[++p])) return -1;
    while (isDigit(bytes[p])) p++;
  }
  if (bytes[p] === 0x65 || bytes[p] === 0x45) {
    p++;
    if (bytes[p] === 0x2b || bytes[p] === 0x2d) p++;
    if (!isDigit(bytes[p])) return -1;
    while (isDigit(bytes[p])) p++;
  }
  out[slot] = Number(asciiText(bytes, at, p)) + 0;
  return p;
}

/** A decimal number, or its text as OCPP sends it; null for anything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const isNumeric = typeof value === 'string' && value.length <= MAX_NUMBER_CHARS && NUMERIC_TEXT.test(value);
  return isNumeric ? Number(value) : null;
}

const NUMERIC_TEXT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const MAX_NUMBER_CHARS = 32;
