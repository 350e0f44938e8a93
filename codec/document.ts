import { fingerprint } from '../runtime/kernel/hash.ts';
import type { Reading } from '../runtime/shard/reading.ts';
import { lastInk } from './ascii.ts';
import { finishFields, putField, putUnknown } from './fields.ts';
import { MAX_DEPTH, MAX_SERIAL_BYTES, MAX_SERIAL_CHARS, MAX_TXID_CHARS } from './limits.ts';
import type { KindPlan } from './plan.ts';
import { UNKNOWN_KEY, WRONG_TYPE } from './problems.ts';
import { Reason } from './reasons.ts';
import { settleTimes } from './settle.ts';
import { instantOf, TIME_ABSENT } from './time.ts';

export type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The object in the bytes, or the index of the reason why there is none. */
export function parseObject(bytes: Uint8Array, start: number, end: number, maxBytes: number): JsonObject | number {
  if (end - start > maxBytes) return Reason.too_large;
  if (lastInk(bytes, start, end) < start) return Reason.empty;
  let text: string;
  try {
    text = utf8.decode(bytes.subarray(start, end));
  } catch {
    return Reason.invalid_utf8;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return Reason.malformed_json;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return Reason.not_an_object;
  return isTooDeep(text) ? Reason.too_deep : (value as JsonObject);
}

/** Whether objects and arrays are nested too deep in a text that is known to be JSON and lies `depthAbove` levels down. */
export function isTooDeep(text: string, depthAbove = 0): boolean {
  let depth = depthAbove;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (c === '{' || c === '[') {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === '}' || c === ']') depth--;
  }
  return false;
}

const TOP_KEYS = new Set(['serial', 'kind', 'deviceTime', 'receiveTime', 'txid', 'resend', 'seqNo', 'fields']);

/**
 * A telemetry record from its parsed document: the meaning of every part, written for clarity. The fast path must give
 * the same for whatever it accepts. Returns the reason's index; `serial` of an accepted record is a valid one.
 */
export function readDocument(
  doc: JsonObject,
  plans: ReadonlyMap<string, number>,
  kinds: readonly KindPlan[],
  timestamp: number,
  reading: Reading,
  problems: Int32Array,
): number {
  const { serial, kind, deviceTime, receiveTime, txid, resend, seqNo, fields } = doc;
  if (isAbsent(serial)) return Reason.missing_serial;
  if (!isSerial(serial)) return Reason.bad_serial;
  if (isAbsent(kind)) return Reason.missing_kind;
  const kindIndex = typeof kind === 'string' ? plans.get(kind) : undefined;
  if (kindIndex === undefined) return Reason.unknown_kind;
  const device = isAbsent(deviceTime) ? TIME_ABSENT : instantOf(deviceTime);
  if (device === TIME_ABSENT) return Reason.missing_device_time;
  if (Number.isNaN(device)) return Reason.bad_device_time;
  const received = isAbsent(receiveTime) ? TIME_ABSENT : instantOf(receiveTime);
  if (Number.isNaN(received)) return Reason.bad_receive_time;
  if (isAbsent(fields)) return Reason.missing_fields;
  if (typeof fields !== 'object' || Array.isArray(fields)) return Reason.bad_fields;
  const mark = isAbsent(txid) || txid === '' ? 0 : txidOf(txid);
  if (mark < 0) return Reason.bad_txid;
  reading.kind = kindIndex;
  reading.txid = mark;
  reading.resend = resend === true;
  if (!isAbsent(resend) && typeof resend !== 'boolean') problems[WRONG_TYPE]++;
  reading.seqNo = -1;
  if (isSeqNo(seqNo)) reading.seqNo = seqNo + 0;
  else if (!isAbsent(seqNo)) problems[WRONG_TYPE]++;
  for (const key of Object.keys(doc)) if (!TOP_KEYS.has(key)) problems[UNKNOWN_KEY]++;
  readFields(fields as JsonObject, kinds[kindIndex], reading, problems);
  return settleTimes(device, received, timestamp, reading, problems);
}

function readFields(fields: JsonObject, plan: KindPlan, reading: Reading, problems: Int32Array): void {
  reading.present = 0;
  reading.invalid = 0;
  reading.extra = null;
  const unknown: string[] = [];
  for (const name of Object.keys(fields)) {
    const field = plan.indexOf.get(name);
    if (field === undefined) unknown.push(name);
    else if (field !== plan.meterValues) putField(plan, field, fields[name], reading, problems);
  }
  const meterValues = plan.meterValues < 0 ? undefined : fields[plan.specs[plan.meterValues].name];
  if (meterValues !== undefined) putField(plan, plan.meterValues, meterValues, reading, problems);
  putUnknown(unknown, fields, reading, problems);
  finishFields(plan, reading);
}

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** A serial: 1 to 64 characters, at most 128 bytes of UTF-8, no control characters, no half surrogates. */
export function isSerial(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_SERIAL_CHARS &&
    !hasControl(value) &&
    value.isWellFormed() &&
    Buffer.byteLength(value) <= MAX_SERIAL_BYTES
  );
}

/** C0, DEL and C1 control characters. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;
  }
  return false;
}

/** Fingerprint of a txid; -1 when it is none. */
function txidOf(value: unknown): number {
  if (typeof value === 'string') return value.length <= MAX_TXID_CHARS ? fingerprint(value) : -1;
  return typeof value === 'number' && Number.isFinite(value) ? fingerprint(String(value)) : -1;
}

const isSeqNo = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
