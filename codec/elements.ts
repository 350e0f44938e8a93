import { lastInk, skipSpace } from './ascii.ts';

/** Where the elements of a JSON array lie: element i is bytes [starts[i], ends[i]). */
export interface ElementRanges {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export type ElementProblem = 'malformed_json' | 'too_many';

/** Whether bytes [start, end) begin like a JSON array. */
export function isArray(bytes: Uint8Array, start: number, end: number): boolean {
  const last = lastInk(bytes, start, end);
  return last >= start && bytes[skipSpace(bytes, start)] === 0x5b;
}

/**
 * Finds the elements of the JSON array in bytes [start, end), by brackets, quotes and commas alone: whether an element is
 * JSON is for its decoder to say. At most `maxElements`.
 */
export function elementRanges(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxElements = 100_000,
): ElementRanges | ElementProblem {
  const last = lastInk(bytes, start, end);
  if (last < start) return 'malformed_json';
  const open = skipSpace(bytes, start);
  if (open === last || bytes[open] !== 0x5b || bytes[last] !== 0x5d) return 'malformed_json';
  const starts: number[] = [];
  const ends: number[] = [];
  for (let p = skipSpace(bytes, open + 1); p < last; p = skipSpace(bytes, p + 1)) {
    if (starts.length === maxElements) return 'too_many';
    const stop = endOfElement(bytes, p, last);
    const final = lastInk(bytes, p, stop);
    // An empty element; or a comma with nothing behind it.
    if (final < p || (stop < last && (bytes[stop] !== 0x2c || skipSpace(bytes, stop + 1) === last)))
      return 'malformed_json';
    starts.push(p);
    ends.push(final + 1);
    p = stop;
  }
  return { starts, ends };
}

/** Position of the comma behind the element, of a bracket that closes too much, or `last`. */
function endOfElement(bytes: Uint8Array, at: number, last: number): number {
  let depth = 0;
  for (let p = at; p < last; p++) {
    const c = bytes[p];
    if (c === 0x22) {
      for (p++; p < last && bytes[p] !== 0x22; p++) if (bytes[p] === 0x5c) p++;
    } else if (c === 0x5b || c === 0x7b) depth++;
    else if (c === 0x5d || c === 0x7d) {
      if (--depth < 0) return p;
    } else if (c === 0x2c && depth === 0) return p;
  }
  return last;
}
