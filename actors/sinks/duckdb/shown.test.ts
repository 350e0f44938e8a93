import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../../runtime/kernel/clock.ts';
import type { DerivedEvent } from '../../../runtime/shard/derived.ts';
import { allTypes } from './testing/tables.ts';
import { type DuckDbSink, openDuckDbSink } from './sink.ts';

const NEW_YEAR = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
let folder: string;
let live: DuckDbSink;
let beside: DuckDbSink;

const open = () =>
  openDuckDbSink({ file: join(folder, 'olap.duckdb'), types: allTypes, clock: new ManualClock(NEW_YEAR) });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gridfold-shown-'));
  live = await open();
  beside = await live.beside('v2');
});

afterEach(async () => {
  await beside.close();
  await live.close();
  await rm(folder, { recursive: true });
});

/** Energy out of one battery, hour after hour, as the events from offset `from` on. */
async function write(sink: DuckDbSink, from: number, outWh: readonly number[], firstHour = from): Promise<void> {
  const events = outWh.map((wh, i): DerivedEvent => {
    const startTime = new Date(NEW_YEAR + (firstHour + i) * HOUR).toISOString();
    return {
      id: `telemetry-0-${from + i}-0`,
      type: 'energy_interval',
      serial: 'PW-1',
      kind: 'powerwall',
      siteId: null,
      eventTime: startTime,
      recordTime: startTime,
      key: `PW-1/${startTime}/900`,
      version: from + i,
      op: 'upsert',
      machine: 'powerwall@1',
      data: { startTime, lengthS: 900, inWh: 0, outWh: wh, method: 'power', coverage: 1 },
    };
  });
  await sink.write([{ partition: 0, from, next: from + events.length, events }]);
}

async function column(sql: string): Promise<unknown[]> {
  return (await live.query(sql, [], 1_000)).rows.map((row) => row[0]);
}

const changelog = () => column('SELECT out_wh FROM energy_intervals ORDER BY event_time');
const current = () => column('SELECT out_wh FROM energy_intervals_current ORDER BY event_time');
const daily = () => column('SELECT sum(out_wh) FROM energy_daily');

it('shows the tables of a schema beside under the names of the live ones, and these again', async () => {
  await write(live, 0, [1, 2, 3]);
  await write(beside, 0, [10, 20, 30]);
  expect([await changelog(), await current(), await daily()]).toEqual([[1, 2, 3], [1, 2, 3], [6]]);
  await live.show({ schema: 'v2', sinceMs: null });
  expect([await changelog(), await current(), await daily()]).toEqual([[10, 20, 30], [10, 20, 30], [60]]);
  expect((await live.events('PW-1', { limit: 1 }))[0].data.outWh).toBe(30);
  expect(await live.shown()).toEqual({ schema: 'v2', sinceMs: null });
  await live.show(null);
  expect([await changelog(), await current(), await daily()]).toEqual([[1, 2, 3], [1, 2, 3], [6]]);
  expect(await live.shown()).toBeNull();
});

it('leaves the facts of before a time to the live tables', async () => {
  await write(live, 0, [1, 2, 3]);
  await write(beside, 0, [20, 30], 1);
  await live.show({ schema: 'v2', sinceMs: NEW_YEAR + HOUR });
  expect([await changelog(), await current(), await daily()]).toEqual([[1, 20, 30], [1, 20, 30], [51]]);
});

it('goes on to write both while the one or the other is shown, and remembers which', async () => {
  await write(live, 0, [1]);
  await write(beside, 0, [10]);
  await live.show({ schema: 'v2', sinceMs: null });
  await write(live, 1, [2]);
  await write(beside, 1, [20]);
  expect(await current()).toEqual([10, 20]);
  await beside.close();
  await live.close();
  live = await open();
  beside = await live.beside('v2');
  expect(await current()).toEqual([10, 20]);
  expect([await live.audit(), await beside.audit()]).toEqual([
    [{ partition: 0, next: 2, rows: 2, doubled: 0, missing: 0 }],
    [{ partition: 0, next: 2, rows: 2, doubled: 0, missing: 0 }],
  ]);
  await live.show(null);
  expect(await current()).toEqual([1, 2]);
});

it('never shows a query some of each', async () => {
  await write(live, 0, [1, 1]);
  await write(beside, 0, [10, 10]);
  const asked: Promise<unknown[]>[] = [];
  for (let i = 0; i < 6; i++) {
    asked.push(
      column('SELECT (SELECT sum(out_wh) FROM energy_intervals) * 10 + (SELECT sum(out_wh) FROM energy_daily)'),
    );
    await live.show(i % 2 === 0 ? { schema: 'v2', sinceMs: null } : null);
  }
  const answers = new Set((await Promise.all(asked)).flat());
  expect([...answers].filter((answer) => answer !== 22 && answer !== 220)).toEqual([]);
});

it('counts what differs, fact by fact', async () => {
  await write(live, 0, [1, 2, 3]);
  await write(beside, 0, [2, 4, 5], 1);
  const of = async (sinceMs: number | null) =>
    (await live.compare('v2', sinceMs)).find(({ table }) => table === 'energy_intervals');
  expect(await of(null)).toEqual({ table: 'energy_intervals', common: 2, onlyLive: 1, onlyOther: 1, changed: 1 });
  expect(await of(NEW_YEAR + HOUR)).toMatchObject({ common: 2, onlyLive: 0, onlyOther: 1, changed: 1 });
});

it('changes nothing when a switch fails, and drops a schema whole', async () => {
  await write(live, 0, [1]);
  await expect(live.show({ schema: 'v3', sinceMs: null })).rejects.toMatchObject({ code: 'sink_failed' });
  expect(await current()).toEqual([1]);
  await beside.close();
  await live.dropBeside('v2');
  expect(await column(`SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'v2'`)).toEqual([0]);
  beside = await live.beside('v2');
  expect(await beside.ledger()).toEqual([]);
});
