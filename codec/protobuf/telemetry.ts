import type { Reading } from '../../runtime/shard/reading.ts';
import type { JsonObject } from '../document.ts';
import { Filler } from '../filler.ts';
import type { TelemetryFormat } from '../format.ts';
import { RecordHead } from '../head.ts';
import { ALERTS, BOOL, ENUM, LIST, NUMBER, NUMBER_OR_NONE, TEXT } from '../plan.ts';
import { INVALID, OTHER } from '../schema/declaration.ts';
import { FIRST_KIND } from '../schema/numbers.ts';
import { SliceCache } from '../slices.ts';
import { orReason } from '../wire-document.ts';
import { NO_NAMES, type WriterNames } from '../writer-names.ts';
import type { WirePlan } from '../wire-plan.ts';
import { FIXED64, LEN, ProtoCursor, VARINT } from './cursor.ts';
import { protobufDocument } from './document.ts';
import { readAlerts, readTexts } from './values.ts';

const SERIAL = (1 << 3) | LEN;
const DEVICE_TIME = (2 << 3) | VARINT;
const RECEIVE_TIME = (3 << 3) | VARINT;
const TXID = (4 << 3) | LEN;
const RESEND = (5 << 3) | VARINT;
const SEQ_NO = (6 << 3) | VARINT;
const INVALID_PACKED = (INVALID << 3) | LEN;
const OTHER_ENTRY = (OTHER << 3) | LEN;
const ENTRY_NAME = (1 << 3) | LEN;
const ENTRY_TEXT = (2 << 3) | LEN;

/** Wire type of a field by the shape of its values (`plan.ts`). */
const WIRE_OF: readonly number[] = [FIXED64, VARINT, VARINT, LEN, LEN, FIXED64, LEN, LEN];

/**
 * Telemetry in Protobuf. The fast path reads messages of the known fields in one pass over the bytes, each field at most
 * once. Reading past the end shows at the end: nothing that was read there is used.
 */
export class ProtobufFormat implements TelemetryFormat {
  private readonly plans: readonly WirePlan[];
  private readonly byNumber: ReadonlyMap<number, WirePlan>;
  /** By kind: the field of a tag, -1 where there is none. */
  private readonly fieldOfTag: readonly Int16Array[];
  private readonly kindOf: Int16Array;
  private readonly names: WriterNames;
  private readonly head: RecordHead;
  private readonly filler: Filler;
  private readonly lists = [new SliceCache<readonly unknown[]>(), new SliceCache<readonly unknown[]>()] as const;
  private source: Uint8Array | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the fast path reads. */
  private at = 0;

  constructor(plans: readonly WirePlan[], problems: Int32Array, names: WriterNames = NO_NAMES) {
    this.plans = plans;
    this.byNumber = new Map(plans.map((plan) => [plan.number, plan]));
    this.fieldOfTag = plans.map(tagTable);
    this.kindOf = new Int16Array(Math.max(0, ...this.byNumber.keys()) + 1).fill(-1);
    plans.forEach((plan, kind) => {
      this.kindOf[plan.number] = kind;
    });
    this.names = names;
    this.head = new RecordHead(problems);
    this.filler = new Filler(problems);
  }

  get serialStart(): number {
    return this.head.serialStart;
  }

  get serialEnd(): number {
    return this.head.serialEnd;
  }

  document(bytes: Uint8Array, start: number, end: number): JsonObject | number {
    return protobufDocument(bytes, start, end, this.byNumber, this.names);
  }

  read(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): boolean {
    if (bytes !== this.source) this.lookAt(bytes);
    this.head.start(reading);
    this.at = start;
    let kind = -1;
    while (this.at < end) {
      const tag = this.varint(bytes);
      if (tag >= FIRST_KIND << 3) {
        const next = tag < this.kindOf.length << 3 && (tag & 7) === LEN ? this.kindOf[tag >>> 3] : -1;
        if (next < 0 || kind >= 0) return false;
        kind = next;
        const length = this.varint(bytes);
        if (!(length <= end - this.at) || !this.readFields(bytes, this.at + length, kind, reading)) return false;
      } else if (!this.readHead(tag, bytes, end)) return false;
    }
    return this.at === end && kind >= 0 && this.head.finish(kind, this.plans[kind].kind, timestamp, reading);
  }

  private lookAt(bytes: Uint8Array): void {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private readHead(tag: number, bytes: Uint8Array, end: number): boolean {
    const { head } = this;
    const value = this.varint(bytes);
    if (value < 0) return false;
    const from = this.at;
    switch (tag) {
      case SERIAL:
        this.at += value;
        return value <= end - from && head.serial(bytes, from, from + value);
      case DEVICE_TIME:
        head.deviceTime = value;
        return true;
      case RECEIVE_TIME:
        head.receiveTime = value;
        return true;
      case TXID:
        this.at += value;
        return value <= end - from && head.mark(bytes, from, from + value);
      case RESEND:
        head.resend = value !== 0;
        return true;
      case SEQ_NO:
        head.seqNo = value;
        return true;
      default:
        return false;
    }
  }

  private readFields(bytes: Uint8Array, end: number, kind: number, reading: Reading): boolean {
    const plan = this.plans[kind];
    const fieldOfTag = this.fieldOfTag[kind];
    const { shape } = plan.kind;
    const { filler, view } = this;
    while (this.at < end) {
      const tag = this.varint(bytes);
      const field = tag >= 0 && tag < fieldOfTag.length ? fieldOfTag[tag] : -1;
      if (field < 0) {
        if (!this.readBesides(tag, bytes, end, plan, reading)) return false;
      } else if ((reading.present & (1 << field)) !== 0) return false;
      else if (shape[field] === NUMBER || shape[field] === NUMBER_OR_NONE) {
        if (this.at + 8 > end) return false;
        filler.number(plan.kind, field, view.getFloat64(this.at, true), reading);
        this.at += 8;
      } else if (!this.readField(bytes, end, plan, field, reading)) return false;
    }
    return this.at === end;
  }

  private readField(bytes: Uint8Array, end: number, plan: WirePlan, field: number, reading: Reading): boolean {
    const { filler } = this;
    const value = this.varint(bytes);
    const shape = plan.kind.shape[field];
    if (shape === ENUM) {
      const words = plan.wordOf[field] as Int16Array;
      const word = value >= 0 && value < words.length ? words[value] : -1;
      if (word >= 0) filler.code(field, word, reading);
      return word >= 0;
    }
    if (shape === BOOL) {
      filler.code(field, value === 0 ? 0 : 1, reading);
      return true;
    }
    const from = this.at;
    if (!(value >= 0 && value <= end - from)) return false;
    this.at += value;
    if (shape === TEXT) return filler.text(plan.kind, field, bytes, from, this.at, reading);
    return (shape === LIST || shape === ALERTS) && this.readList(bytes, from, this.at, plan, field, reading);
  }

  /** Reads a list that was read before, or reads and remembers it. */
  private readList(
    bytes: Uint8Array,
    start: number,
    end: number,
    plan: WirePlan,
    field: number,
    reading: Reading,
  ): boolean {
    const isAlerts = plan.kind.shape[field] === ALERTS;
    const cache = this.lists[isAlerts ? 1 : 0];
    let list = cache.get(bytes, start, end);
    if (list === null) {
      const message = new ProtoCursor(bytes, start, end);
      const value = orReason<unknown>(() => (isAlerts ? readAlerts(message) : readTexts(message)));
      list = typeof value === 'number' ? null : this.filler.list(plan.kind, field, value);
      if (list === null) return false;
      cache.put(bytes, start, end, list);
    }
    this.filler.extra(plan.kind, field, list, reading);
    return true;
  }

  /** What stands beside the fields. */
  private readBesides(tag: number, bytes: Uint8Array, end: number, plan: WirePlan, reading: Reading): boolean {
    if (tag === INVALID_PACKED) return this.readInvalid(bytes, end, plan, reading);
    return tag === OTHER_ENTRY && this.readOther(bytes, end, plan, reading);
  }

  /** An entry of a map: its name, then its text. */
  private readOther(bytes: Uint8Array, end: number, plan: WirePlan, reading: Reading): boolean {
    const length = this.varint(bytes);
    const stop = this.at + length;
    if (!(length >= 0 && stop <= end) || bytes[this.at++] !== ENTRY_NAME) return false;
    let size = this.varint(bytes);
    if (!(size >= 0 && size <= stop - this.at)) return false;
    const name = this.filler.textAt(bytes, this.at, this.at + size);
    this.at += size;
    if (bytes[this.at++] !== ENTRY_TEXT) return false;
    size = this.varint(bytes);
    if (size < 0 || this.at + size !== stop) return false;
    const text = this.filler.textAt(bytes, this.at, stop);
    this.at = stop;
    return this.filler.other(plan.kind, name, text, reading);
  }

  private readInvalid(bytes: Uint8Array, end: number, plan: WirePlan, reading: Reading): boolean {
    const length = this.varint(bytes);
    if (!(length >= 0 && length <= end - this.at)) return false;
    const stop = this.at + length;
    while (this.at < stop) {
      const number = this.varint(bytes);
      const field = number >= 0 && number < plan.fieldOf.length ? plan.fieldOf[number] : -1;
      if (field < 0 || (reading.present & (1 << field)) !== 0) return false;
      this.filler.invalid(field, reading);
    }
    return this.at === stop;
  }

  /** The varint at hand; -1 where it is longer than a whole number that is not negative needs. */
  private varint(bytes: Uint8Array): number {
    let byte = bytes[this.at++];
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 0x80; scale <= 2 ** 42; scale *= 0x80) {
      byte = bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

function tagTable({ numberOf, kind }: WirePlan): Int16Array {
  const tags = Array.from(numberOf, (number, field) => (number << 3) | WIRE_OF[kind.shape[field]]);
  const table = new Int16Array(Math.max(0, ...tags) + 1).fill(-1);
  tags.forEach((tag, field) => {
    table[tag] = field;
  });
  return table;
}
