import type { Member } from '../log/membership.ts';
import type { DerivedEvent } from '../shard/derived.ts';

/** Offsets per input topic and the timer cursor of one partition: the next to be folded. */
export interface Position {
  readonly telemetry: number;
  readonly lifecycle: number;
  readonly timers: number;
}

/** What anybody may know of one asset, as `GET /v1/assets/{serial}` answers it (contracts, "Doors"). Times are RFC 3339. */
export interface AssetView {
  readonly serial: string;
  readonly kind: string;
  readonly siteId: string | null;
  readonly slot: string | null;
  /** Projection for dashboards, domain 2.0: DECOMMISSIONED > not in service > OFFLINE > FAULTED > ... > operation. */
  readonly status: string;
  readonly regions: Readonly<Record<string, { readonly state: string; readonly since: string | null }>>;
  readonly derates: readonly string[];
  readonly values: Readonly<Record<string, { value: unknown; deviceTime: string; valid: boolean }>>;
  readonly energy: { readonly inWh: number; readonly outWh: number };
  readonly counts: {
    readonly applied: number;
    readonly duplicate: number;
    readonly late: number;
    readonly invalid: number;
  };
  readonly revision: number;
  readonly position: { readonly partition: number } & Position;
  readonly eventTime: string | null;
  readonly recordTime: string | null;
}

/** One asset whose state changed. `view` builds the state when somebody wants it. */
export interface Change {
  readonly serial: string;
  readonly kind: string;
  readonly partition: number;
  readonly revision: number;
}

export interface PartitionStatus {
  /** Actor type: what is folded there. */
  readonly actor: string;
  readonly partition: number;
  /** Recovery phase or `live`. */
  readonly phase: string;
  readonly position: Position;
  readonly lag: { readonly telemetry: number; readonly lifecycle: number };
  /** The topics that stand behind `telemetry` and `lifecycle` in position and lag. */
  readonly topics: { readonly telemetry: string; readonly lifecycle: string };
  readonly assets: number;
  readonly snapshotAgeMs: number | null;
  readonly horizonMs: number;
}

export interface SinkStatus {
  readonly sink: string;
  readonly lag: number;
  readonly rows: number;
  readonly lastCommitAt: string | null;
  readonly error: string | null;
}

export interface PageQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly until?: number;
}

export interface AssetQuery extends PageQuery {
  readonly kind?: string;
  readonly where?: (view: AssetView) => boolean;
}

/**
 * Where a partition is at work: here, in another process, or on its way. `starts` grows with each start here: another
 * process may have had it in between, or its state has gone back to the newest commit.
 */
export type Place =
  | { readonly at: 'here'; readonly starts: number }
  | { readonly at: 'there'; readonly member: Member }
  | { readonly at: 'moving' };

/** The runtime as its doors (HTTP, WebSocket, command line) see it. */
export interface Engine {
  readonly partitions: number;
  readonly kinds: readonly string[];
  /** What the other processes of the group know of this one; an empty URL before it joins. */
  readonly self: { readonly url: string; readonly version: string };

  /** Here only while all of it is live: what is asked of it then has an answer. */
  place(partition: number): Place;
  /** The processes that own partitions, this one included. */
  members(): readonly Member[];

  /** Appends one validated record; resolves with its place when it is durable. Bounded: waits while the log is behind. */
  produce(
    topic: 'telemetry' | 'lifecycle',
    records: readonly { key: string; value: Uint8Array }[],
  ): Promise<{ partition: number; next: number }[]>;

  /** Sets lines aside that no partition could take: original bytes and a reason code go to the dead-letter topic. */
  refuse(lines: readonly { value: Uint8Array; reason: string }[]): Promise<void>;

  asset(serial: string): AssetView | null;
  /**
   * Pages over the assets that are here, in a stable order. The cursor is `partition.block.slot`, and comes from the page
   * before; the pages end before the partition `until` where it is given.
   */
  assets(options: AssetQuery): { items: AssetView[]; cursor: string | null };
  /** Asset counts by kind and by status, power and energy sums, for the fleet page. */
  fleet(): FleetView;
  /** The asset's lifecycle records in folding order, with what each did. Null: unknown asset. */
  lifecycle(serial: string): LifecycleView[] | null;
  /** The asset's life as its kind tells it, up to `asOf` (epoch ms). Null: unknown asset, or a kind without a life. */
  story(serial: string, asOf: number): object | null;

  /** What an actor that folds the facts of others (a site, a region) says of itself. Null: not known. */
  summary(kind: string, key: string): object | null;
  /** Pages over such actors, as {@link assets}. */
  summaries(kind: string, query: PageQuery): { items: object[]; cursor: string | null };

  /** Within some ten milliseconds after their folds, committed or not yet, the assets that changed. */
  onChange(listener: (changes: readonly Change[]) => void): () => void;
  /** Resolves when the partition has folded and committed everything below `offset` of `topic`; rejects after `timeoutMs`. */
  waitFor(topic: 'telemetry' | 'lifecycle', partition: number, offset: number, timeoutMs: number): Promise<void>;
  /** Resolves when all input is folded, open facts are published and every sink has committed them. */
  settled(): Promise<void>;

  status(): { ready: boolean; partitions: PartitionStatus[]; sinks: SinkStatus[] };
}

export interface FleetView {
  readonly kinds: Readonly<
    Record<
      string,
      {
        assets: number;
        powerW: number;
        energyTodayOutWh: number;
        energyTodayInWh: number;
        status: Readonly<Record<string, number>>;
      }
    >
  >;
  readonly assets: number;
}

export interface LifecycleView {
  readonly id: string;
  readonly type: string;
  readonly eventTime: string;
  readonly recordTime: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly from: string | null;
  readonly to: string | null;
  readonly legal: boolean;
  /** Why it waits for review; null where it is legal. */
  readonly review: string | null;
  readonly voided: boolean;
}

/** Reads the embedded OLAP store; implemented by the DuckDB sink. */
export interface TableReader {
  /** One read-only statement; rows as arrays of JSON values (times RFC 3339). Throws GridfoldError `sql_refused` for anything else. */
  query(
    sql: string,
    parameters: readonly unknown[],
    limit: number,
  ): Promise<{ columns: { name: string; type: string }[]; rows: unknown[][]; truncated: boolean }>;
  events(serial: string, options: { type?: string; before?: string; limit: number }): Promise<DerivedEvent[]>;
}
