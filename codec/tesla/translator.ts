import type { JsonObject } from '../document.ts';
import { MAX_RECORD_BYTES } from '../limits.ts';
import type { DecodedKind } from '../plan.ts';
import { Reason } from '../reasons.ts';
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
