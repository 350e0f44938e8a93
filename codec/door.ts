import { Reading } from '../runtime/shard/reading.ts';
import { parseObject } from './document.ts';
import { lifecycleOf } from './lifecycle.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import type { DecodedKind } from './plan.ts';
import { REASONS, type ReasonCode } from './reasons.ts';
import { createTelemetryDecoder, type TelemetryDecoder } from './telemetry.ts';

/** Where a record belongs: its topic and its key, the serial in UTF-8. The key may be a view into the record's bytes. */
export interface Accepted {
  readonly topic: 'telemetry' | 'lifecycle';
  readonly key: Uint8Array;
}

export interface Refused {
  readonly reason: ReasonCode;
  /** For people, where the code alone leaves it open. */
  readonly detail?: string;
}

/**
 * Stands at the doors where both kinds of record come mixed: `ingest` and POST. What it accepts, the shard's own
 * decoders accept too, as they are the same.
 */
export class Door {
  private readonly decoder: TelemetryDecoder;
  private readonly kinds: ReadonlySet<string>;
  private readonly reading = new Reading();

  constructor(kinds: readonly DecodedKind[]) {
    this.decoder = createTelemetryDecoder(kinds);
    this.kinds = new Set(kinds.map((kind) => kind.name));
  }

  /** Tells which record bytes [start, end) are, and checks it. `now`: the door's clock, epoch milliseconds. */
  classify(bytes: Uint8Array, start: number, end: number, now: number): Accepted | Refused {
    const decoder = this.decoder;
    const reason = decoder.decode(bytes, start, end, now, this.reading);
    if (reason === 0) {
      return { topic: 'telemetry', key: decoder.serialBytes.subarray(decoder.serialStart, decoder.serialEnd) };
    }
    const doc = parseObject(bytes, start, end, MAX_RECORD_BYTES);
    if (typeof doc === 'number') return { reason: REASONS[doc].code };
    if (doc.deviceTime !== undefined || doc.fields !== undefined) return { reason: REASONS[reason].code };
    if (doc.type === undefined && doc.eventTime === undefined) return { reason: 'unknown_record' };
    const outcome = lifecycleOf(doc, now, this.kinds);
    if (!outcome.ok) return { reason: outcome.reason, detail: outcome.detail };
    return { topic: 'lifecycle', key: Buffer.from(outcome.record.serial) };
  }
}
