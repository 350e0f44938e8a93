import type { ReadingDecoder } from '../../runtime/shard/contract.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import { type JsonObject, readDocument } from '../document.ts';
import { MAX_RECORD_BYTES } from '../limits.ts';
import { type DecodedKind, KindPlan } from '../plan.ts';
import { PROBLEMS } from '../problems.ts';
import { Reason, REASONS } from '../reasons.ts';
import { bare, orReason } from '../wire-document.ts';
import { checkTeslaMap, type TeslaMap, translate } from './map.ts';
import { readTesla, type TeslaMessage } from './messages.ts';

/** Turns messages of Tesla's fleet telemetry into our telemetry records, as documents. */
export class TeslaTranslator {
  readonly #map: TeslaMap;
  readonly #rules: ReadonlyMap<string, TeslaMap['fields'][string]>;
  readonly #numbers: ReadonlySet<string>;

  /** Throws `tesla_map_invalid` (fix-configuration). */
  constructor(kinds: readonly DecodedKind[], map: TeslaMap) {
    checkTeslaMap(map, kinds);
    this.#map = map;
    this.#rules = new Map(Object.entries(map.fields));
    const fields = kinds.find(({ name }) => name === map.kind)?.fields ?? [];
    this.#numbers = new Set(fields.filter(({ type }) => type === 'number').map(({ name }) => name));
  }

  /** The record in bytes [start, end) as the document that JSON would be, or the index of the reason why there is none. */
  document(message: TeslaMessage, bytes: Uint8Array, start: number, end: number): JsonObject | number {
    if (end === start) return Reason.empty;
    if (end - start > MAX_RECORD_BYTES) return Reason.too_large;
    return orReason(() => {
      const { vin, createdAt, isResend, values, alerts } = readTesla(message, bytes, start, end);
      const fields = this.#fields(values);
      if (alerts !== null) fields.alerts = alerts;
      return {
        // A message may come without a VIN.
        serial: vin === '' ? null : vin,
        kind: this.#map.kind,
        deviceTime: createdAt,
        ...(isResend ? { resend: true } : {}),
        fields,
      };
    });
  }

  #fields(values: JsonObject): Record<string, unknown> {
    const fields = bare() as Record<string, unknown>;
    for (const [name, value] of Object.entries(values)) {
      const rule = this.#rules.get(name);
      if (rule === undefined) fields[name] = value;
      else fields[rule.field] = translate(rule, this.#numbers.has(rule.field), value);
    }
    return fields;
  }
}

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
