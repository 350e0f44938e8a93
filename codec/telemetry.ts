import type { Reading } from '../runtime/shard/reading.ts';
import { parseObject, readDocument } from './document.ts';
import { FastReader } from './fast.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import { type DecodedKind, KindPlan } from './plan.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import { Reason } from './reasons.ts';

export interface TelemetryLimits {
  /** Larger records are refused as `too_large`. Default 64 KiB. */
  readonly maxBytes?: number;
}

/**
 * Decodes telemetry records from their JSON bytes. One decoder serves one caller: it keeps what it found last.
 *
 * The usual record is read straight from the bytes; whatever is unusual in form (escapes, non-ASCII, duplicate keys and
 * so on) and whatever would be refused goes through JSON.parse. Both ways mean the same, and a test holds them to it.
 */
export class TelemetryDecoder {
  /** Of the record that was accepted last: its serial is bytes [serialStart, serialEnd) of serialBytes, in UTF-8. */
  serialBytes: Uint8Array = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  /** Accepted records that needed JSON.parse. */
  slowCount = 0;
  private readonly kinds: readonly KindPlan[];
  private readonly kindIndex: ReadonlyMap<string, number>;
  private readonly maxBytes: number;
  private readonly fast: FastReader;
  private readonly pending = new Int32Array(PROBLEMS.length);
  private readonly totals = new Float64Array(PROBLEMS.length);

  constructor(kinds: readonly DecodedKind[], limits: TelemetryLimits = {}) {
    this.kinds = kinds.map((kind) => new KindPlan(kind));
    this.kindIndex = new Map(kinds.map((kind, index) => [kind.name, index]));
    this.maxBytes = limits.maxBytes ?? MAX_RECORD_BYTES;
    this.fast = new FastReader(this.kinds, this.pending);
  }

  /**
   * Decodes bytes [start, end) into `reading`. Returns 0, or the index of the reason in REASONS; then the reading and the
   * serial mean nothing. `timestamp` is when the log accepted the record, epoch milliseconds.
   */
  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    if (end - start <= this.maxBytes && this.fast.read(bytes, start, end, timestamp, reading)) {
      this.serialBytes = bytes;
      this.serialStart = this.fast.serialStart;
      this.serialEnd = this.fast.serialEnd;
    } else {
      const reason = this.decodeDocument(bytes, start, end, timestamp, reading);
      if (reason !== 0) return reason;
    }
    this.settleProblems();
    return 0;
  }

  /** The same without the fast path: the reference that the fast path is tested against. */
  decodeSlowly(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    const reason = this.decodeDocument(bytes, start, end, timestamp, reading);
    if (reason === 0) this.settleProblems();
    return reason;
  }

  private decodeDocument(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    this.pending.fill(0);
    this.serialStart = this.serialEnd = 0;
    const doc = parseObject(bytes, start, end, this.maxBytes);
    if (typeof doc === 'number') return doc;
    const reason = readDocument(doc, this.kindIndex, this.kinds, timestamp, reading, this.pending);
    if (reason !== Reason.ok) {
      this.pending.fill(0);
      return reason;
    }
    this.serialBytes = Buffer.from(doc.serial as string);
    this.serialEnd = this.serialBytes.length;
    this.slowCount++;
    return Reason.ok;
  }

  private settleProblems(): void {
    const pending = this.pending;
    for (let i = 0; i < pending.length; i++) {
      if (pending[i] === 0) continue;
      this.totals[i] += pending[i];
      pending[i] = 0;
    }
  }

  /** The serial of the record that was accepted last, as a string. */
  serial(): string {
    return Buffer.from(this.serialBytes.buffer, this.serialBytes.byteOffset).toString(
      'utf8',
      this.serialStart,
      this.serialEnd,
    );
  }

  /** How often each problem occurred in accepted records since the decoder was made. */
  get problems(): ReadonlyMap<ProblemCode, number> {
    return new Map(PROBLEMS.map(({ code }, i) => [code, this.totals[i]]));
  }
}

/** A decoder for the kinds of an actor type; `Reading.kind` is the index in `kinds`. */
export function createTelemetryDecoder(kinds: readonly DecodedKind[], limits?: TelemetryLimits): TelemetryDecoder {
  return new TelemetryDecoder(kinds, limits);
}
