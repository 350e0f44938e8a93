import type { ReadingDecoder } from '../../runtime/shard/contract.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import { readDocument } from '../document.ts';
import { type DecodedKind, KindPlan } from '../plan.ts';
import { PROBLEMS } from '../problems.ts';
import { Reason, REASONS } from '../reasons.ts';
import type { TeslaMap } from './map.ts';
import type { TeslaMessage } from './messages.ts';
import { TeslaTranslator } from './translator.ts';

/**
 * Decodes one kind of message of Tesla's fleet telemetry. The bytes do not say which it is, the topic does. What our record
 * means, its checks, limits and reasons are those of every other format.
 */
export class TeslaDecoder implements ReadingDecoder {
  readonly reasons: readonly string[] = REASONS.map(({ code }) => code);
  serialBytes: Uint8Array = new Uint8Array(0);
  readonly serialStart = 0;
  serialEnd = 0;
  readonly #message: TeslaMessage;
  readonly #translator: TeslaTranslator;
  readonly #kinds: readonly KindPlan[];
  readonly #kindIndex: ReadonlyMap<string, number>;
  readonly #pending = new Int32Array(PROBLEMS.length);
  readonly #totals = new Float64Array(PROBLEMS.length);

  constructor(kinds: readonly DecodedKind[], map: TeslaMap, message: TeslaMessage) {
    this.#message = message;
    this.#translator = new TeslaTranslator(kinds, map);
    this.#kinds = kinds.map((kind) => new KindPlan(kind));
    this.#kindIndex = new Map(kinds.map(({ name }, index) => [name, index]));
  }

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    this.#pending.fill(0);
    const doc = this.#translator.document(this.#message, bytes, start, end);
    if (typeof doc === 'number') return doc;
    const reason = readDocument(doc, this.#kindIndex, this.#kinds, timestamp, reading, this.#pending);
    if (reason !== Reason.ok) return reason;
    this.serialBytes = Buffer.from(doc.serial as string);
    this.serialEnd = this.serialBytes.length;
    this.#pending.forEach((count, i) => {
      this.#totals[i] += count;
    });
    return Reason.ok;
  }

  get problems(): ReadonlyMap<string, number> {
    return new Map(PROBLEMS.map(({ code }, i) => [code, this.#totals[i]]));
  }
}

/** A decoder of one of Tesla's messages for the kinds of an actor type. Throws `tesla_map_invalid` (fix-configuration). */
export function createTeslaDecoder(
  kinds: readonly DecodedKind[],
  map: TeslaMap,
  message: TeslaMessage = 'V',
): TeslaDecoder {
  return new TeslaDecoder(kinds, map, message);
}
