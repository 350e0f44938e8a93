/**
 * Plain-text helpers over JSON bytes. They look at bytes only as long as these are ASCII; whatever else
 * comes is reported as "not plain" and left to the document path.
 */

/** 1 where a byte ends a run of plain string characters: quote, backslash, control, DEL, non-ASCII. */
const STOP = new Uint8Array(256);
for (let c = 0; c < 256; c++) STOP[c] = c < 0x20 || c === 0x22 || c === 0x5c || c >= 0x7f ? 1 : 0;

/** Position of the quote that ends the plain string starting at `at`; -1 when the string is not plain or does not end before `stop`. */
export function endOfPlain(bytes: Uint8Array, at: number, stop: number): number {
  let p = at;
  while (p < stop && STOP[bytes[p]] === 0) p++;
  return p < stop && bytes[p] === 0x22 ? p : -1;
}

/** First position from `at` that is no JSON white space. The caller sees to it that one exists. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let p = at;
  let c = bytes[p];
  while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = bytes[++p];
  return p;
}

const isSpace = (c: number) => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;

/** Last position of [start, end) that is no JSON white space; before `start` when there is none. */
export function lastInk(bytes: Uint8Array, start: number, end: number): number {
  let p = end - 1;
  while (p >= start && isSpace(bytes[p])) p--;
  return p;
}

/**
 * End (exclusive) of the JSON value that starts at `at`, by brackets and quotes alone: nothing inside is checked.
 * -1 when it is not plain ASCII, nested deeper than `maxDepth`, or does not end before `stop`.
 */
export function endOfValue(bytes: Uint8Array, at: number, stop: number, maxDepth: number): number {
  let depth = 0;
  for (let p = at; p < stop; p++) {
    const c = bytes[p];
    if (c >= 0x7f) return -1;
    if (c === 0x22) {
      p = endOfString(bytes, p + 1, stop);
      if (p < 0) return -1;
      if (depth === 0) return p + 1;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > maxDepth) return -1;
    } else if (c === 0x7d || c === 0x5d) {
      if (depth === 0) return p;
      if (--depth === 0) return p + 1;
    } else if (depth === 0 && (c === 0x2c || isSpace(c))) {
      return p;
    }
  }
  return -1;
}

/** Position of the quote that ends an ASCII string with or without escapes; -1 otherwise. */
function endOfString(bytes: Uint8Array, at: number, stop: number): number {
  for (let p = at; p < stop; p++) {
    const c = bytes[p];
    if (c === 0x22) return p;
    if (c === 0x5c) p++;
    else if (c < 0x20 || c >= 0x7f) return -1;
  }
  return -1;
}

/** The string of ASCII bytes. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 24) {
    let text = '';
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
    return text;
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** `fingerprint` of runtime/kernel/hash.ts over ASCII bytes: the same number without making the string. */
export function fingerprintAscii(bytes: Uint8Array, start: number, end: number): number {
  let h1 = 0xdeadbeef | 0;
  let h2 = 0x41c6ce57;
  for (let i = start; i < end; i++) {
    const c = bytes[i];
    h1 = Math.imul(h1 ^ c, 2654435761);
    h2 = Math.imul(h2 ^ c, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0) || 1;
}

/** The value written in ASCII bytes [start, end); undefined when it is not JSON. */
export function parseSlice(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(asciiText(bytes, start, end));
  } catch {
    return undefined;
  }
}

/** Position behind `true` or `false` at `at`, -1 when neither stands there. */
export function endOfBool(bytes: Uint8Array, at: number): number {
  if (bytes[at] === 0x74)
    return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x75 && bytes[at + 3] === 0x65 ? at + 4 : -1;
  if (bytes[at] !== 0x66 || bytes[at + 1] !== 0x61 || bytes[at + 2] !== 0x6c) return -1;
  return bytes[at + 3] === 0x73 && bytes[at + 4] === 0x65 ? at + 5 : -1;
}
