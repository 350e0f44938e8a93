/**
 * Every entry of a window begins with its own length, so that a scan skips what it does not want: one byte, or 255 and
 * a u32 where it is more than 254. The length counts itself.
 */
const LONG = 255;
const SHORT_HEAD = 1;
const LONG_HEAD = 5;

/** Bytes that the length at `at` takes: what it is the length of follows. */
export function lengthBytes(bytes: Uint8Array, at: number): number {
  return bytes[at] === LONG ? LONG_HEAD : SHORT_HEAD;
}

/** Length of the entry at `at`. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  const length = bytes[at];
  if (length !== LONG) return length;
  return (bytes[at + 1] | (bytes[at + 2] << 8) | (bytes[at + 3] << 16) | (bytes[at + 4] << 24)) >>> 0;
}

/**
 * Puts the length before an entry of which the rest stands in `bytes[1, end)`; the rest moves where the length is long,
 * so there must be room for 4 more. Returns the length.
 */
export function sealEntry(bytes: Uint8Array, end: number): number {
  if (end < LONG) {
    bytes[0] = end;
    return end;
  }
  bytes.copyWithin(LONG_HEAD, SHORT_HEAD, end);
  const length = end + LONG_HEAD - SHORT_HEAD;
  bytes[0] = LONG;
  for (let i = 0; i < 4; i++) bytes[1 + i] = length >>> (8 * i);
  return length;
}
