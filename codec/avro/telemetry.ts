import type { Reading } from '../../runtime/shard/reading.ts';
import type { JsonObject } from '../document.ts';
import { Filler } from '../filler.ts';
import type { TelemetryFormat } from '../format.ts';
import { RecordHead } from '../head.ts';
import { ALERTS, BOOL, ENUM, LIST, TEXT } from '../plan.ts';
import { SliceCache } from '../slices.ts';
import { orReason } from '../wire-document.ts';
import type { WirePlan } from '../wire-plan.ts';
import { AvroCursor } from './cursor.ts';
import { avroDocument, listOf } from './document.ts';
import { endOfAvro } from './extent.ts';
import { type Column, FOREIGN_COLUMN, INVALID_COLUMN, type KindColumns, layoutOf, OTHER_COLUMN } from './layout.ts';
import type { AvroType } from './schema.ts';
import { AvroValueReader } from './value.ts';

/**
 * Telemetry in Avro, written with one schema. The fast path reads records that are built as `telemetry.avsc` in one pass
 * over the bytes. Reading past the end shows at the end: nothing that was read there is used.
 */
export class AvroFormat implements TelemetryFormat {
  private readonly schema: AvroType;
  private readonly plans: readonly WirePlan[];
  private readonly layout: readonly (KindColumns | null)[] | null;
  private readonly head: RecordHead;
  private readonly filler: Filler;
  private readonly lists = [new SliceCache<readonly unknown[]>(), new SliceCache<readonly unknown[]>()] as const;
  private source: Uint8Array | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the fast path reads. */
  private at = 0;
  /** Something was no branch of a union. */
  private isBroken = false;

  constructor(plans: readonly WirePlan[], problems: Int32Array, schema: AvroType) {
    this.schema = schema;
    this.plans = plans;
    this.layout = layoutOf(schema, plans);
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
    return avroDocument(bytes, start, end, this.schema, this.plans);
  }

  read(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): boolean {
    if (this.layout === null) return false;
    if (bytes !== this.source) this.lookAt(bytes);
    this.head.start(reading);
    this.at = start;
    this.isBroken = false;
    if (!this.readHead(bytes, end)) return false;
    const branch = this.long(bytes);
    const record = branch >= 0 && branch < this.layout.length ? this.layout[branch] : null;
    if (record === null || !this.readFields(bytes, end, record, reading) || this.at !== end) return false;
    return this.head.finish(record.kind, this.plans[record.kind].kind, timestamp, reading);
  }

  private lookAt(bytes: Uint8Array): void {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private readHead(bytes: Uint8Array, end: number): boolean {
    const { head } = this;
    let length = this.slice(bytes, end);
    if (length < 0 || !head.serial(bytes, this.at - length, this.at)) return false;
    head.deviceTime = this.long(bytes);
    if (this.branch(bytes)) head.receiveTime = this.long(bytes);
    if (this.branch(bytes)) {
      length = this.slice(bytes, end);
      if (length < 0 || !head.mark(bytes, this.at - length, this.at)) return false;
    }
    const resend = bytes[this.at++];
    head.resend = resend === 1;
    if (this.branch(bytes)) {
      head.seqNo = this.long(bytes);
      if (head.seqNo < 0) return false;
    }
    return resend <= 1 && !this.isBroken && this.at < end;
  }

  private readFields(bytes: Uint8Array, end: number, { kind, columns }: KindColumns, reading: Reading): boolean {
    const plan = this.plans[kind];
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      // Null is the first branch: one byte, by far the most frequent.
      if (column.isOptional) {
        const branch = bytes[this.at++];
        if (branch === 0) continue;
        if (branch !== 2) return false;
      }
      if (!this.readColumn(bytes, end, plan, column, reading)) return false;
      if (!(this.at <= end)) return false;
    }
    return true;
  }

  private readColumn(bytes: Uint8Array, end: number, plan: WirePlan, column: Column, reading: Reading): boolean {
    const { field, words } = column;
    const { filler } = this;
    if (field < 0) {
      if (field === FOREIGN_COLUMN) return false;
      if (field === OTHER_COLUMN) return this.readOther(bytes, end, plan, reading);
      return field === INVALID_COLUMN && this.readInvalid(bytes, end, plan, reading);
    }
    switch (plan.kind.shape[field]) {
      case ENUM: {
        const symbol = this.long(bytes);
        const word = words !== null && symbol >= 0 && symbol < words.length ? words[symbol] : -1;
        if (word >= 0) filler.code(field, word, reading);
        return word >= 0;
      }
      case BOOL: {
        const value = bytes[this.at++];
        filler.code(field, value, reading);
        return value <= 1;
      }
      case TEXT: {
        const length = this.slice(bytes, end);
        return length >= 0 && filler.text(plan.kind, field, bytes, this.at - length, this.at, reading);
      }
      case LIST:
      case ALERTS:
        return this.readList(bytes, end, plan, column, reading);
      default:
        if (this.at + 8 > end) return false;
        filler.number(plan.kind, field, this.view.getFloat64(this.at, true), reading);
        this.at += 8;
        return true;
    }
  }

  /** Reads a list that was read before, or reads and remembers it. */
  private readList(bytes: Uint8Array, end: number, plan: WirePlan, { field, type }: Column, reading: Reading): boolean {
    const start = this.at;
    this.at = endOfAvro(type, bytes, start, end);
    if (this.at < 0) return false;
    const spec = plan.kind.specs[field];
    const cache = this.lists[spec.type === 'alerts' ? 1 : 0];
    let list = cache.get(bytes, start, this.at);
    if (list === null) {
      const cursor = new AvroCursor(bytes, start, this.at);
      const value = orReason<unknown>(() => listOf(spec.type, new AvroValueReader(cursor).read(type)));
      list = typeof value === 'number' ? null : this.filler.list(plan.kind, field, value);
      if (list === null) return false;
      cache.put(bytes, start, this.at, list);
    }
    this.filler.extra(plan.kind, field, list, reading);
    return true;
  }

  private readOther(bytes: Uint8Array, end: number, plan: WirePlan, reading: Reading): boolean {
    const { filler } = this;
    for (let count = this.long(bytes); count !== 0; count = this.long(bytes)) {
      if (!(count > 0 && count <= end - this.at)) return false;
      for (let i = 0; i < count; i++) {
        let length = this.slice(bytes, end);
        if (length < 0) return false;
        const name = filler.textAt(bytes, this.at - length, this.at);
        length = this.slice(bytes, end);
        if (length < 0) return false;
        if (!filler.other(plan.kind, name, filler.textAt(bytes, this.at - length, this.at), reading)) return false;
      }
    }
    return true;
  }

  private readInvalid(bytes: Uint8Array, end: number, plan: WirePlan, reading: Reading): boolean {
    for (let count = this.long(bytes); count !== 0; count = this.long(bytes)) {
      if (!(count > 0 && count <= end - this.at)) return false;
      for (let i = 0; i < count; i++) {
        const number = this.long(bytes);
        const field = number >= 0 && number < plan.fieldOf.length ? plan.fieldOf[number] : -1;
        if (field < 0 || (reading.present & (1 << field)) !== 0) return false;
        this.filler.invalid(field, reading);
      }
    }
    return true;
  }

  /** Whether the optional value at hand is there. */
  private branch(bytes: Uint8Array): boolean {
    const branch = bytes[this.at++];
    if (branch !== 0 && branch !== 2) this.isBroken = true;
    return branch === 2;
  }

  /** Passes over a text and returns its length; -1 where it does not end before the record. */
  private slice(bytes: Uint8Array, end: number): number {
    const length = this.long(bytes);
    if (!(length >= 0 && length <= end - this.at)) return -1;
    this.at += length;
    return length;
  }

  /** The whole number at hand; NaN where it is longer than an exact one needs. */
  private long(bytes: Uint8Array): number {
    let byte = bytes[this.at++];
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let scale = 0x80; scale <= 2 ** 42; scale *= 0x80) {
      byte = bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    return Number.NaN;
  }
}
