import { hasControl, isSerial, type JsonObject, parseObject } from './document.ts';
import { FUTURE_TOLERANCE_MS, MAX_RECORD_BYTES } from './limits.ts';
import { dataProblem, LIFECYCLE_TYPES } from './lifecycle-data.ts';
import { REASONS, Reason, type ReasonCode } from './reasons.ts';
import { instantOf, TIME_ABSENT } from './time.ts';

/** What a person or a business system says about an asset. Times are epoch milliseconds. */
export interface DecodedLifecycle {
  readonly id: string;
  readonly serial: string;
  readonly kind: string;
  readonly type: string;
  readonly eventTime: number;
  readonly recordTime: number;
  /** Empty when the record names none. */
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type LifecycleOutcome =
  | { readonly ok: true; readonly record: DecodedLifecycle }
  | { readonly ok: false; readonly reason: ReasonCode; readonly detail?: string };

/** Assets may be older than their telemetry: times from 1990 on are possible. */
const LIFECYCLE_TIME_MIN = Date.UTC(1990, 0, 1);
const MAX_ID_CHARS = 128;

const refused = (reason: ReasonCode, detail?: string): LifecycleOutcome => ({ ok: false, reason, detail });
const isAbsent = (value: unknown) => value === undefined || value === null;

/**
 * Decodes a lifecycle record from its JSON bytes [start, end). `timestamp` is when the log accepted it, epoch ms: it stands in
 * for a missing `recordTime`, and neither time may be more than 5 minutes after it. `detail` says for people what is wrong with `data`.
 * Without `kinds` any name is taken for a kind.
 */
export function decodeLifecycle(
  bytes: Uint8Array,
  start: number,
  end: number,
  timestamp: number,
  kinds?: ReadonlySet<string>,
): LifecycleOutcome {
  const doc = parseObject(bytes, start, end, MAX_RECORD_BYTES);
  return typeof doc === 'number' ? refused(REASONS[doc].code) : lifecycleOf(doc, timestamp, kinds);
}

/** The same from a parsed document. */
export function lifecycleOf(doc: JsonObject, timestamp: number, kinds?: ReadonlySet<string>): LifecycleOutcome {
  const reason = headProblem(doc, kinds);
  if (reason !== null) return refused(reason);
  const eventTime = instantOf(doc.eventTime, LIFECYCLE_TIME_MIN);
  if (eventTime === TIME_ABSENT) return refused('missing_event_time');
  if (Number.isNaN(eventTime)) return refused('bad_event_time');
  if (eventTime > timestamp + FUTURE_TOLERANCE_MS) return refused('future_event_time');
  const stated = isAbsent(doc.recordTime) ? TIME_ABSENT : instantOf(doc.recordTime, LIFECYCLE_TIME_MIN);
  if (Number.isNaN(stated)) return refused('bad_record_time');
  const recordTime = stated === TIME_ABSENT ? timestamp : Math.min(stated, timestamp + FUTURE_TOLERANCE_MS);
  const data = isAbsent(doc.data) ? {} : doc.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    return refused('bad_lifecycle_data', 'data must be an object');
  const type = doc.type as string;
  const detail = dataProblem(type, data as JsonObject);
  if (detail !== null) return refused('bad_lifecycle_data', detail);
  const { id, serial, kind } = doc as Record<string, string>;
  const source = isAbsent(doc.source) ? '' : (doc.source as string);
  return { ok: true, record: { id, serial, kind, type, eventTime, recordTime, source, data: data as JsonObject } };
}

/** What is wrong with the parts that every type has, times aside. */
function headProblem(doc: JsonObject, kinds?: ReadonlySet<string>): ReasonCode | null {
  const { id, serial, kind, type, eventTime, source } = doc;
  if (isAbsent(serial)) return 'missing_serial';
  if (!isSerial(serial)) return 'bad_serial';
  if (isAbsent(kind)) return 'missing_kind';
  if (!isLabel(kind, MAX_ID_CHARS) || kinds?.has(kind) === false) return 'unknown_kind';
  if (!isLabel(id, MAX_ID_CHARS)) return 'bad_id';
  if (isAbsent(type)) return 'missing_type';
  if (typeof type !== 'string' || !LIFECYCLE_TYPES.has(type)) return 'unknown_lifecycle_type';
  if (isAbsent(eventTime)) return 'missing_event_time';
  if (!isAbsent(source) && !(source === '' || isLabel(source, MAX_ID_CHARS))) return 'bad_source';
  return null;
}

function isLabel(value: unknown, maxChars: number): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= maxChars &&
    value.isWellFormed() &&
    !hasControl(value)
  );
}

/** Index of a reason in REASONS, for dead letters. */
export const reasonIndex = (code: ReasonCode): number => Reason[code];
