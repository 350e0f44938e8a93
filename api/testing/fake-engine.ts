import type { AssetView, Change, Engine } from '../../runtime/system/engine.ts';
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

/** An engine of plain maps, for tests that must choose when commits happen. */
export class FakeEngine implements Engine {
  readonly partitions = 1;
  readonly kinds = ['powerwall', 'inverter'];
  readonly views = new Map<string, AssetView>();
  /** Summaries of actors that fold the facts of others: by kind, by key. */
  readonly places: Record<string, Map<string, object>> = { site: new Map(), cabinet: new Map(), region: new Map() };
  readonly produced: { topic: string; key: string; value: Uint8Array }[] = [];
  readonly refused: { value: Uint8Array; reason: string }[] = [];
  ready = true;
  isSettled = true;
  #listeners = new Set<(changes: readonly Change[]) => void>();

  /** Replaces views and announces them as one commit. */
  commit(...views: AssetView[]): void {
    for (const view of views) this.views.set(view.serial, view);
    const changes = views.map(({ serial, kind, revision }) => ({ serial, kind, partition: 0, revision }));
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
    return this.views.get(serial) ?? null;
  }

  assets(options: { kind?: string; cursor?: string; limit: number; where?: (view: AssetView) => boolean }) {
    const serials = [...this.views.keys()].sort();
    const items: AssetView[] = [];
    for (const serial of serials) {
      if (options.cursor !== undefined && serial <= options.cursor) continue;
      const view = this.views.get(serial)!;
      if (options.kind !== undefined && view.kind !== options.kind) continue;
      if (options.where !== undefined && !options.where(view)) continue;
      items.push(view);
      if (items.length === options.limit) return { items, cursor: serial };
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
    for (const view of this.views.values()) {
      kinds[view.kind] ??= { assets: 0, powerW: 0, energyTodayOutWh: 0, energyTodayInWh: 0, status: {} };
      const kind = kinds[view.kind];
      kind.assets += 1;
      kind.powerW += Number(view.values.powerW?.value ?? 0);
      kind.status[view.status] = (kind.status[view.status] ?? 0) + 1;
    }
    return { kinds, assets: this.views.size };
  }

  lifecycle(serial: string) {
    return this.views.has(serial) ? [] : null;
  }

  story(serial: string, asOf: number) {
    return this.views.has(serial) ? lifeStory(serial, [], asOf) : null;
  }

  summary(kind: string, key: string): object | null {
    return this.places[kind].get(key) ?? null;
  }

  summaries(kind: string, { cursor, limit }: { cursor?: string; limit: number }) {
    const from = Number((cursor ?? '0.0.0').split('.')[2]);
    const all = [...this.places[kind].values()];
    return { items: all.slice(from, from + limit), cursor: from + limit < all.length ? `0.0.${from + limit}` : null };
  }

  onCommit(listener: (changes: readonly Change[]) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async waitFor(_topic: string, partition: number, offset: number, timeoutMs: number) {
    if (offset > 1_000_000) {
      throw new GridfoldError(
        'wait_timeout',
        'retry',
        `partition ${partition} is not at ${offset} after ${timeoutMs} ms`,
      );
    }
  }

  settled(): Promise<void> {
    return this.isSettled ? Promise.resolve() : new Promise(() => {});
  }

  status() {
    const lag = { telemetry: 0, lifecycle: 0 };
    const position = { telemetry: 1, lifecycle: 0, timers: 0 };
    return {
      ready: this.ready,
      partitions: [
        {
          actor: 'device',
          partition: 0,
          phase: 'live',
          position,
          lag,
          topics: { telemetry: 'telemetry', lifecycle: 'lifecycle' },
          assets: this.views.size,
          snapshotAgeMs: 1000,
          horizonMs: 86_400_000,
        },
      ],
      sinks: [{ sink: 'duckdb', lag: 0, rows: 12, lastCommitAt: t0, error: null }],
    };
  }
}
