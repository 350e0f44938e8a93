import { asciiText } from './ascii.ts';

const POWERS = new Float64Array(16);
for (let k = 0; k < 16; k++) POWERS[k] = 10 ** k;

const isDigit = (c: number) => c >= 0x30 && c <= 0x39;

/**
 * Reads the JSON number at `at` into `out[slot]` and returns the position behind it; -1 when there is none.
 * The same double as JSON.parse: up to 15 digits the mantissa is exact and one division by an exact power of ten
 * rounds correctly; anything longer, or with an exponent, goes through Number(). Somewhere behind the number there
 * must be a byte that is not part of one.
 */
export function readNumber(bytes: Uint8Array, at: number, out: Float64Array, slot: number): number {
  let p = at;
  let c = bytes[p];
  const negative = c === 0x2d;
  if (negative) c = bytes[++p];
  const first = p;
  let mantissa = 0;
  // Nine digits fit a 32-bit integer.
  for (const stop = p + 9; p < stop && c >= 0x30 && c <= 0x39; c = bytes[++p])
    mantissa = (mantissa * 10 + c - 0x30) | 0;
  if (p === first || (bytes[first] === 0x30 && p > first + 1)) return -1;
  if (c === 0x2e) return readFraction(bytes, at, p, negative, mantissa, p - first, out, slot);
  if (isDigit(c) || c === 0x65 || c === 0x45) return readLong(bytes, at, out, slot);
  out[slot] = negative ? -mantissa : mantissa;
  return p;
}

function readFraction(
  bytes: Uint8Array,
  at: number,
  dot: number,
  negative: boolean,
  whole: number,
  wholeDigits: number,
  out: Float64Array,
  slot: number,
): number {
  let p = dot + 1;
  let c = bytes[p];
  let fraction = 0;
  for (const stop = p + 6; p < stop && c >= 0x30 && c <= 0x39; c = bytes[++p])
    fraction = (fraction * 10 + c - 0x30) | 0;
  const digits = p - dot - 1;
  if (digits === 0) return -1;
  if (isDigit(c) || c === 0x65 || c === 0x45 || wholeDigits + digits > 15) return readLong(bytes, at, out, slot);
  const scale = POWERS[digits];
  const value = (whole * scale + fraction) / scale;
  out[slot] = negative ? -value : value;
  return p;
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
  out[slot] = Number(asciiText(bytes, at, p));
  return p;
}
