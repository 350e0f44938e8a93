import type { CursorBase, Cursor } from '../../snapshots/cursor.ts';
import { defineState } from '../../snapshots/schema.ts';
import { type AssetColumns, assetColumns } from '../../runtime/shard/columns.ts';
import type { DerivedData } from '../../runtime/shard/derived.ts';
import { type Series, series } from './series.ts';

export const MINUTE_MS = 60_000;
export const QUARTER_MS = 15 * MINUTE_MS;
/** Chunks of members that report every minute, and of those that report less often; whole numbers of them make six hours. */
const MINUTES_PER_CHUNK = 60;
const MINUTES_PER_LONG_CHUNK = 180;
const QUARTERS_PER_CHUNK = 24;

/** A member holds a slot for a time: one version of a `slot_occupancy`. */
export interface Stay {
  readonly key: string;
  readonly version: number;
  /** Taken back: it is kept so that an older version does not revive it. */
  readonly gone: boolean;
  readonly siteId: string;
  readonly serial: string;
  readonly kind: string;
  readonly slot: string;
  readonly from: number;
  readonly to: number | null;
  readonly ratedW: number | null;
  readonly capacityWh: number | null;
  readonly cadenceS: number | null;
  readonly timeZone: string | null;
  readonly region: string | null;
  readonly limitW: number | null;
}

/** A fact of a member that holds for a time: a state, a fault, a silence, a time away from the grid. */
export interface Interval {
  readonly type: string;
  readonly key: string;
  readonly version: number;
  readonly gone: boolean;
  readonly from: number;
  readonly to: number | null;
  /** The state; empty for other types. */
  readonly word: string;
  readonly data: DerivedData | null;
}

/** What is known of one member. Times and places of rows count from 1970. */
export interface Member {
  readonly serial: string;
  readonly kind: string;
  /** It ever told a meter of the home. */
  readonly meters: boolean;
  /** Its earliest reading, ms; Infinity before the first. */
  readonly firstAt: number;
  /** [minute, version, ms into the minute, stale after ms, values…]; a version below 0 is taken back. */
  readonly minutes: Series;
  /** [quarter, version, in Wh, out Wh, coverage] */
  readonly energy: Series;
  /** [quarter, version, load Wh, solar Wh, import Wh, export Wh, coverage] */
  readonly meter: Series;
  /** Faults, silences and times away from the grid, in order of `from`, then key. */
  readonly intervals: readonly Interval[];
  /** States of region operation, in the same order. */
  readonly states: readonly Interval[];
}

/** A fact that was said and that later contributions may still change. */
export interface Said {
  readonly type: string;
  readonly key: string;
  readonly eventTime: number;
  /** When what it is about ended; null while it lasts. */
  readonly until: number | null;
  readonly data: DerivedData;
}

/**
 * Which rows of a table exist, by minute or quarter of an hour. A row that is to be said (anew) waits until time has
 * passed it, so that the contributions of all members to one minute make one version and not hundreds.
 */
export interface Rows {
  /** [place, 1 where it was said as it is, 0 where it waits] */
  readonly known: Series;
  /** None before this place waits. */
  readonly waitsFrom: number;
}

/** State of an actor that folds members. Immutable in depth; see {@link Draft}. */
export interface PlaceSide {
  /** Latest time that any contribution told. */
  readonly clock: number;
  /** Minute of the newest contribution of values to arrive: rows before it are said. */
  readonly wave: number;
  /** Contributions about minutes before this one come too late. */
  readonly floor: number;
  /** When it was looked last whether the floor can rise; time of arrival. */
  readonly sweptAt: number;
  readonly sinceSweep: number;
  readonly refused: number;
  readonly stays: readonly Stay[];
  readonly members: readonly Member[];
  /** By minute. */
  readonly rollups: Rows;
  /** By quarter of an hour. */
  readonly energies: Rows;
  readonly said: readonly Said[];
  /** Kept by cabinets alone: what each minute with a row shows, see there. */
  readonly marks: Series;
}

/** A side record in the making: its properties are replaced, what they hold is not changed. */
export type Draft = { -readonly [K in keyof PlaceSide]: PlaceSide[K] };

const EMPTY: PlaceSide = {
  clock: 0,
  wave: 0,
  floor: 0,
  sweptAt: 0,
  sinceSweep: 0,
  refused: 0,
  stays: [],
  members: [],
  rollups: { known: series(2, MINUTES_PER_LONG_CHUNK), waitsFrom: Number.POSITIVE_INFINITY },
  energies: { known: series(2, QUARTERS_PER_CHUNK), waitsFrom: Number.POSITIVE_INFINITY },
  said: [],
  marks: series(4, MINUTES_PER_CHUNK),
};

const OFTEN: ReadonlySet<string> = new Set(['megapack', 'supercharger']);

/** Width of a member's rows by kind: what comes before the values, and the values. */
export function newMember(serial: string, kind: string, values: number): Member {
  return {
    serial,
    kind,
    meters: false,
    firstAt: Number.POSITIVE_INFINITY,
    minutes: series(4 + values, OFTEN.has(kind) ? MINUTES_PER_CHUNK : MINUTES_PER_LONG_CHUNK),
    energy: series(5, QUARTERS_PER_CHUNK),
    meter: series(7, QUARTERS_PER_CHUNK),
    intervals: [],
    states: [],
  };
}

export function readPlace(asset: CursorBase): PlaceSide {
  return asset.readSide<PlaceSide>() ?? EMPTY;
}

export const siteState = defineState('site', 1, { ...assetColumns });
export const cabinetState = defineState('cabinet', 1, { ...assetColumns });
export const regionState = defineState('region', 1, { ...assetColumns });
export type PlaceAsset = Cursor<AssetColumns>;
