import { type Alert, normaliseAlerts } from './alerts.ts';
import type { JsonObject } from './document.ts';
import { MAX_LIST_ITEM_CHARS, MAX_LIST_ITEMS, MAX_TEXT_CHARS } from './limits.ts';
import { numberOf } from './number.ts';
import { PROBLEMS } from './problems.ts';
import { SAMPLE_TEXTS } from './samples.ts';
import { instantOf, TIME_ABSENT } from './time.ts';
import type { WirePlan } from './wire-plan.ts';

/** A telemetry record as JSON knows it. */
export interface TelemetryDocument {
  readonly serial: string;
  readonly kind: string;
  /** RFC 3339 with an offset, or epoch milliseconds; receiveTime as well. */
  readonly deviceTime: string | number;
  readonly receiveTime?: string | number | null;
  readonly txid?: string | number | null;
  readonly resend?: boolean;
  readonly seqNo?: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A field whose value its column takes: a number, the index of a word, a boolean, a text, or a list. */
export interface TypedField {
  readonly field: number;
  readonly value: number | boolean | string | readonly string[] | readonly Alert[] | readonly JsonObject[];
}

/** A record's fields as binary formats hold them. Together they say exactly what the fields of the JSON record say. */
export interface EncodedParts {
  /** In ascending order of number. */
  readonly typed: readonly TypedField[];
  /** Numbers of fields that are null. */
  readonly invalid: readonly number[];
  /** Everything else, as JSON text by name. */
  readonly other: readonly (readonly [name: string, text: string])[];
}

export function encodeFields(plan: WirePlan, fields: Readonly<Record<string, unknown>>): EncodedParts {
  const typed: TypedField[] = [];
  const invalid: number[] = [];
  const other: [string, string][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const field = plan.kind.indexOf.get(name);
    const fit = field === undefined || value === null ? null : typedValue(plan, field, value);
    if (field !== undefined && value === null) invalid.push(plan.numberOf[field]);
    else if (field !== undefined && fit !== null) typed.push({ field, value: fit });
    else other.push([name, JSON.stringify(value)]);
  }
  typed.sort((a, b) => plan.numberOf[a.field] - plan.numberOf[b.field]);
  return { typed, invalid, other };
}

/** The value as its column holds it; null where the column cannot say what the value says. */
function typedValue(plan: WirePlan, field: number, value: unknown): TypedField['value'] | null {
  const spec = plan.kind.specs[field];
  switch (spec.type) {
    case 'number':
      return spec.numericText === true ? numberOf(value) : typeof value === 'number' ? value : null;
    case 'bool':
      return typeof value === 'boolean' ? value : null;
    case 'enum': {
      const word = typeof value === 'number' ? spec.codes?.indexOf(value) : spec.words?.indexOf(value as string);
      return word === undefined || word < 0 ? null : word;
    }
    case 'text':
      return isText(value, MAX_TEXT_CHARS) ? value : null;
    case 'list':
      return Array.isArray(value) &&
        value.length <= MAX_LIST_ITEMS &&
        value.every((item) => isText(item, MAX_LIST_ITEM_CHARS))
        ? value
        : null;
    case 'alerts': {
      const problems = new Int32Array(PROBLEMS.length);
      const alerts = normaliseAlerts(value, problems);
      return problems.some((count) => count > 0) ? null : alerts;
    }
    case 'meterValues':
      return Array.isArray(value) && value.every(isSample) ? value : null;
  }
}

const isText = (value: unknown, maxChars: number): value is string =>
  typeof value === 'string' && value.length <= maxChars && value.isWellFormed();

const SAMPLE_KEYS: ReadonlySet<string> = new Set(SAMPLE_TEXTS);

/** A sample of OCPP 1.6: texts only. */
function isSample(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.every(([key, text]) => SAMPLE_KEYS.has(key) && typeof text === 'string' && text.isWellFormed());
}

/** The record's own parts as binary formats hold them; a part that is absent is null. */
export interface EncodedHead {
  readonly serial: string;
  readonly deviceTime: number | null;
  readonly receiveTime: number | null;
  readonly txid: string | null;
  readonly resend: boolean | null;
  readonly seqNo: number | null;
}

export function encodeHead(record: TelemetryDocument): EncodedHead {
  const { serial, deviceTime, receiveTime, txid, resend, seqNo } = record;
  return {
    serial,
    deviceTime: millisecondsOf(deviceTime),
    receiveTime: millisecondsOf(receiveTime),
    txid: txid === undefined || txid === null ? null : String(txid),
    resend: typeof resend === 'boolean' ? resend : null,
    seqNo: Number.isSafeInteger(seqNo) ? (seqNo as number) : null,
  };
}

/** Epoch milliseconds of a time; 0 for one that is none, so that the reader refuses it. */
export function millisecondsOf(time: string | number | null | undefined): number | null {
  if (time === undefined || time === null) return null;
  const ms = instantOf(time, Number.MIN_SAFE_INTEGER);
  if (ms === TIME_ABSENT) return null;
  return Number.isNaN(ms) ? 0 : ms;
}
