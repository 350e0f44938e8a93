import type { StateSchema } from '../../snapshots/schema.ts';
import type { Cursor } from '../../snapshots/cursor.ts';
import type { AssetColumns } from './columns.ts';
import type { RecordBatch } from '../log/contract.ts';
import type { Address, DerivedType, Facts } from './derived.ts';
import type { Fact } from './facts.ts';
import type { FieldSpec, Reading } from './reading.ts';

/** What the fold may know of an asset beside its state: configuration that comes with `installed` or per kind. */
export interface AssetConfig {
  readonly cadenceMs: number;
  /** IANA name; a day, and a counter that restarts daily, mean this zone. */
  readonly timeZone: string;
}

/** One lifecycle record as the door accepted it; times are epoch milliseconds. */
export interface LifecycleRecord {
  readonly id: string;
  readonly type: string;
  readonly eventTime: number;
  readonly recordTime: number;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A slot that an asset held for a time, as its lifecycle list says. Times are epoch milliseconds. */
export interface Occupancy {
  readonly siteId: string;
  readonly slot: string;
  /** Cabinet that feeds the slot, where `installed` names one. */
  readonly cabinet: string | null;
  /** Area of the site, where `installed` names one. */
  readonly region: string | null;
  readonly from: number;
  /** Null while it is held. */
  readonly to: number | null;
}

/** What the whole lifecycle list says of the asset now. */
export interface LifecycleResult {
  /** Index into the kind's `lifecycleStates`. */
  readonly state: number;
  readonly since: number;
  readonly siteId: string | null;
  readonly slot: string | null;
  /** Null where `installed` gave none. */
  readonly cadenceS: number | null;
  readonly timeZone: string | null;
  /** Where the asset stood, in order of time; intervals do not overlap. */
  readonly occupancies: readonly Occupancy[];
  readonly steps: readonly LifecycleStep[];
}

/** What each record of the list did, in folding order. */
export interface LifecycleStep {
  readonly record: LifecycleRecord;
  /** Type and data as they count: where the record is a correction, those that it leads to. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly from: string | null;
  readonly to: string | null;
  /** False: not allowed from that state; kept for review, changes nothing. */
  readonly legal: boolean;
  /** Why it waits for review, as a stable code; null where it is legal. */
  readonly review: string | null;
  /** Replaced by a `corrected` or taken back by a `voided` record. */
  readonly voided: boolean;
}

/** Part of an asset's view that the kind knows (contracts, "Doors": GET /v1/assets/{serial}). */
export interface KindView {
  readonly status: string;
  readonly regions: Readonly<Record<string, { state: string; since: number }>>;
  readonly derates: readonly string[];
  /** Texts, lists and unknown fields: value and device time; sized fields are added by the shard. */
  readonly extra: Readonly<Record<string, { value: unknown; deviceTime: number; valid: boolean }>>;
  readonly energy: { readonly inWh: number; readonly outWh: number };
}

/**
 * One kind of asset: its fields, its state and its fold. All functions are pure in (state, input): no clock, no
 * randomness, no I/O; they may be called on scratch copies any number of times.
 *
 * The facts of an asset are a function of its readings in order. The shard relies on that: for a late reading, or
 * for the end of a silence, it computes the facts of before and of after and emits the difference by key.
 */
export interface Kind<C extends AssetColumns = AssetColumns> {
  readonly name: string;
  /** Name and version of the machine, for instance `powerwall@1`. */
  readonly machine: string;
  readonly fields: readonly FieldSpec[];
  readonly state: StateSchema;
  readonly defaults: AssetConfig;
  readonly lifecycleStates: readonly string[];

  /** Folds the next reading in order of device time. Updates `lastDeviceTime` and `lastReceiveTime`. */
  fold(asset: Cursor<C>, reading: Reading, config: AssetConfig, out: Facts): void;
  /** Distance from the newest reading at which the asset is stale ([0]) and offline ([1]), ms. */
  silenceLimits(config: AssetConfig): readonly [staleMs: number, offlineMs: number];
  /** The silence after the newest reading has reached stage 1 (stale) or 2 (offline): changes state, emits facts dated last device time + limit. Called for 1 before 2. */
  elapse(asset: Cursor<C>, stage: number, config: AssetConfig, out: Facts): void;
  /** Says that readings after the newest one, up to `at`, may be missing: the log lost records of the partition. Absent: the kind has no fact for it. */
  lose?(asset: Cursor<C>, at: number, out: Facts): void;
  /** Emits every fact that is open in the state, as it would stand in the tables now (open intervals, faults, gaps, the energy interval in progress). */
  open(asset: Cursor<C>, config: AssetConfig, out: Facts): void;
  /** Folds the whole lifecycle list (any order, duplicates by id already removed): facts out, result back. `now` never enters. */
  foldLifecycle(serial: string, records: readonly LifecycleRecord[], out: Facts): LifecycleResult;
  /** The life as a whole up to `asOf` (epoch ms), for doors that ask for it. Absent: the kind knows none. */
  story?(serial: string, records: readonly LifecycleRecord[], asOf: number): object;
  /** Other actors that hear of a forwarded fact; `places` is where the asset stood over time. Absent: nobody. */
  audience?(asset: Cursor<C>, places: readonly Occupancy[], fact: Fact): readonly Address[];
  /** The place of an actor that stands nowhere by lifecycle, because it is a place itself. */
  place?(asset: Cursor<C>): { readonly siteId: string | null; readonly slot: string | null };
  /** What the actor knows as a whole, for doors that ask for it by key. Absent: nothing beside the view. */
  summary?(asset: Cursor<C>): object;
  /** `life` null: no lifecycle record. The connectivity shown takes `asset.silence` into account. */
  view(asset: Cursor<C>, life: LifecycleResult | null, config: AssetConfig): KindView;
}

/** Decodes records of the windowed input topic; one per partition, it may keep scratch memory. */
export interface ReadingDecoder {
  /** Fills `reading` from the value `bytes[start, end)`; returns 0, or the index of a reason in `reasons`. */
  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number;
  /** Where the serial of the decoded record lies: `serialBytes[serialStart, serialEnd)`. Valid until the next decode. */
  readonly serialBytes: Uint8Array;
  readonly serialStart: number;
  readonly serialEnd: number;
  /** Stable reason codes by index; index 0 is `ok`. */
  readonly reasons: readonly string[];
  /** How often each problem inside an accepted record was met, since start. */
  readonly problems: ReadonlyMap<string, number>;
}

/** The schemas that do not exist, of those that the records being decoded name. Decoding the same records with the same set gives the same. */
export interface JudgedSchemas {
  unknown: ReadonlySet<number>;
}

/**
 * The schemas that records in other formats than JSON were written with. Another system holds them, so they are asked for
 * before a run is folded, and what was not to be had is journalled with the run: a replay must say what was said then.
 */
export interface InputSchemas {
  /** Ids that records [from, to) name and that are not at hand; empty: the run can be folded at once. */
  missing(batch: RecordBatch, from: number, to: number): ReadonlySet<number>;
  /** Asks for them, and returns those that do not exist. While nobody answers it waits; `registry_stopped` when `signal` ends that. */
  resolve(ids: ReadonlySet<number>, signal: AbortSignal): Promise<readonly number[]>;
  /** For a replay: all of them existed once. Throws `schema_lost` (stop) where one does not any more. */
  require(ids: ReadonlySet<number>): Promise<void>;
}

export type LifecycleDecoded =
  | { readonly ok: true; readonly serial: string; readonly kind: string; readonly record: LifecycleRecord }
  | { readonly ok: false; readonly reason: string };

export { topics } from '../log/contract.ts';

/** Topics of an actor type, all with the same partitions. */
export interface ActorTopics {
  readonly readings: string;
  readonly lifecycle: string;
  /** What stands for a topic in the ids of events that a timer caused. */
  readonly timers: string;
  /** Its journal; who claims a partition of it may commit for that partition of the actor type. */
  readonly journal: string;
  /** Compacted: where a partition keeps its newest snapshot for its next owner. */
  readonly snapshots: string;
  /** Compacted: the windows of that snapshot, which may follow later. Absent where the fold keeps none. */
  readonly windows?: string;
}

/** The two inputs of a partition, as positions and the journal name them, whatever their topics are called. */
export type InputTopic = 'telemetry' | 'lifecycle';

export function topicOf({ topics }: ActorType, input: InputTopic): string {
  return input === 'telemetry' ? topics.readings : topics.lifecycle;
}

/** An actor type of the runtime: how its input is read, its kinds, and what they derive. */
export interface ActorType {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly derived: readonly DerivedType[];
  readonly topics: ActorTopics;
  /**
   * How the readings of one actor are folded: in order of device time, with a window to fold late ones into the past,
   * or as they arrive (then the kind itself makes order and repetition harmless).
   */
  readonly order: 'deviceTime' | 'arrival';
  /** Absent: its input has one format. */
  readonly schemas?: InputSchemas;
  createDecoder(judged?: JudgedSchemas): ReadingDecoder;
  decodeLifecycle(
    bytes: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    judged?: JudgedSchemas,
  ): LifecycleDecoded;
}
