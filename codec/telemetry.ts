import type { Reading } from '../runtime/shard/reading.ts';
import { readDocument } from './document.ts';
import type { TelemetryFormat } from './format.ts';
import { JsonFormat } from './json-format.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import { type DecodedKind, KindPlan } from './plan.ts';
import { ProblemCounts, type ProblemCode } from './problems.ts';
import { Reason } from './reasons.ts';

export interface TelemetryLimits {
  /** Larger records are refused as `too_large`. Default 64 KiB. */
  readonly maxBytes?: number;
}

/**
 * Decodes telemetry records of one format from their bytes. One decoder serves one caller: it keeps what it found last.
 *
 * The usual record is read straight from the bytes; whatever is unusual in form and whatever would be refused goes by way
 * of a document. Both ways mean the same, and a test holds them to it.
 */
export class TelemetryDecoder {
  /** Of the record that was accepted last: its serial is bytes [serialStart, serialEnd) of serialBytes, in UTF-8. */
  serialBytes: Uint8Array = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  /** Accepted records that went by way of a document. */
  slowCount = 0;
  private readonly kinds: readonly KindPlan[];
  private readonly kindIndex: ReadonlyMap<string, number>;
  private readonly maxBytes: number;
  private readonly format: TelemetryFormat;
  private readonly counts: ProblemCounts;

  constructor(
    kinds: readonly KindPlan[],
    format: TelemetryFormat,
    counts: ProblemCounts,
    { maxBytes = MAX_RECORD_BYTES }: TelemetryLimits = {},
  ) {
    this.kinds = kinds;
    this.kindIndex = new Map(kinds.map((kind, index) => [kind.name, index]));
    this.maxBytes = maxBytes;
    this.format = format;
    this.counts = counts;
  }

  /**
   * Decodes bytes [start, end) into `reading`. Returns 0, or the index of the reason in REASONS; then the reading and the
   * serial mean nothing. `timestamp` is when the log accepted the record, epoch milliseconds.
   */
  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    const format = this.format;
    if (end - start <= this.maxBytes && format.read(bytes, start, end, timestamp, reading)) {
      this.serialBytes = bytes;
      this.serialStart = format.serialStart;
      this.serialEnd = format.serialEnd;
      this.counts.settle();
      return Reason.ok;
    }
    return this.decodeSlowly(bytes, start, end, timestamp, reading);
  }

  /** The same without the fast path: the reference that the fast path is tested against. */
  decodeSlowly(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    const { counts } = this;
    counts.pending.fill(0);
    this.serialStart = this.serialEnd = 0;
    if (end - start > this.maxBytes) return Reason.too_large;
    const doc = this.format.document(bytes, start, end);
    if (typeof doc === 'number') return doc;
    const reason = readDocument(doc, this.kindIndex, this.kinds, timestamp, reading, counts.pending);
    if (reason !== Reason.ok) {
      counts.pending.fill(0);
      return reason;
    }
    this.serialBytes = Buffer.from(doc.serial as string);
    this.serialEnd = this.serialBytes.length;
    this.slowCount++;
    counts.settle();
    return Reason.ok;
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
    return this.counts.totals;
  }
}

/** A decoder of JSON for the kinds of an actor type; `Reading.kind` is the index in `kinds`. */
export function createTelemetryDecoder(kinds: readonly DecodedKind[], limits?: TelemetryLimits): TelemetryDecoder {
  const plans = kinds.map((kind) => new KindPlan(kind));
  const counts = new ProblemCounts();
  return new TelemetryDecoder(plans, new JsonFormat(plans, counts.pending, limits?.maxBytes), counts, limits);
}
