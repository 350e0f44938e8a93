import { Reading } from '../runtime/shard/reading.ts';
import { asciiText, endOfBool, endOfPlain, endOfValue, parseSlice, skipSpace } from './ascii.ts';
import { type Extra, pushExtra, pushUnknown, putField } from './fields.ts';
import { KeyFinder } from './keys.ts';
import { MAX_DEPTH, MAX_TEXT_CHARS, MAX_UNKNOWN_FIELDS, MAX_UNKNOWN_NAME_CHARS } from './limits.ts';
import { readNumber } from './number.ts';
import { ALERTS, BOOL, ENUM, type KindPlan, LIST, METER_VALUES, NUMBER, NUMBER_OR_NONE, TEXT } from './plan.ts';
import { INVALID_REPORTED, OUT_OF_RANGE, SENTINEL } from './problems.ts';
import { SliceCache } from './slices.ts';
import type { WordTable } from './words.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const LIST_OPEN = 0x5b;

/** The part of the fast path that reads the object of fields; the rules are those of {@link FastReader}. */
export class FieldReader {
  private readonly problems: Int32Array;
  private readonly keys = new KeyFinder();
  private readonly texts = new SliceCache<string>();
  private readonly lists = new SliceCache<readonly string[]>();
  private readonly alerts = new SliceCache<readonly unknown[]>();
  private readonly spare = new Reading();
  private readonly spareProblems: Int32Array;
  private unknownFields = 0;

  constructor(problems: Int32Array) {
    this.problems = problems;
    this.spareProblems = new Int32Array(problems.length);
  }

  /** Reads the object of fields that starts at `at`, with `view` over the same memory; position behind it, -1 for "not my case". */
  read(view: DataView, bytes: Uint8Array, at: number, last: number, plan: KindPlan, reading: Reading): number {
    if (bytes[at] !== OPEN) return -1;
    const { names, nextField, shape, min, max } = plan;
    const values = reading.values;
    this.unknownFields = 0;
    let previous = 0;
    let p = at + 1;
    if (bytes[p] <= 0x20) p = skipSpace(bytes, p);
    if (bytes[p] === CLOSE) return p + 1;
    for (; ; p++) {
      let field = nextField[previous];
      let value = names.behind(view, p, last, field);
      if (value < 0) {
        value = this.keys.find(bytes, p, last);
        if (value < 0) return -1;
        field = names.find(bytes, this.keys.start, this.keys.end);
        if (field >= 0) nextField[previous] = field;
      }
      let c = bytes[value];
      if (c <= 0x20) c = bytes[(value = skipSpace(bytes, value))];
      if (field < 0) p = this.readUnknown(bytes, value, last, reading);
      else {
        previous = field + 1;
        if ((reading.present & (1 << field)) !== 0) return -1;
        if (shape[field] === NUMBER && (c === 0x2d || (c >= 0x30 && c <= 0x39))) {
          reading.present |= 1 << field;
          p = readNumber(bytes, value, values, field);
          const number = values[field];
          if (!(number >= min[field] && number <= max[field])) this.markInvalid(field, OUT_OF_RANGE, reading);
        } else p = this.readField(plan, field, view, bytes, value, last, reading);
      }
      if (p < 0) return -1;
      c = bytes[p];
      if (c <= 0x20) c = bytes[(p = skipSpace(bytes, p))];
      if (c === COMMA) continue;
      return c === CLOSE ? p + 1 : -1;
    }
  }

  /** Reads the value of a field by its shape; a number without sentinels was tried before. */
  private readField(
    plan: KindPlan,
    field: number,
    view: DataView,
    bytes: Uint8Array,
    at: number,
    last: number,
    reading: Reading,
  ): number {
    let end = -1;
    switch (plan.shape[field]) {
      case ENUM:
        end = bytes[at] === QUOTE ? readWord(plan, field, view, bytes, at, last, reading.values) : -1;
        break;
      case NUMBER_OR_NONE:
        end = this.readNumberOrNone(plan, field, bytes, at, reading);
        break;
      case BOOL:
        end = endOfBool(bytes, at);
        reading.values[field] = bytes[at] === 0x74 ? 1 : 0;
        break;
      case TEXT:
        end = bytes[at] === QUOTE ? this.readText(plan, field, bytes, at + 1, last, reading) : -1;
        break;
      case LIST:
        end = bytes[at] === LIST_OPEN ? this.readList(plan, field, bytes, at, last, reading, this.lists) : -1;
        break;
      case METER_VALUES:
        // What they fill depends on which other fields there are.
        return -1;
      case ALERTS:
        end = bytes[at] === LIST_OPEN ? this.readList(plan, field, bytes, at, last, reading, this.alerts) : -1;
        break;
    }
    if (end < 0) return this.readOther(plan, field, bytes, at, last, reading);
    reading.present |= 1 << field;
    return end;
  }

  private readNumberOrNone(plan: KindPlan, field: number, bytes: Uint8Array, at: number, reading: Reading): number {
    const end = readNumber(bytes, at, reading.values, field);
    if (end < 0) return -1;
    const value = reading.values[field];
    if (plan.sentinels[field]?.includes(value)) this.markInvalid(field, SENTINEL, reading);
    else if (!(value >= plan.min[field] && value <= plan.max[field])) this.markInvalid(field, OUT_OF_RANGE, reading);
    return end;
  }

  /** Reads a plain text from behind its quote; position behind it, -1 when it is not plain or too long. */
  private readText(
    plan: KindPlan,
    field: number,
    bytes: Uint8Array,
    at: number,
    last: number,
    reading: Reading,
  ): number {
    const close = endOfPlain(bytes, at, last);
    if (close < 0 || close - at > MAX_TEXT_CHARS) return -1;
    reading.values[field] = 0;
    pushExtra(reading, plan.specs[field].name, this.textAt(bytes, at, close));
    return close + 1;
  }

  private textAt(bytes: Uint8Array, start: number, end: number): string {
    const known = this.texts.get(bytes, start, end);
    if (known !== null) return known;
    const text = asciiText(bytes, start, end);
    this.texts.put(bytes, start, end, text);
    return text;
  }

  /** Reads a list that was read before, or reads and remembers it; -1 when its value is not a faultless one. */
  private readList<T extends readonly unknown[]>(
    plan: KindPlan,
    field: number,
    bytes: Uint8Array,
    at: number,
    last: number,
    reading: Reading,
    cache: SliceCache<T>,
  ): number {
    const end = endOfValue(bytes, at, last, MAX_DEPTH - 2);
    if (end < 0) return -1;
    let known = cache.get(bytes, at, end);
    if (known === null) {
      known = this.listAt(plan, field, bytes, at, end) as T | null;
      if (known === null) return -1;
      cache.put(bytes, at, end, known);
    }
    reading.values[field] = 0;
    pushExtra(reading, plan.specs[field].name, known);
    return end;
  }

  private listAt(plan: KindPlan, field: number, bytes: Uint8Array, at: number, end: number): readonly unknown[] | null {
    const value = parseSlice(bytes, at, end);
    if (value === undefined) return null;
    this.spareProblems.fill(0);
    this.spare.extra = null;
    this.spare.invalid = 0;
    putField(plan, field, value, this.spare, this.spareProblems);
    const list = (this.spare.extra as Extra[] | null)?.[0]?.[1];
    return this.spareProblems.some((count) => count > 0) ? null : freezeList(list as unknown[]);
  }

  private markInvalid(field: number, problem: number, reading: Reading): void {
    reading.values[field] = 0;
    reading.invalid |= 1 << field;
    this.problems[problem]++;
  }

  /** Null, lists, wrong types, unknown words: the value alone is parsed, and means what the document path says. */
  private readOther(
    plan: KindPlan,
    field: number,
    bytes: Uint8Array,
    at: number,
    last: number,
    reading: Reading,
  ): number {
    if (bytes[at] === 0x6e && bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c) {
      reading.present |= 1 << field;
      this.markInvalid(field, INVALID_REPORTED, reading);
      return at + 4;
    }
    const end = endOfValue(bytes, at, last, MAX_DEPTH - 2);
    if (end < 0) return -1;
    const value = parseSlice(bytes, at, end);
    if (value === undefined) return -1;
    putField(plan, field, value, reading, this.problems);
    return end;
  }

  private readUnknown(bytes: Uint8Array, at: number, last: number, reading: Reading): number {
    if (++this.unknownFields > MAX_UNKNOWN_FIELDS || this.keys.end - this.keys.start > MAX_UNKNOWN_NAME_CHARS)
      return -1;
    const end = endOfValue(bytes, at, last, MAX_DEPTH - 2);
    if (end < 0) return -1;
    const value = parseSlice(bytes, at, end);
    if (value === undefined) return -1;
    const name = this.textAt(bytes, this.keys.start, this.keys.end);
    if (reading.extra?.some((extra) => extra[0] === name)) return -1;
    pushUnknown(name, value, reading, this.problems);
    return end;
  }
}

/** Reads an enum word of the list, its opening quote at `at`; position behind it, -1 when it is none. */
function readWord(
  plan: KindPlan,
  field: number,
  view: DataView,
  bytes: Uint8Array,
  at: number,
  last: number,
  out: Float64Array,
): number {
  const words = plan.words[field] as WordTable;
  let word = plan.lastWord[field];
  let end = words.behind(view, at, last, word);
  if (end < 0) {
    const close = endOfPlain(bytes, at + 1, last);
    word = close < 0 ? -1 : words.find(bytes, at + 1, close);
    if (word < 0) return -1;
    plan.lastWord[field] = word;
    end = close + 1;
  }
  out[field] = word;
  return end;
}

/** A list that several readings share must not change. */
function freezeList(list: unknown[]): readonly unknown[] {
  for (const item of list) Object.freeze(item);
  return Object.freeze(list);
}
