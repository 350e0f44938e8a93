/**
 * Numbers as telemetry has them, in few bytes and bit for bit: whole numbers and decimals as integers, what else there
 * is as f32 where that is exact, else as f64. How a number is written depends on it alone, so that equal numbers are
 * equal bytes. A NaN does not keep its payload.
 *
 * The lower four bits of the first byte are the code. For an integer, the number times a scale, the other bits of its
 * bytes (little-endian, signed) are its own; a float stands behind a byte with nothing but the code.
 *
 *   code    0   1   2   3   4 |  5   6   7   8 |   9   10 |    11   12 |   13 |  14   15
 *   scale                   1 |             10 |      100 |     10,000 | 1000 |
 *   bytes   1   2   3   4   6 |  2   3   4   5 |   3    4 |     3    4 |    6 | f32  f64
 */
const WIDE_WHOLE = 4;
const WIDE_TENTHS = 8;
const WIDE_THOUSANDTHS = 13;
const F32 = 14;
const F64 = 15;
/** What is added to the bytes of an integer to have its code. */
const WHOLE = -1;
const TENTHS = 3;
const HUNDREDTHS = 6;
const TEN_THOUSANDTHS = 8;

const I36 = 2 ** 35;
const I44 = 2 ** 43;
const HIGH = 2 ** 32;

/** At most so many bytes for one number; there must be room for so many wherever one is written. */
export const MAX_VALUE_BYTES = 9;

/** Writes the number `values[i]`; returns where it ends. A number handed over by itself would be allocated. */
export function writeValue(view: DataView, at: number, values: Float64Array, i: number): number {
  const value = values[i];
  const whole = value | 0;
  if (whole === value) return writeWhole(view, at, whole, value);
  const half = value < 0 ? -0.5 : 0.5;
  const tenths = (value * 10 + half) | 0;
  if (tenths / 10 === value && isInt28(tenths)) return writeInt28(view, at, tenths, 2, TENTHS);
  const scaled = (value * 10_000 + half) | 0;
  if (scaled / 10_000 !== value || !isInt28(scaled)) return writeWide(view, at, value);
  const hundredths = (scaled / 100) | 0;
  if (hundredths * 100 === scaled) return writeInt28(view, at, hundredths, 3, HUNDREDTHS);
  return writeInt28(view, at, scaled, 3, TEN_THOUSANDTHS);
}

function writeWhole(view: DataView, at: number, whole: number, value: number): number {
  if (whole === 0 && Object.is(value, -0)) return writeFloat(view, at, value);
  return isInt28(whole) ? writeInt28(view, at, whole, 1, WHOLE) : writeInt44(view, at, whole, WIDE_WHOLE);
}

/** Of a number that is no int32, and no 28 bits of tenths or ten-thousandths. */
function writeWide(view: DataView, at: number, value: number): number {
  if (Math.abs(value) >= I44) return writeFloat(view, at, value);
  if (Math.floor(value) === value) return writeInt44(view, at, value, WIDE_WHOLE);
  const tenths = Math.round(value * 10);
  if (tenths / 10 === value && Math.abs(tenths) < I36) {
    writeInt44(view, at, tenths, WIDE_TENTHS);
    return at + 5;
  }
  const hundredths = Math.round(value * 100);
  if (hundredths / 100 === value && isInt28(hundredths)) return writeInt28(view, at, hundredths, 3, HUNDREDTHS);
  const thousandths = Math.round(value * 1000);
  if (thousandths / 1000 !== value || Math.abs(thousandths) >= I44) return writeFloat(view, at, value);
  return writeInt44(view, at, thousandths, WIDE_THOUSANDTHS);
}

function writeFloat(view: DataView, at: number, value: number): number {
  if (Math.fround(value) === value) {
    view.setUint8(at, F32);
    view.setFloat32(at + 1, value, true);
    return at + 5;
  }
  view.setUint8(at, F64);
  // One NaN for all.
  view.setFloat64(at + 1, Number.isNaN(value) ? Number.NaN : value, true);
  return at + 9;
}

function isInt28(n: number): boolean {
  return (n << 4) >> 4 === n;
}

/** In as few bytes as it needs beside the code, at least `least`. What is written behind them is written over. */
function writeInt28(view: DataView, at: number, n: number, least: number, code: number): number {
  const bytes = Math.max(least, (44 - Math.clz32(n ^ (n >> 31))) >> 3);
  view.setInt32(at, (n << 4) | (code + bytes), true);
  return at + bytes;
}

function writeInt44(view: DataView, at: number, n: number, code: number): number {
  const bits = n * 16 + code;
  const low = bits >>> 0;
  view.setUint32(at, low, true);
  view.setInt16(at + 4, (bits - low) / HIGH, true);
  return at + 6;
}

const BYTES = Uint8Array.of(1, 2, 3, 4, 6, 2, 3, 4, 5, 3, 4, 3, 4, 6, 5, 9);

/** Bytes of the number at `at`. */
export function valueBytes(bytes: Uint8Array, at: number): number {
  return BYTES[bytes[at] & 15];
}

const SCALES = Float64Array.of(1, 1, 1, 1, 1, 10, 10, 10, 10, 100, 100, 10_000, 10_000, 1000, 1, 1);
/** By code: how far the first four bytes are shifted up, and with the code down. */
const UP = Uint8Array.from(BYTES, (bytes) => 32 - 8 * bytes);

/** The number at `at`. Byte by byte: a view of each entry would cost more than all of its numbers. */
export function readValue(bytes: Uint8Array, at: number): number {
  const code = bytes[at] & 15;
  if (BYTES[code] > 4) return readLong(bytes, at, code);
  const up = UP[code];
  return ((int32At(bytes, at) << up) >> (up + 4)) / SCALES[code];
}

function readLong(bytes: Uint8Array, at: number, code: number): number {
  if (code === F32) return floatAt(bytes, at + 1);
  if (code === F64) return doubleAt(bytes, at + 1);
  const high =
    code === WIDE_TENTHS ? (bytes[at + 4] << 24) >> 24 : ((bytes[at + 4] << 16) | (bytes[at + 5] << 24)) >> 16;
  return (high * HIGH + (int32At(bytes, at) >>> 0) - code) / 16 / SCALES[code];
}

/** What lies behind the end counts as 0. */
function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

const floats = new DataView(new ArrayBuffer(8));

function floatAt(bytes: Uint8Array, at: number): number {
  floats.setInt32(0, int32At(bytes, at), true);
  return floats.getFloat32(0, true);
}

/** Little-endian double at any place. */
export function doubleAt(bytes: Uint8Array, at: number): number {
  floats.setInt32(0, int32At(bytes, at), true);
  floats.setInt32(4, int32At(bytes, at + 4), true);
  return floats.getFloat64(0, true);
}
