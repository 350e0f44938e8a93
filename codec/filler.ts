import { isUtf8 } from 'node:buffer';
import { Reading } from '../runtime/shard/reading.ts';
import { asciiText } from './ascii.ts';
import { type Extra, isUnknownName, pushExtra, pushUnknown, putField } from './fields.ts';
import { MAX_DEPTH, MAX_TEXT_CHARS, MAX_UNKNOWN_FIELDS } from './limits.ts';
import type { KindPlan } from './plan.ts';
import { INVALID_REPORTED, OUT_OF_RANGE, SENTINEL } from './problems.ts';
import { SliceCache } from './slices.ts';

/** Whether bytes [start, end) are printable ASCII. */
export function isPlainAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end; p++) if ((bytes[p] - 0x20) >>> 0 > 0x5e) return false;
  return true;
}

/** Of UTF-8, for a character as JavaScript counts them. */
const MAX_BYTES_PER_CHAR = 3;

function unicodeText(bytes: Uint8Array, start: number, end: number): string | null {
  const slice = bytes.subarray(start, end);
  return isUtf8(slice) ? Buffer.from(slice).toString() : null;
}

/** Puts values into a reading on the fast path of a binary format; the rules are those of {@link putField}. */
export class Filler {
  private readonly problems: Int32Array;
  private readonly texts = new SliceCache<string>();
  private readonly spare = new Reading();
  private readonly spareProblems: Int32Array;

  constructor(problems: Int32Array) {
    this.problems = problems;
    this.spareProblems = new Int32Array(problems.length);
  }

  number(plan: KindPlan, field: number, value: number, reading: Reading): void {
    reading.present |= 1 << field;
    if (plan.sentinels[field]?.includes(value)) this.mark(field, SENTINEL, reading);
    else if (!(value >= plan.min[field] && value <= plan.max[field])) this.mark(field, OUT_OF_RANGE, reading);
    else reading.values[field] = value + 0; // -0 becomes 0
  }

  /** A word, as its index, or a boolean. */
  code(field: number, value: number, reading: Reading): void {
    reading.present |= 1 << field;
    reading.values[field] = value;
  }

  invalid(field: number, reading: Reading): void {
    reading.present |= 1 << field;
    this.mark(field, INVALID_REPORTED, reading);
  }

  /** False when it is too long or no UTF-8. */
  text(plan: KindPlan, field: number, bytes: Uint8Array, start: number, end: number, reading: Reading): boolean {
    const text = end - start > MAX_TEXT_CHARS * MAX_BYTES_PER_CHAR ? null : this.textAt(bytes, start, end);
    if (text === null || text.length > MAX_TEXT_CHARS) return false;
    this.extra(plan, field, text, reading);
    return true;
  }

  /** The text of bytes [start, end), from memory where it came before; null when it is no UTF-8. */
  textAt(bytes: Uint8Array, start: number, end: number): string | null {
    const known = this.texts.get(bytes, start, end);
    if (known !== null) return known;
    const text = isPlainAscii(bytes, start, end) ? asciiText(bytes, start, end) : unicodeText(bytes, start, end);
    if (text !== null) this.texts.put(bytes, start, end, text);
    return text;
  }

  /**
   * Keeps a field that the kind does not have, from its JSON text. False when it is more than that: a value of a field that
   * the kind has, a name for the second time, one too many, or no JSON.
   */
  other(plan: KindPlan, name: string | null, text: string | null, reading: Reading): boolean {
    if (name === null || text === null || !isUnknownName(name) || plan.indexOf.has(name)) return false;
    const known = reading.extra ?? [];
    if (known.length >= MAX_UNKNOWN_FIELDS || known.some((extra) => extra[0] === name)) return false;
    const value = parsed(text);
    if (value === undefined || (typeof value === 'object' && text.length > MAX_DEPTH)) return false;
    pushUnknown(name, value, reading, this.problems);
    return true;
  }

  extra(plan: KindPlan, field: number, value: unknown, reading: Reading): void {
    reading.present |= 1 << field;
    reading.values[field] = 0;
    pushExtra(reading, plan.specs[field].name, value);
  }

  /** What a list means, made to be shared by many readings; null when it is not a faultless one. */
  list(plan: KindPlan, field: number, value: unknown): readonly unknown[] | null {
    this.spareProblems.fill(0);
    this.spare.extra = null;
    this.spare.invalid = 0;
    putField(plan, field, value, this.spare, this.spareProblems);
    if (this.spareProblems.some((count) => count > 0)) return null;
    const list = (this.spare.extra as Extra[] | null)?.[0]?.[1] as unknown[];
    for (const item of list) Object.freeze(item);
    return Object.freeze(list);
  }

  private mark(field: number, problem: number, reading: Reading): void {
    reading.values[field] = 0;
    reading.invalid |= 1 << field;
    this.problems[problem]++;
  }
}

/** The value that the JSON text stands for; undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
