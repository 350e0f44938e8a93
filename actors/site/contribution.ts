import type { ReadingDecoder } from '../../runtime/shard/contract.ts';
import type { Address, DerivedData } from '../../runtime/shard/derived.ts';
import type { Reading } from '../../runtime/shard/reading.ts';

/** A fact of another actor as it is told to this one: a derived event, and whom it is for. Times are epoch milliseconds. */
export interface Contribution {
  readonly to: Address;
  readonly type: string;
  readonly serial: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly op: 'upsert' | 'retract';
  readonly eventTime: number;
  readonly recordTime: number;
  /** When the log accepted it. */
  readonly arrivedAt: number;
  readonly data: DerivedData;
}

const MALFORMED = 1;
const UNKNOWN_KIND = 2;
const encoder = new TextEncoder();
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Reads contributions to actors of `kinds`. Only the runtime writes them, so whatever is not as expected is damage. */
export class ContributionDecoder implements ReadingDecoder {
  serialBytes: Uint8Array = new Uint8Array(0);
  readonly serialStart = 0;
  serialEnd = 0;
  readonly reasons = ['ok', 'malformed_contribution', 'unknown_kind'];
  readonly problems = new Map<string, number>();
  readonly #kinds: readonly string[];

  constructor(kinds: readonly string[]) {
    this.#kinds = kinds;
  }

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    const contribution = parse(bytes, start, end, timestamp);
    if (contribution === null) return MALFORMED;
    reading.kind = this.#kinds.indexOf(contribution.to.kind);
    if (reading.kind < 0) return UNKNOWN_KIND;
    this.serialBytes = encoder.encode(contribution.to.key);
    this.serialEnd = this.serialBytes.length;
    reading.deviceTime = contribution.eventTime;
    reading.receiveTime = contribution.recordTime;
    reading.content = contribution;
    return 0;
  }
}

function parse(bytes: Uint8Array, start: number, end: number, timestamp: number): Contribution | null {
  let event: unknown;
  try {
    event = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  } catch {
    return null;
  }
  if (!isObject(event) || !isObject(event.to) || !isObject(event.data)) return null;
  const { to, type, serial, kind, key, version, op } = event;
  if (!isName(to.kind) || !isName(to.key) || !isName(type) || !isName(serial) || !isName(kind) || !isName(key))
    return null;
  if (!Number.isSafeInteger(version) || (version as number) < 1 || (op !== 'upsert' && op !== 'retract')) return null;
  const eventTime = Date.parse(String(event.eventTime));
  if (Number.isNaN(eventTime)) return null;
  const recordTime = Date.parse(String(event.recordTime)) || timestamp;
  readTimes(event.data);
  const { data } = event;
  const about = { to, type, serial, kind, key, version, op, eventTime, recordTime, arrivedAt: timestamp, data };
  return about as unknown as Contribution;
}

/** Times are texts on the log and numbers in memory. */
function readTimes(data: Record<string, unknown>): void {
  for (const name in data) {
    const value = data[name];
    if (typeof value === 'string' && RFC_3339.test(value)) data[name] = Date.parse(value);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** A number of the data; NaN where there is none. */
export function numberAt(data: DerivedData, name: string): number {
  const value = data[name];
  return typeof value === 'number' ? value : Number.NaN;
}

/** A number of the data, or null. */
export function optional(data: DerivedData, name: string): number | null {
  const value = data[name];
  return typeof value === 'number' ? value : null;
}

/** A text of the data, or null. */
export function textAt(data: DerivedData, name: string): string | null {
  const value = data[name];
  return typeof value === 'string' ? value : null;
}
