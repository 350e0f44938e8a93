import type { Reading } from '../runtime/shard/reading.ts';
import { fingerprintAscii } from './ascii.ts';
import { finishFields } from './fields.ts';
import { isPlainAscii } from './filler.ts';
import { MAX_SERIAL_CHARS, MAX_TXID_CHARS } from './limits.ts';
import type { KindPlan } from './plan.ts';
import { settleTimes } from './settle.ts';
import { TIME_ABSENT, TIME_END, TIME_MIN } from './time.ts';

const isPossible = (ms: number) => ms >= TIME_MIN && ms < TIME_END;

/** What a record says beside its fields, on the fast path of a binary format: gathered, then settled into the reading. */
export class RecordHead {
  serialStart = 0;
  serialEnd = 0;
  /** Epoch milliseconds. */
  deviceTime = 0;
  receiveTime = TIME_ABSENT;
  txid = 0;
  seqNo = -1;
  resend = false;
  private readonly problems: Int32Array;

  constructor(problems: Int32Array) {
    this.problems = problems;
  }

  /** Forgets the record before, and empties the reading. */
  start(reading: Reading): void {
    this.serialEnd = this.serialStart = 0;
    this.deviceTime = 0;
    this.receiveTime = TIME_ABSENT;
    this.txid = 0;
    this.seqNo = -1;
    this.resend = false;
    reading.present = 0;
    reading.invalid = 0;
    reading.extra = null;
  }

  /** False when the serial in bytes [start, end) is not plain. */
  serial(bytes: Uint8Array, start: number, end: number): boolean {
    this.serialStart = start;
    this.serialEnd = end;
    return end > start && end - start <= MAX_SERIAL_CHARS && isPlainAscii(bytes, start, end);
  }

  /** False when the txid in bytes [start, end) is not plain. */
  mark(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > MAX_TXID_CHARS || !isPlainAscii(bytes, start, end)) return false;
    this.txid = end === start ? 0 : fingerprintAscii(bytes, start, end);
    return true;
  }

  /** The record is read whole; false when something is missing in it or impossible. */
  finish(kind: number, plan: KindPlan, timestamp: number, reading: Reading): boolean {
    const { deviceTime, receiveTime, seqNo } = this;
    if (this.serialEnd === 0 || !isPossible(deviceTime)) return false;
    if (receiveTime !== TIME_ABSENT && !isPossible(receiveTime)) return false;
    if (!(seqNo >= -1 && Number.isSafeInteger(seqNo))) return false;
    reading.kind = kind;
    reading.txid = this.txid;
    reading.resend = this.resend;
    reading.seqNo = seqNo;
    finishFields(plan, reading);
    return settleTimes(deviceTime, receiveTime, timestamp, reading, this.problems) === 0;
  }
}
