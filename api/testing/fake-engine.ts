import { homeOf } from '../../runtime/system/assets.ts';
import type { AssetQuery, AssetView, Change, Engine, PageQuery, Place } from '../../runtime/system/engine.ts';
import { lifeStory } from '../../actors/device/life-story.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';

const t0 = '2026-01-01T00:00:00.000Z';

/** A view for tests: values as plain numbers and texts (null: reported invalid), regions as state names. */
export function assetView(
  serial: string,
  some: {
    kind?: string;
    siteId?: string | null;
    status?: string;
    revision?: number;
    values?: Record<string, unknown>;
    regions?: Record<string, string>;
  } = {},
): AssetView {
  const regions = some.regions ?? { lifecycle: 'InService', connectivity: 'Online', operation: 'Standby' };
  return {
    serial,
    kind: some.kind ?? 'powerwall',
    siteId: some.siteId ?? null,
    slot: null,
    status: some.status ?? 'Standby',
    regions: Object.fromEntries(Object.entries(regions).map(([name, state]) => [name, { state, since: t0 }])),
    derates: [],
    values: Object.fromEntries(
      Object.entries(some.values ?? {}).map(([name, value]) => [
        name,
        { value, deviceTime: t0, valid: value !== null },
      ]),
    ),
    energy: { inWh: 0, outWh: 0 },
    counts: { applied: some.revision ?? 1, duplicate: 0, late: 0, invalid: 0 },
    revision: some.revision ?? 1,
    position: { partition: 0, telemetry: some.revision ?? 1, lifecycle: 0, timers: 0 },
    eventTime: t0,
    recordTime: t0,
  };
}

/** Who has which partition: the URL of a process, or null while it moves. Shared by the engines of a test. */
export class FakeGroup {
  readonly owners: (string | null)[];

  constructor(...owners: (string | null)[]) {
    this.owners = owners;
  }
}

/** An engine of plain maps, for tests that must choose when assets change. Without a group it has one partition. */
export class FakeEngine implements Engine {
  readonly partitions: number;
  self = { url: '', version: '1' };
  readonly kinds = ['powerwall', 'inverter'];
  readonly views = new Map<string, AssetView>();
  /** Summaries of actors that fold the facts of others: by kind, by key. */
  readonly places: Record<string, Map<string, object>> = { site: new Map(), cabinet: new Map(), region: new Map() };
  readonly produced: { topic: string; key: string; value: Uint8Array }[] = [];
  readonly refused: { value: Uint8Array; reason: string }[] = [];
  ready = true;
  isSettled = true;
  /** Times that somebody waited for all input, and what was waited for by position. */
  settles = 0;
  readonly waits: string[] = [];
  readonly #group: FakeGroup | undefined;
  #listeners = new Set<(changes: readonly Change[]) => void>();

  constructor(group?: FakeGroup) {
    this.#group = group;
    this.partitions = group?.owners.length ?? 1;
  }

  place(partition: number): Place {
    const owner = this.#group === undefined ? this.self.url : this.#group.owners[partition];
    if (owner === null) return { at: 'moving' };
    return owner === this.self.url
      ? { at: 'here', starts: 1 }
      : { at: 'there', member: { id: owner, url: owner, version: '1' } };
  }

  members() {
    const urls = new Set(this.#group?.owners.filter((owner) => owner !== null) ?? [this.self.url]);
    return [...urls].map((url) => ({ id: url, url, version: '1' }));
  }

  #home(key: string): number {
    return homeOf(key, this.partitions).partition;
  }

  #isHere(key: string): boolean {
    return this.place(this.#home(key)).at === 'here';
  }

  /** Replaces views and announces them together. */
  change(...views: AssetView[]): void {
    const changes: Change[] = [];
    for (const view of views) {
      const { serial, kind, revision, position } = view;
      const partition = this.#home(serial);
      this.views.set(serial, { ...view, position: { ...position, partition } });
      changes.push({ serial, kind, partition, revision });
    }
    for (const listener of this.#listeners) listener(changes);
  }

  async produce(topic: 'telemetry' | 'lifecycle', records: readonly { key: string; value: Uint8Array }[]) {
    for (const record of records) this.produced.push({ topic, key: record.key, value: record.value.slice() });
    return [{ partition: 0, next: this.produced.length }];
  }

  async refuse(lines: readonly { value: Uint8Array; reason: string }[]) {
    this.refused.push(...lines.map((line) => ({ value: line.value.slice(), reason: line.reason })));
  }

  asset(serial: string): AssetView | null {
    return this.#isHere(serial) ? (this.views.get(serial) ?? null) : null;
  }

  assets(query: AssetQuery) {
    return this.#page(this.views, query, (view) => {
      const isWanted = query.kind === undefined || view.kind === query.kind;
      return isWanted && (query.where === undefined || query.where(view));
    });
  }

  /** The cursor is `partition.0.index`, with the index among all keys of the partition in their order. */
  #page<T>(all: ReadonlyMap<string, T>, query: PageQuery, isWanted: (one: T) => boolean) {
    const [first, , from] = (query.cursor ?? '0.0.0').split('.').map(Number);
    const items: T[] = [];
    for (let partition = first; partition < (query.until ?? this.partitions); partition++) {
      if (this.place(partition).at !== 'here') continue;
      const keys = [...all.keys()].filter((key) => this.#home(key) === partition).sort();
      for (let index = partition === first ? from : 0; index < keys.length; index++) {
        const one = all.get(keys[index]) as T;
        if (!isWanted(one)) continue;
        if (items.length === query.limit) return { items, cursor: `${partition}.0.${index}` };
        items.push(one);
      }
    }
    return { items, cursor: null };
  }

  fleet() {
    const kinds: Record<
      string,
      {
        assets: number;
        powerW: number;
        energyTodayOutWh: number;
        energyTodayInWh: number;
        status: Record<string, number>;
      }
    > = {};
    const here = [...this.views.values()].filter(({ serial }) => this.#isHere(serial));
    for (const view of here) {
      kinds[view.kind] ??= { assets: 0, powerW: 0, energyTodayOutWh: 0, energyTodayInWh: 0, status: {} };
      const kind = kinds[view.kind];
      kind.assets += 1;
      kind.powerW += Number(view.values.powerW?.value ?? 0);
      kind.status[view.status] = (kind.status[view.status] ?? 0) + 1;
    }
    return { kinds, assets: here.length };
  }

  lifecycle(serial: string) {
    return this.asset(serial) === null ? null : [];
  }

  story(serial: string, asOf: number) {
    return this.asset(serial) === null ? null : lifeStory(serial, [], asOf);
  }

  summary(kind: string, key: string): object | null {
    return this.#isHere(key) ? (this.places[kind].get(key) ?? null) : null;
  }

  summaries(kind: string, query: PageQuery) {
    return this.#page(this.places[kind], query, () => true);
  }

  /** How many want to hear of changes. */
  get watchers(): number {
    return this.#listeners.size;
  }

  onChange(listener: (changes: readonly Change[]) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async waitFor(topic: string, partition: number, offset: number, timeoutMs: number) {
    this.waits.push(`${topic}:${partition}:${offset}`);
    if (offset > 1_000_000) {
      throw new GridfoldError(
        'wait_timeout',
        'retry',
        `partition ${partition} is not at ${offset} after ${timeoutMs} ms`,
      );
    }
  }

  settled(): Promise<void> {
    this.settles += 1;
    return this.isSettled ? Promise.resolve() : new Promise(() => {});
  }

  status() {
    const lag = { telemetry: 0, lifecycle: 0 };
    const position = { telemetry: 1, lifecycle: 0, timers: 0 };
    return {
      ready: this.ready,
      partitions: Array.from({ length: this.partitions }, (_, partition) => partition)
        .filter((partition) => this.place(partition).at === 'here')
        .map((partition) => ({
          actor: 'device',
          partition,
          phase: 'live',
          position,
          lag,
          topics: { telemetry: 'telemetry', lifecycle: 'lifecycle' },
          assets: [...this.views.keys()].filter((serial) => this.#home(serial) === partition).length,
          snapshotAgeMs: 1000,
          horizonMs: 86_400_000,
        })),
      sinks: [{ sink: 'duckdb', lag: 0, rows: 12, lastCommitAt: t0, error: null }],
    };
  }
}
