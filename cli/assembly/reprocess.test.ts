import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DuckDbSink, openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../../actors/sinks/runner.ts';
import { ManualClock } from '../../runtime/kernel/clock.ts';
import { topics } from '../../runtime/log/contract.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import { tablesOf } from '../../runtime/shard/derived.ts';
import type { ShardObserver } from '../../runtime/shard/shard.ts';
import { type LampRecord, toyType } from '../../runtime/shard/testing/toy.ts';
import { type Config, loadConfig } from '../../runtime/system/config.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { kindDefaults } from '../kinds.ts';
import { ReprocessedSets } from './reprocess.ts';
import { setLogs } from './reprocess-log.ts';
import { running } from './sink.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const PARTITIONS = 2;
const quiet: ShardObserver = {
  phase() {},
  committed() {},
  snapshot() {},
  folded() {},
  quarantined: (_partition, _kind, _serial, error) => {
    throw error;
  },
  failed: (_partition, error) => {
    throw error;
  },
};

/** A live fold of lamps with its tables, and what reprocesses its log with the machines of `types`. */
class World {
  readonly tables: DuckDbSink;
  readonly sets: ReprocessedSets;
  readonly #runtime: Runtime;
  readonly #log: EmbeddedLog;
  readonly #runner: SinkRunner;

  private constructor(log: EmbeddedLog, tables: DuckDbSink, config: Config, clock: ManualClock, type: ActorType) {
    this.tables = tables;
    this.#log = log;
    const message = () => {};
    this.#runtime = new Runtime({ ...config, types: [toyType], log, clock, observer: () => quiet, message });
    const parent = this.#runtime.system as never;
    this.#runner = new SinkRunner({ parent, log, sink: tables, clock, commitIntervalMs: 10 });
    const logs = setLogs(config, PARTITIONS, clock, message);
    this.sets = new ReprocessedSets({
      config,
      types: [type],
      clock,
      source: log,
      tables,
      message,
      openLog: (name) => logs.open(name),
      dropLog: (name) => logs.drop(name),
      settleLive: () => this.#runtime.settled(),
    });
  }

  static async open(dataDir: string, clock: ManualClock, type = toyType): Promise<World> {
    const { config } = loadConfig({ flags: { dataDir, blocksPerKind: '16' }, kinds: kindDefaults });
    const log = await openEmbeddedLog({ dir: join(dataDir, 'log'), partitions: PARTITIONS, clock });
    const file = join(dataDir, 'olap.duckdb');
    const tables = await openDuckDbSink({ file, types: tablesOf([toyType]), clock });
    const world = new World(log, tables, config, clock, type);
    await world.#runner.start();
    await world.#runtime.start([running(world.#runner, tables)]);
    await world.sets.resume();
    return world;
  }

  async send(records: readonly LampRecord[]): Promise<void> {
    const values = records.map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) }));
    await this.#runtime.produce('telemetry', values);
    await this.#runtime.settled();
  }

  /** Retention takes what lies before the end of the input. */
  async trim(): Promise<void> {
    for (let p = 0; p < PARTITIONS; p++) {
      const { end } = this.#log.extent(topics.telemetry, p);
      await this.#log.trim(topics.telemetry, p, { maxAgeMs: 0, maxBytes: 0 }, end);
    }
  }

  async column(sql: string): Promise<unknown[]> {
    return (await this.tables.query(sql, [], 10_000)).rows.map((row) => row[0]);
  }

  /** Differences by table, of those that have any. */
  async differing(name: string): Promise<Record<string, object>> {
    const found = await this.sets.compare(name);
    const some = found.filter((t) => t.onlyLive + t.onlyOther + t.changed > 0);
    return Object.fromEntries(some.map(({ table, common: _, ...rest }) => [table, rest]));
  }

  async close(): Promise<void> {
    await this.sets.close();
    await this.#runner.stop();
    await this.#runtime.stop();
    await this.#log.close();
  }
}

/** A minute's readings of six lamps per step; some are silent for a while. */
function readings(from: number, steps: number): LampRecord[] {
  const found: LampRecord[] = [];
  for (let step = from; step < from + steps; step++) {
    for (let lamp = 0; lamp < 6; lamp++) {
      if (step % 20 > 12 && lamp === 3) continue;
      const mode = ['off', 'dim', 'bright'][Math.floor((step + lamp) / 4) % 3];
      found.push({ serial: `L-${lamp}`, deviceTime: START + step * MINUTE, level: step + lamp, mode });
    }
  }
  return found;
}

const begin = { name: 'v2', input: 'log', fromMs: null } as const;
/** A lamp that may be silent for longer before anybody calls it that. */
const patient: ActorType = {
  ...toyType,
  kinds: toyType.kinds.map((kind) => ({ ...kind, defaults: { ...kind.defaults, cadenceMs: 10 * MINUTE } })),
};
const SUM = 'SELECT sum(total) FROM sums_current';

let dir: string;
let clock: ManualClock;
let world: World;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gridfold-reprocess-'));
  clock = new ManualClock(START + 200 * MINUTE);
  world = await World.open(dir, clock);
});
afterEach(async () => {
  await world.close();
  await rm(dir, { recursive: true });
});

it('folds the log once more to the same facts, follows it, and is shown and dropped', async () => {
  await world.send(readings(0, 60));
  await world.sets.begin(begin);
  expect(await world.differing('v2')).toEqual({});
  const total = readings(0, 60).length;
  expect(await world.sets.view('v2')).toMatchObject({ status: 'following', folded: total, total, shown: false });
  await world.sets.cutOver('v2', false);
  const [before] = await world.column(SUM);
  await world.send(readings(60, 30));
  expect(await world.differing('v2')).toEqual({});
  expect((await world.sets.audit()).map(({ ok, sinks }) => [ok, sinks.length])).toEqual([[true, PARTITIONS]]);
  const [after] = await world.column(SUM);
  expect(after).toBeGreaterThan(before as number);
  await expect(world.sets.drop('v2')).rejects.toMatchObject({ code: 'reprocess_shown' });
  await world.sets.cutOver('v2', true);
  expect(await world.column(SUM)).toEqual([after]);
  await world.sets.drop('v2');
  expect(await world.sets.list()).toEqual([]);
});

it('shows what another machine makes of it, before and after the cut-over', async () => {
  await world.close();
  world = await World.open(dir, clock, patient);
  await world.send(readings(0, 60));
  const count = 'SELECT count(*) FROM silences_current';
  const [live] = await world.column(count);
  expect(live).toBeGreaterThan(0);
  await world.sets.begin(begin);
  expect(await world.differing('v2')).toEqual({ silences: { onlyLive: live, onlyOther: 0, changed: 0 } });
  await world.sets.cutOver('v2', false);
  expect(await world.column(count)).toEqual([0]);
  await world.sets.cutOver('v2', true);
  expect(await world.column(count)).toEqual([live]);
});

it('begins at a time: what was before stays as the live fold says it, and nothing stands twice', async () => {
  await world.send(readings(140, 60));
  clock.advance(MINUTE);
  const fromMs = clock.now();
  await world.send(readings(201, 60));
  const view = await world.sets.begin({ ...begin, fromMs });
  expect(view).toMatchObject({ total: readings(201, 60).length, since: new Date(fromMs).toISOString() });
  await world.differing('v2');
  await world.sets.cutOver('v2', false);
  const sums = (of: string) => `SELECT serial || start || total FROM ${of} ORDER BY serial, start`;
  const all = await world.column(sums('main.sums_current'));
  expect(await world.column(sums('sums_current'))).toEqual(all);
  const whole = await world.column(sums('v2.sums_current'));
  expect(whole.length).toBeLessThan(all.length);
});

it('does not hide facts of the live fold whose readings retention took', async () => {
  await world.send(readings(0, 60));
  await world.trim();
  clock.advance(5 * MINUTE);
  await world.send(readings(60, 30));
  const view = await world.sets.begin(begin);
  expect(view).toMatchObject({ from: null, since: new Date(clock.now()).toISOString() });
  const [live] = await world.column('SELECT count(*) FROM sums_current');
  await world.differing('v2');
  await world.sets.cutOver('v2', false);
  expect(await world.column('SELECT count(*) FROM sums_current')).toEqual([live]);
});

it('goes on where it ended, and shows what was shown', async () => {
  await world.send(readings(0, 40));
  await world.sets.begin(begin);
  await world.differing('v2');
  await world.sets.cutOver('v2', false);
  await world.close();
  world = await World.open(dir, clock);
  await world.send(readings(40, 20));
  expect(await world.differing('v2')).toEqual({});
  expect(await world.sets.view('v2')).toMatchObject({ status: 'following', shown: true });
  expect((await world.sets.begin(begin)).total).toBe(readings(0, 60).length);
});

it('folds files in a set of their own', async () => {
  await world.send(readings(0, 30));
  await world.sets.begin({ name: 'lake', input: 'files', fromMs: null });
  const records = readings(0, 30).map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) }));
  await world.sets.engineOf('lake').produce('telemetry', records);
  expect(await world.differing('lake')).toEqual({});
  expect(await world.sets.view('lake')).toMatchObject({
    input: 'files',
    folded: records.length,
    total: records.length,
  });
});

it('refuses what cannot be', async () => {
  await world.send(readings(0, 2));
  const refusals = [
    [() => world.sets.begin({ ...begin, name: 'main' }), 'reprocess_name_invalid'],
    [() => world.sets.begin({ ...begin, name: '../v2' }), 'reprocess_name_invalid'],
    [() => world.sets.begin({ ...begin, fromMs: clock.now() + 1 }), 'reprocess_time_invalid'],
    [() => world.sets.cutOver('v2', false), 'reprocess_unknown'],
    [() => world.sets.compare('v2'), 'reprocess_unknown'],
    [() => world.sets.drop('v2'), 'reprocess_unknown'],
  ] as const;
  for (const [call, code] of refusals) await expect((async () => call())()).rejects.toMatchObject({ code });
  await world.sets.begin(begin);
  await expect(world.sets.begin({ ...begin, fromMs: START })).rejects.toMatchObject({ code: 'reprocess_exists' });
  expect(() => world.sets.engineOf('v2')).toThrow(/reads the log/);
});
