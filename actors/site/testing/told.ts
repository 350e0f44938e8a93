import { openTestFold, type TestFold } from '../../../runtime/shard/testing/test-fold.ts';
import { publishOpen } from '../../../runtime/shard/timers.ts';
import type { Address } from '../../../runtime/shard/derived.ts';
import { siteType } from '../index.ts';

export const START = Date.UTC(2024, 5, 1);
export const MINUTE = 60_000;
export const QUARTER = 15 * MINUTE;

/** A contribution before it is told. Times are epoch milliseconds. */
export interface Told {
  readonly to: Address;
  readonly type: string;
  readonly serial: string;
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly op: 'upsert' | 'retract';
  readonly eventTime: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const TIMES = new Set(['fromTime', 'toTime', 'startTime', 'minute', 'at', 'openedTime', 'closedTime']);

/** As it lies in the log: times are texts. */
export function onTheLog(told: Told): Uint8Array {
  const time = (ms: number) => new Date(ms).toISOString();
  const data = Object.fromEntries(
    Object.entries(told.data).map(([name, v]) => [name, TIMES.has(name) && typeof v === 'number' ? time(v) : v]),
  );
  const eventTime = time(told.eventTime);
  return Buffer.from(JSON.stringify({ ...told, id: 'x', eventTime, recordTime: eventTime, machine: 'm@1', data }));
}

export function stay(
  serial: string,
  kind: string,
  slot: string,
  from: number,
  to: number | null,
  more: Readonly<Record<string, unknown>> = {},
  version = 1,
): Told {
  const data = { siteId: 'S', slot, serial, fromTime: from, toTime: to, ...more };
  const key = `S/${slot}/${new Date(from).toISOString()}`;
  return told(serial, kind, 'slot_occupancy', key, from, data, version);
}

export function values(
  serial: string,
  kind: string,
  at: number,
  of: Readonly<Record<string, number | null>>,
  version: number,
  staleAfterMs = 15 * MINUTE,
): Told {
  const minute = at - (at % MINUTE);
  const key = `${serial}/${new Date(minute).toISOString()}`;
  return told(serial, kind, 'member_state', key, minute, { minute, at, staleAfterMs, values: of }, version);
}

export function energy(
  serial: string,
  kind: string,
  start: number,
  inWh: number,
  outWh: number,
  version: number,
  coverage = 1,
): Told {
  const data = { startTime: start, lengthS: 900, inWh, outWh, method: 'power', coverage };
  return told(serial, kind, 'energy_interval', `${serial}/${start}/900`, start, data, version);
}

export function told(
  serial: string,
  kind: string,
  type: string,
  key: string,
  eventTime: number,
  data: Readonly<Record<string, unknown>>,
  version: number,
  op: Told['op'] = 'upsert',
): Told {
  return { to: { kind: 'site', key: 'S' }, type, serial, kind, key, version, op, eventTime, data };
}

/** Facts of the places after these contributions came in this order, as tables show them. */
export async function currentAfter(records: readonly Told[]): Promise<Map<string, Current>> {
  const test = await openTestFold(siteType, { blocksPerKind: 1 });
  try {
    tell(test, records);
    return test.current() as Map<string, Current>;
  } finally {
    await test.close();
  }
}

export interface Current {
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function tell(test: TestFold, records: readonly Told[], clock = START): void {
  test.feed('telemetry', records.map(onTheLog), clock);
  while (publishOpen(test.fold, clock, 100) > 0);
}

/** Data of the facts of a type, by time. */
export function dataOf(current: ReadonlyMap<string, Current>, type: string): Readonly<Record<string, unknown>>[] {
  return [...current]
    .filter(([id]) => id.startsWith(`${type} `))
    .sort(([, a], [, b]) => (a.eventTime < b.eventTime ? -1 : 1))
    .map(([, { data }]) => data);
}

/** The same, told to another actor. */
export function to(kind: string, key: string, told: Told): Told {
  return { ...told, to: { kind, key } };
}
