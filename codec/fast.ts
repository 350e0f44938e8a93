import type { Reading } from '../runtime/shard/reading.ts';
import { endOfBool, endOfPlain, endOfValue, fingerprintAscii, lastInk, parseSlice, skipSpace } from './ascii.ts';
import { FieldReader } from './fast-fields.ts';
import { finishFields } from './fields.ts';
import { KeyFinder } from './keys.ts';
import { MAX_DEPTH, MAX_SERIAL_CHARS, MAX_TXID_CHARS } from './limits.ts';
import { readNumber } from './number.ts';
import type { KindPlan } from './plan.ts';
import { UNKNOWN_KEY } from './problems.ts';
import { settleTimes } from './settle.ts';
import { TIME_ABSENT, TIME_END, TIME_MIN, TimeReader } from './time.ts';
import { WordTable } from './words.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const TOP_KEYS = ['serial', 'kind', 'deviceTime', 'receiveTime', 'txid', 'resend', 'seqNo', 'fields'] as const;
const TOP = new WordTable(TOP_KEYS, ':');
const SERIAL = 0;
const KIND = 1;
const DEVICE_TIME = 2;
const RECEIVE_TIME = 3;
const TXID = 4;
const RESEND = 5;
const SEQ_NO = 6;
const FIELDS = 7;
const REQUIRED = (1 << SERIAL) | (1 << KIND) | (1 << DEVICE_TIME) | (1 << FIELDS);

/**
 * Reads a telemetry record straight from its bytes, in one pass, without making strings. Keys may come in any order; the
 * one that came next the last time is tried first.
 *
 * It only ever says "done" or "not my case". The latter is no verdict: the document path then decides, and it alone
 * names reasons. Every position stays before `last`, the record's closing brace, which ends each token: so single
 * bytes are read without a bounds check.
 */
export class FastReader {
  serialStart = 0;
  serialEnd = 0;
  private readonly kinds: readonly KindPlan[];
  private readonly kindNames: WordTable;
  private readonly problems: Int32Array;
  /** Key that followed top key i - 1 the last time. */
  private readonly nextTop = new Int16Array(TOP_KEYS.length + 1);
  /** Device time, receive time, sequence number. */
  private readonly numbers = new Float64Array(3);
  private lastKind = 0;
  private kind = -1;
  /** Kind whose fields were read. */
  private fieldsKind = -1;
  private resend = false;
  private txid = 0;
  private readonly keys = new KeyFinder();
  private readonly times = new TimeReader();
  private readonly fields: FieldReader;
  /** The memory that was read last, and a view of it. */
  private source: Uint8Array | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** `problems`: one counter per code; what is in it after "not my case" is void. */
  constructor(kinds: readonly KindPlan[], problems: Int32Array) {
    this.kinds = kinds;
    this.kindNames = new WordTable(
      kinds.map((kind) => kind.name),
      '',
    );
    this.problems = problems;
    this.fields = new FieldReader(problems);
  }

  /** True when bytes [start, end) were read into `reading` completely. */
  read(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): boolean {
    const last = lastInk(bytes, start, end);
    if (last <= start || bytes[last] !== CLOSE) return false;
    const open = skipSpace(bytes, start);
    if (bytes[open] !== OPEN) return false;
    if (bytes !== this.source) this.lookAt(bytes);
    reading.present = 0;
    reading.invalid = 0;
    reading.extra = null;
    this.numbers[1] = TIME_ABSENT;
    this.numbers[2] = -1;
    this.kind = -1;
    this.resend = false;
    this.txid = 0;
    return this.readTop(bytes, open + 1, last, reading) && this.finish(timestamp, reading);
  }

  private lookAt(bytes: Uint8Array): void {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private finish(timestamp: number, reading: Reading): boolean {
    reading.kind = this.kind;
    reading.txid = this.txid;
    reading.resend = this.resend;
    reading.seqNo = this.numbers[2];
    finishFields(this.kinds[this.kind], reading);
    return settleTimes(this.numbers[0], this.numbers[1], timestamp, reading, this.problems) === 0;
  }

  private readTop(bytes: Uint8Array, at: number, last: number, reading: Reading): boolean {
    const next = this.nextTop;
    const view = this.view;
    let seen = 0;
    let previous = 0;
    let fieldsAt = -1;
    let sawUnknown = false;
    for (let p = at; ; p++) {
      let key = next[previous];
      let value = TOP.behind(view, p, last, key);
      if (value < 0) {
        value = this.keys.find(bytes, p, last);
        if (value < 0) return false;
        key = TOP.find(bytes, this.keys.start, this.keys.end);
        if (key >= 0) next[previous] = key;
      }
      p = bytes[value] <= 0x20 ? skipSpace(bytes, value) : value;
      if (key < 0) {
        if (sawUnknown) return false;
        sawUnknown = true;
        this.problems[UNKNOWN_KEY]++;
        p = skipValue(bytes, p, last);
      } else {
        previous = key + 1;
        if ((seen & (1 << key)) !== 0) return false;
        seen |= 1 << key;
        if (key === FIELDS && this.kind < 0) fieldsAt = p;
        p = this.readTopValue(key, bytes, p, last, reading);
      }
      if (p < 0) return false;
      let c = bytes[p];
      if (c <= 0x20) c = bytes[(p = skipSpace(bytes, p))];
      if (c === COMMA) continue;
      if (p !== last || (seen & REQUIRED) !== REQUIRED) return false;
      return fieldsAt < 0 || this.kind === this.fieldsKind || this.readFieldsAgain(bytes, fieldsAt, last, reading);
    }
  }

  /** Position behind the value of a known top key, -1 for "not my case". */
  private readTopValue(key: number, bytes: Uint8Array, at: number, last: number, reading: Reading): number {
    switch (key) {
      case SERIAL:
        return this.readSerial(bytes, at, last);
      case KIND:
        return this.readKind(bytes, at, last);
      case DEVICE_TIME:
        return this.readInstant(bytes, at, last, 0);
      case RECEIVE_TIME:
        return this.readInstant(bytes, at, last, 1);
      case TXID:
        return this.readTxid(bytes, at, last);
      case RESEND:
        this.resend = bytes[at] === 0x74;
        return endOfBool(bytes, at);
      case SEQ_NO:
        return this.readSeqNo(bytes, at);
      default:
        // Before the kind is known, the fields are taken for those of the last one.
        this.fieldsKind = this.kind < 0 ? this.lastKind : this.kind;
        return this.fields.read(this.view, bytes, at, last, this.kinds[this.fieldsKind], reading);
    }
  }

  /** The fields came before the kind, and the guess was wrong: they are read once more. */
  private readFieldsAgain(bytes: Uint8Array, at: number, last: number, reading: Reading): boolean {
    const unknownKeys = this.problems[UNKNOWN_KEY];
    this.problems.fill(0);
    this.problems[UNKNOWN_KEY] = unknownKeys;
    reading.present = 0;
    reading.invalid = 0;
    reading.extra = null;
    return this.fields.read(this.view, bytes, at, last, this.kinds[this.kind], reading) > 0;
  }

  private readSerial(bytes: Uint8Array, at: number, last: number): number {
    if (bytes[at] !== QUOTE) return -1;
    const close = endOfPlain(bytes, at + 1, last);
    if (close <= at + 1 || close - at - 1 > MAX_SERIAL_CHARS) return -1;
    this.serialStart = at + 1;
    this.serialEnd = close;
    return close + 1;
  }

  private readKind(bytes: Uint8Array, at: number, last: number): number {
    if (bytes[at] !== QUOTE) return -1;
    let end = this.kindNames.behind(this.view, at, last, this.lastKind);
    if (end < 0) {
      const close = endOfPlain(bytes, at + 1, last);
      const kind = close < 0 ? -1 : this.kindNames.find(bytes, at + 1, close);
      if (kind < 0) return -1;
      this.lastKind = kind;
      end = close + 1;
    }
    this.kind = this.lastKind;
    return end;
  }

  private readInstant(bytes: Uint8Array, at: number, last: number, slot: number): number {
    const numbers = this.numbers;
    if (bytes[at] !== QUOTE) {
      const end = readNumber(bytes, at, numbers, slot);
      return end > 0 && Number.isInteger(numbers[slot]) && isPossible(numbers[slot]) ? end : -1;
    }
    const close = endOfTime(bytes, at + 1, last);
    if (close < 0) return -1;
    const ms = this.times.read(this.view, bytes, at + 1, close);
    if (!isPossible(ms)) return -1;
    numbers[slot] = ms;
    return close + 1;
  }

  private readTxid(bytes: Uint8Array, at: number, last: number): number {
    if (bytes[at] === QUOTE) {
      const close = endOfPlain(bytes, at + 1, last);
      if (close < 0 || close - at - 1 > MAX_TXID_CHARS) return -1;
      this.txid = close === at + 1 ? 0 : fingerprintAscii(bytes, at + 1, close);
      return close + 1;
    }
    let p = at;
    while (bytes[p] >= 0x30 && bytes[p] <= 0x39) p++;
    // A whole number of up to 15 digits is written as String() writes it, unless it starts with 0.
    if (p === at || p - at > 15 || bytes[at] === 0x30) return -1;
    this.txid = fingerprintAscii(bytes, at, p);
    return p;
  }

  private readSeqNo(bytes: Uint8Array, at: number): number {
    const end = readNumber(bytes, at, this.numbers, 2);
    const seqNo = this.numbers[2];
    if (end < 0 || !Number.isSafeInteger(seqNo) || seqNo < 0) return -1;
    return end;
  }
}

/** Position behind a value that nobody wants, -1 when it is none. */
function skipValue(bytes: Uint8Array, at: number, last: number): number {
  const end = endOfValue(bytes, at, last, MAX_DEPTH - 1);
  return end > 0 && parseSlice(bytes, at, end) !== undefined ? end : -1;
}

/** Closing quote of a time: the usual lengths are tried before the string is scanned. */
function endOfTime(bytes: Uint8Array, at: number, last: number): number {
  if (at + 29 < last) {
    if (bytes[at + 20] === QUOTE) return at + 20;
    if (bytes[at + 24] === QUOTE) return at + 24;
    if (bytes[at + 25] === QUOTE) return at + 25;
    if (bytes[at + 29] === QUOTE) return at + 29;
  }
  return endOfPlain(bytes, at, last);
}

const isPossible = (ms: number) => ms >= TIME_MIN && ms < TIME_END;
