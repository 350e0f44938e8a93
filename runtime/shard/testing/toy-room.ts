import { defineState } from '../../../snapshots/schema.ts';
import { type AnyAsset, assetColumns } from '../columns.ts';
import type { ActorType, Kind, ReadingDecoder } from '../contract.ts';
import type { DerivedEvent, DerivedType, Facts } from '../derived.ts';
import type { Reading } from '../reading.ts';

/** An actor type that folds what lamps forward, in order of arrival: a room knows the stays of the lamps in it. */
export const presenceType: DerivedType = {
  name: 'presence',
  table: 'presences',
  doc: 'How many stays of a mode a room knows; gone where there are none',
  key: 'room, mode',
  columns: [
    { name: 'mode', type: 'text', doc: 'Mode' },
    { name: 'stays', type: 'integer', doc: 'Stays' },
  ],
};

type Stays = Readonly<Record<string, readonly [version: number, mode: string | null]>>;
type Contribution = DerivedEvent & { readonly to: { readonly kind: string; readonly key: string } };

function fold(room: AnyAsset, reading: Reading, out: Facts): void {
  const { key, version, op, data } = reading.content as Contribution;
  if (data.mode === 'bang') throw new Error('bang');
  const stays = room.readSide<{ stays: Stays }>()?.stays ?? {};
  if ((stays[key]?.[0] ?? -1) > version) return;
  const next: Stays = { ...stays, [key]: [version, op === 'upsert' ? (data.mode as string) : null] };
  const count = (of: Stays, mode: string) => Object.values(of).filter(([, m]) => m === mode).length;
  for (const mode of ['off', 'dim', 'bright']) {
    const [before, after] = [count(stays, mode), count(next, mode)];
    const say = after === 0 ? out.retract.bind(out) : out.emit.bind(out);
    if (before !== after) say(presenceType, `${room.serial}/${mode}`, 0, { mode, stays: after });
  }
  room.writeSide({ stays: next });
  room.lastDeviceTime = Math.max(room.lastDeviceTime, reading.deviceTime);
}

const room: Kind = {
  name: 'room',
  machine: 'room@1',
  fields: [],
  state: defineState('room', 1, { ...assetColumns }),
  defaults: { cadenceMs: 60_000, timeZone: 'UTC' },
  lifecycleStates: [],
  fold: (asset, reading, _config, out) => fold(asset, reading, out),
  silenceLimits: () => [Infinity, Infinity],
  elapse() {},
  open() {},
  foldLifecycle() {
    throw new RangeError('rooms have no lifecycle');
  },
  place: (asset) => ({ siteId: asset.serial, slot: null }),
  summary: (asset) => ({ room: asset.serial, ...(asset.readSide<{ stays: Stays }>()?.stays ?? {}) }),
  view: () => ({ status: 'ON', regions: {}, derates: [], extra: {}, energy: { inWh: 0, outWh: 0 } }),
};

class RoomDecoder implements ReadingDecoder {
  serialBytes = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  readonly reasons = ['ok', 'malformed'];
  readonly problems = new Map<string, number>();

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    try {
      const contribution = JSON.parse(Buffer.from(bytes.subarray(start, end)).toString()) as Contribution;
      this.serialBytes = Buffer.from(contribution.to.key);
      reading.deviceTime = Date.parse(contribution.eventTime);
      reading.content = contribution;
    } catch {
      return 1;
    }
    this.serialEnd = this.serialBytes.length;
    reading.kind = 0;
    reading.receiveTime = timestamp;
    return 0;
  }
}

export const roomType: ActorType = {
  name: 'room',
  kinds: [room],
  derived: [presenceType],
  topics: {
    readings: 'contributions',
    lifecycle: 'room-lifecycle',
    timers: 'room-timers',
    journal: 'room-journal',
    snapshots: 'room-snapshots',
  },
  order: 'arrival',
  createDecoder: () => new RoomDecoder(),
  decodeLifecycle: () => ({ ok: false, reason: 'no_lifecycle' }),
};
