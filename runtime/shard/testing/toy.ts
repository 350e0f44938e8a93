import { defineState } from '../../../snapshots/schema.ts';
import { fingerprint } from '../../kernel/hash.ts';
import { type AnyAsset, assetColumns } from '../columns.ts';
import type {
  ActorType,
  Kind,
  LifecycleDecoded,
  LifecycleRecord,
  LifecycleResult,
  Occupancy,
  ReadingDecoder,
} from '../contract.ts';
import type { DerivedType, Facts } from '../derived.ts';
import { applyFields, fieldColumns, planFields } from '../fields.ts';
import type { FieldSpec, Reading } from '../reading.ts';

/**
 * The smallest kind that uses all that a shard offers: a lamp with a level and a mode. Its facts: one row per stay in
 * a mode, a lazy sum of levels per quarter of an hour, and a silence. With it the shard is tested without any energy.
 */
const fields: readonly FieldSpec[] = [
  { name: 'level', type: 'number', doc: 'Level', min: 0, max: 1000 },
  { name: 'mode', type: 'enum', doc: 'Mode', words: ['off', 'dim', 'bright'] },
  { name: 'note', type: 'text', doc: 'Note' },
];

const columns = {
  ...assetColumns,
  modeSince: { type: 'f64', doc: 'Start of the stay in the mode' },
  bucket: { type: 'f64', doc: 'Start of the quarter in progress' },
  sum: { type: 'f64', doc: 'Levels in it' },
} as const;
const state = defineState('lamp', 1, { ...columns, ...fieldColumns(fields) });
const plan = planFields(state, fields);
const modeColumn = state.index('mode');

const column = (name: string, type: 'text' | 'double' | 'time') => ({ name, type, doc: name });
export const stayType: DerivedType = {
  name: 'stay',
  table: 'stays',
  doc: 'A stay in a mode',
  key: 'serial, from',
  columns: [column('mode', 'text'), column('fromTime', 'time'), column('toTime', 'time')],
  forwarded: true,
};
export const sumType: DerivedType = {
  name: 'sum',
  table: 'sums',
  doc: 'Levels per quarter',
  key: 'serial, start',
  columns: [column('start', 'time'), column('total', 'double')],
  lazy: true,
};
export const silenceType: DerivedType = {
  name: 'silence',
  table: 'silences',
  doc: 'No reading for long',
  key: 'serial, from',
  columns: [column('fromTime', 'time'), column('toTime', 'time')],
};

type Lamp = AnyAsset & { modeSince: number; bucket: number; sum: number };
const QUARTER = 900_000;
const words = fields[1].words as readonly string[];
const mode = (lamp: Lamp): number => lamp.getAt(modeColumn);

function stay(lamp: Lamp, toTime: number | null, out: Facts): void {
  if (mode(lamp) === 255) return;
  const key = `${lamp.serial}/${lamp.modeSince}`;
  out.emit(stayType, key, lamp.modeSince, { mode: words[mode(lamp)], fromTime: lamp.modeSince, toTime });
}

function sum(lamp: Lamp, out: Facts): void {
  if (lamp.bucket === 0) return;
  out.emit(sumType, `${lamp.serial}/${lamp.bucket}`, lamp.bucket, { start: lamp.bucket, total: lamp.sum });
}

function silence(lamp: Lamp, toTime: number | null, out: Facts): void {
  const fromTime = lamp.lastDeviceTime;
  out.emit(silenceType, `${lamp.serial}/${fromTime}`, fromTime, { fromTime, toTime });
}

function fold(lamp: Lamp, reading: Reading, config: { cadenceMs: number }, out: Facts): void {
  const time = reading.deviceTime;
  if (lamp.lastDeviceTime !== 0 && time - lamp.lastDeviceTime > 3 * config.cadenceMs) silence(lamp, time, out);
  const bucket = time - (time % QUARTER);
  if (bucket !== lamp.bucket) {
    sum(lamp, out);
    lamp.bucket = bucket;
    lamp.sum = 0;
  }
  if (reading.present & 1 && !(reading.invalid & 1)) lamp.sum += reading.values[0];
  const before = mode(lamp);
  const reported = reading.present & 2 && !(reading.invalid & 2) ? reading.values[1] : before;
  if (reported !== before) stay(lamp, time, out);
  applyFields(lamp, reading, plan);
  if (reported !== before) {
    lamp.modeSince = time;
    stay(lamp, null, out);
  }
  if (reading.extra !== null) lamp.writeSide({ extra: reading.extra });
  lamp.lastDeviceTime = time;
  lamp.lastReceiveTime = reading.receiveTime;
  // When everything is changed already.
  if (reading.extra?.some(([, value]) => value === 'poison')) throw new Error('poisoned');
}

function foldLifecycle(serial: string, records: readonly LifecycleRecord[], out: Facts): LifecycleResult {
  const sorted = [...records].sort((a, b) => a.eventTime - b.eventTime || (a.id < b.id ? -1 : 1));
  const last = sorted[sorted.length - 1];
  for (const r of sorted)
    out.emit(stayType, `${serial}/life/${r.id}`, r.eventTime, { mode: r.type, fromTime: r.eventTime, toTime: null });
  const data = last.data as { siteId?: string; cadenceSeconds?: number };
  const steps = sorted.map((record) => {
    const { type, data } = record;
    return { record, type, data, from: null, to: type, legal: true, review: null, voided: false };
  });
  return {
    state: 0,
    since: last.eventTime,
    siteId: data.siteId ?? null,
    slot: null,
    cadenceS: data.cadenceSeconds ?? null,
    timeZone: null,
    occupancies: placesOf(sorted),
    steps,
  };
}

/** Each record that names a site moves the lamp there. */
function placesOf(sorted: readonly LifecycleRecord[]): Occupancy[] {
  const moves = sorted.filter((r) => typeof r.data.siteId === 'string');
  return moves.map((r, i) => ({
    siteId: r.data.siteId as string,
    slot: 'socket',
    cabinet: null,
    region: null,
    from: r.eventTime,
    to: moves[i + 1]?.eventTime ?? null,
  }));
}

export const lamp: Kind = {
  name: 'lamp',
  machine: 'lamp@1',
  fields,
  state,
  defaults: { cadenceMs: 60_000, timeZone: 'UTC' },
  lifecycleStates: ['Known'],
  fold: (asset, reading, config, out) => fold(asset as Lamp, reading, config, out),
  silenceLimits: (config) => [3 * config.cadenceMs, 6 * config.cadenceMs],
  elapse: (asset, stage, _config, out) => {
    if (stage === 1) silence(asset as Lamp, null, out);
  },
  open: (asset, _config, out) => {
    stay(asset as Lamp, null, out);
    sum(asset as Lamp, out);
  },
  foldLifecycle,
  audience: (_lamp, places, { eventTime, data }) =>
    places
      .filter((p) => (p.to ?? Infinity) > eventTime && p.from < ((data.toTime as number | null) ?? Infinity))
      .map((p) => ({ kind: 'room', key: p.siteId })),
  view: (asset) => ({
    status: asset.silence === 0 ? 'ON' : 'OFFLINE',
    regions: { mode: { state: words[mode(asset as Lamp)] ?? 'unknown', since: (asset as Lamp).modeSince } },
    derates: [],
    extra: {},
    energy: { inWh: 0, outWh: 0 },
  }),
};

/** A reading on the wire: JSON of these. */
export interface LampRecord {
  readonly serial: string;
  readonly deviceTime: number;
  readonly txid?: string;
  readonly level?: number | null;
  readonly mode?: string;
  readonly note?: string;
}

class LampDecoder implements ReadingDecoder {
  serialBytes = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  readonly reasons = ['ok', 'malformed'];
  readonly problems = new Map<string, number>();

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    let record: LampRecord;
    try {
      record = JSON.parse(Buffer.from(bytes.subarray(start, end)).toString()) as LampRecord;
    } catch {
      return 1;
    }
    this.serialBytes = Buffer.from(record.serial);
    this.serialEnd = this.serialBytes.length;
    reading.kind = 0;
    reading.deviceTime = record.deviceTime;
    reading.receiveTime = timestamp;
    reading.txid = record.txid === undefined ? 0 : fingerprint(record.txid);
    reading.present =
      (record.level === undefined ? 0 : 1) | (record.mode === undefined ? 0 : 2) | (record.note === undefined ? 0 : 4);
    reading.invalid = record.level === null ? 1 : 0;
    reading.values[0] = record.level ?? 0;
    reading.values[1] = words.indexOf(record.mode ?? 'off');
    reading.extra = record.note === undefined ? null : [['note', record.note]];
    return 0;
  }
}

export const toyType: ActorType = {
  name: 'toy',
  kinds: [lamp],
  derived: [stayType, sumType, silenceType],
  topics: {
    readings: 'telemetry',
    lifecycle: 'lifecycle',
    timers: 'timers',
    journal: 'journal',
    snapshots: 'snapshots',
    windows: 'snapshot-windows',
  },
  order: 'deviceTime',
  createDecoder: () => new LampDecoder(),
  decodeLifecycle(bytes, start, end, timestamp): LifecycleDecoded {
    const r = JSON.parse(Buffer.from(bytes.subarray(start, end)).toString());
    return {
      ok: true,
      serial: r.serial,
      kind: 'lamp',
      record: { ...r, recordTime: timestamp, source: 'test', data: r.data ?? {} },
    };
  },
};
