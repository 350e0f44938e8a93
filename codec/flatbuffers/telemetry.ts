import type { Reading } from '../../runtime/shard/reading.ts';
import type { JsonObject } from '../document.ts';
import { Filler } from '../filler.ts';
import type { TelemetryFormat } from '../format.ts';
import { RecordHead } from '../head.ts';
import { ALERTS, BOOL, ENUM, LIST, NUMBER, NUMBER_OR_NONE, TEXT } from '../plan.ts';
import { FIRST_FIELD_ID } from '../schema/fbs.ts';
import { orReason } from '../wire-document.ts';
import type { WirePlan } from '../wire-plan.ts';
import { NO_NAMES, type WriterNames } from '../writer-names.ts';
import * as Id from './document.ts';
import { flatDocument, listOf, otherOf } from './document.ts';
import { FlatMemory, FlatTable } from './table.ts';

/**
 * Telemetry in FlatBuffers. The fast path reads only the fields that are present, in order of their ids; it believes no
 * offset: whatever would lie outside of the record is not its case.
 */
export class FlatBuffersFormat implements TelemetryFormat {
  private readonly plans: readonly WirePlan[];
  private readonly byNumber: ReadonlyMap<number, WirePlan>;
  private readonly names: WriterNames;
  private readonly head: RecordHead;
  private readonly filler: Filler;
  private source: Uint8Array | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private start = 0;
  private end = 0;
  /** Begin of the table at hand, of its list of offsets, and how many ids that has. */
  private table = 0;
  private vtable = 0;
  private size = 0;
  /** The text that `findText` found is bytes [from, to). */
  private from = 0;
  private to = 0;

  constructor(plans: readonly WirePlan[], problems: Int32Array, names: WriterNames = NO_NAMES) {
    this.plans = plans;
    this.byNumber = new Map(plans.map((plan) => [plan.number, plan]));
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
    return flatDocument(bytes, start, end, this.byNumber, this.names);
  }

  read(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): boolean {
    if (bytes !== this.source) this.lookAt(bytes);
    this.start = start;
    this.end = end;
    this.head.start(reading);
    if (!this.open(this.follow(start)) || this.size > Id.FIELDS_ID + 1 || !this.readHead(bytes)) return false;
    const kind = this.kindAtHand(bytes);
    if (kind < 0 || !this.open(this.follow(this.place(Id.FIELDS_ID, 4)))) return false;
    return (
      this.readFields(bytes, this.plans[kind], reading) &&
      this.head.finish(kind, this.plans[kind].kind, timestamp, reading)
    );
  }

  private lookAt(bytes: Uint8Array): void {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private readHead(bytes: Uint8Array): boolean {
    const { head } = this;
    if (!this.findText(Id.SERIAL_ID) || !head.serial(bytes, this.from, this.to)) return false;
    if (this.has(Id.TXID_ID) && !(this.findText(Id.TXID_ID) && head.mark(bytes, this.from, this.to))) return false;
    head.deviceTime = this.long(Id.DEVICE_TIME_ID);
    if (this.has(Id.RECEIVE_TIME_ID)) head.receiveTime = this.long(Id.RECEIVE_TIME_ID);
    if (this.has(Id.RESEND_ID)) {
      const at = this.place(Id.RESEND_ID, 1);
      if (at < 0) return false;
      head.resend = bytes[at] !== 0;
    }
    if (this.has(Id.SEQ_NO_ID)) {
      head.seqNo = this.long(Id.SEQ_NO_ID);
      if (!(head.seqNo >= 0)) return false;
    }
    return true;
  }

  private kindAtHand(bytes: Uint8Array): number {
    const at = this.place(Id.KIND_ID, 1);
    if (at < 0) return -1;
    const number = Id.kindNumber(bytes[at]);
    for (let kind = 0; kind < this.plans.length; kind++) if (this.plans[kind].number === number) return kind;
    return -1;
  }

  private readFields(bytes: Uint8Array, plan: WirePlan, reading: Reading): boolean {
    const { fieldOf } = plan;
    for (let id = Id.OTHER_ID + 1; id < this.size; id++) {
      if (!this.has(id)) continue;
      const number = id - FIRST_FIELD_ID;
      const field = number < fieldOf.length ? fieldOf[number] : -1;
      if (field < 0 || !this.readField(bytes, id, plan, field, reading)) return false;
    }
    if (this.has(Id.OTHER_ID) && !this.readOther(bytes, plan, reading)) return false;
    return !this.has(Id.INVALID_ID) || this.readInvalid(plan, reading);
  }

  private readField(bytes: Uint8Array, id: number, plan: WirePlan, field: number, reading: Reading): boolean {
    const { filler } = this;
    const shape = plan.kind.shape[field];
    if (shape === NUMBER || shape === NUMBER_OR_NONE) {
      const at = this.place(id, 8);
      if (at >= 0) filler.number(plan.kind, field, this.view.getFloat64(at, true), reading);
      return at >= 0;
    }
    if (shape === TEXT) return this.findText(id) && filler.text(plan.kind, field, bytes, this.from, this.to, reading);
    if (shape === LIST || shape === ALERTS) return this.readList(bytes, id, plan, field, reading);
    if (shape !== ENUM && shape !== BOOL) return false;
    const at = this.place(id, 1);
    if (at < 0) return false;
    const words = shape === ENUM ? (plan.wordOf[field] as Int16Array) : null;
    const code = words === null ? (bytes[at] === 0 ? 0 : 1) : bytes[at] < words.length ? words[bytes[at]] : -1;
    if (code >= 0) filler.code(field, code, reading);
    return code >= 0;
  }

  private readList(bytes: Uint8Array, id: number, plan: WirePlan, field: number, reading: Reading): boolean {
    const value = orReason(() => listOf(this.tableAtHand(bytes), id, plan.kind.specs[field].type));
    const list = typeof value === 'number' ? null : this.filler.list(plan.kind, field, value);
    if (list !== null) this.filler.extra(plan.kind, field, list, reading);
    return list !== null;
  }

  private readOther(bytes: Uint8Array, plan: WirePlan, reading: Reading): boolean {
    const others = orReason(() => otherOf(this.tableAtHand(bytes)));
    if (typeof others === 'number') return false;
    for (const [name, text] of others) if (!this.filler.other(plan.kind, name, text, reading)) return false;
    return true;
  }

  private tableAtHand(bytes: Uint8Array): FlatTable {
    return new FlatTable(new FlatMemory(bytes, this.start, this.end), this.table);
  }

  private readInvalid(plan: WirePlan, reading: Reading): boolean {
    const at = this.follow(this.place(Id.INVALID_ID, 4));
    const count = at < 0 ? -1 : this.view.getUint32(at, true);
    if (count < 0 || at + 4 + count * 2 > this.end) return false;
    for (let i = 0; i < count; i++) {
      const number = this.view.getUint16(at + 4 + i * 2, true);
      const field = number < plan.fieldOf.length ? plan.fieldOf[number] : -1;
      if (field < 0 || (reading.present & (1 << field)) !== 0) return false;
      this.filler.invalid(field, reading);
    }
    return true;
  }

  /** Makes the table at `at` the one at hand. */
  private open(at: number): boolean {
    if (!(at >= this.start && at + 4 <= this.end)) return false;
    const vtable = at - this.view.getInt32(at, true);
    if (!(vtable >= this.start && vtable + 4 <= this.end)) return false;
    const length = this.view.getUint16(vtable, true);
    this.table = at;
    this.vtable = vtable;
    this.size = (length - 4) >> 1;
    return length >= 4 && vtable + length <= this.end;
  }

  private has(id: number): boolean {
    return id < this.size && this.view.getUint16(this.vtable + 4 + id * 2, true) !== 0;
  }

  /** Where the `length` bytes of a field are; -1 where they are not, or not inside. */
  private place(id: number, length: number): number {
    if (id >= this.size) return -1;
    const offset = this.view.getUint16(this.vtable + 4 + id * 2, true);
    const at = this.table + offset;
    return offset !== 0 && at + length <= this.end ? at : -1;
  }

  /** Where the offset at `at` leads to, if four bytes of it lie inside; else -1. */
  private follow(at: number): number {
    if (at < 0 || at + 4 > this.end) return -1;
    const target = at + this.view.getUint32(at, true);
    return target + 4 <= this.end ? target : -1;
  }

  private findText(id: number): boolean {
    const at = this.follow(this.place(id, 4));
    if (at < 0) return false;
    this.from = at + 4;
    this.to = at + 4 + this.view.getUint32(at, true);
    return this.to <= this.end;
  }

  /** NaN where there is none. */
  private long(id: number): number {
    const at = this.place(id, 8);
    return at < 0 ? Number.NaN : this.view.getInt32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
  }
}
