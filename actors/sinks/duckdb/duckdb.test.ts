import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { derivedTypes } from '../../device/facts.ts';
import { ManualClock } from '../../../runtime/kernel/clock.ts';
import type { DerivedEvent, DerivedType } from '../../../runtime/shard/derived.ts';
import { type SinkTarget, sinkConformance } from '../conformance.ts';
import type { Sink } from '../contract.ts';
import {
  sampleBatch,
  sampleEvent,
  sampleType,
  sampleTypes,
  slotOccupancyType,
  stateIntervalType,
} from '../testing/samples.ts';
import { type DuckDbSink, openDuckDbSink } from './sink.ts';

const clock = new ManualClock(Date.UTC(2026, 0, 1));

async function duckDbTarget(): Promise<SinkTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'gridfold-duckdb-'));
  const file = join(folder, 'olap.duckdb');
  const tables = sampleTypes.map((type) => type.table);
  const column = async (sink: Sink, sql: string) =>
    (await (sink as DuckDbSink).query(sql, [], 100_000)).rows.map((row) => row[0] as string);
  const change = async (sql: (table: string) => string) => {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    for (const table of tables) await connection.run(sql(table));
    connection.closeSync();
    instance.closeSync();
  };
  return {
    open: () => openDuckDbSink({ file, types: sampleTypes, clock }),
    eventIds: (sink) => column(sink, tables.map((table) => `SELECT event_id FROM ${table}`).join(' UNION ALL ')),
    async written(sink, table) {
      const serials = new Set(await column(sink, `SELECT serial FROM ${table}`));
      const events: DerivedEvent[] = [];
      for (const serial of serials) events.push(...(await (sink as DuckDbSink).events(serial, { limit: 1000 })));
      return new Map(events.map((event) => [event.id, event.data]));
    },
    currentKeys: (sink, table) => column(sink, `SELECT key FROM ${table}_current`),
    doubleRow: (id) => change((table) => `INSERT INTO ${table} SELECT * FROM ${table} WHERE event_id = '${id}'`),
    loseRow: (id) => change((table) => `DELETE FROM ${table} WHERE event_id = '${id}'`),
    dispose: () => rm(folder, { recursive: true }),
  };
}

sinkConformance('DuckDB', duckDbTarget);

describe('the DuckDB file', () => {
  let folder: string;
  let file: string;
  let sink: DuckDbSink;
  const open = async (types: readonly DerivedType[] = sampleTypes) =>
    (sink = await openDuckDbSink({ file, types, clock }));
  const select = async (sql: string, parameters: unknown[] = []) => (await sink.query(sql, parameters, 1000)).rows;

  /** Behind the back of the sink, which is closed. */
  const change = async (sql: string) => {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridfold-duckdb-'));
    file = join(folder, 'olap.duckdb');
  });
  afterEach(async () => {
    await sink?.close();
    await rm(folder, { recursive: true });
  });

  it('has the columns of the contract, and `data_` before a name that is taken', async () => {
    await open();
    expect((await select('DESCRIBE sample_facts')).map(([name, type]) => `${name} ${type}`)).toEqual([
      'event_id VARCHAR',
      'serial VARCHAR',
      'kind VARCHAR',
      'site_id VARCHAR',
      'event_time TIMESTAMP WITH TIME ZONE',
      'record_time TIMESTAMP WITH TIME ZONE',
      'key VARCHAR',
      'version BIGINT',
      'op VARCHAR',
      'topic VARCHAR',
      'partition BIGINT',
      'offset BIGINT',
      'ordinal BIGINT',
      'machine VARCHAR',
      'data_version VARCHAR',
      'label VARCHAR',
      'power_w DOUBLE',
      'count BIGINT',
      'legal BOOLEAN',
      'opened_time TIMESTAMP WITH TIME ZONE',
      'parts JSON',
    ]);
    await sink.write([sampleBatch(5, 0, 2)]);
    expect(
      await select('SELECT topic, partition, "offset", ordinal, event_time FROM sample_facts ORDER BY "offset"'),
    ).toEqual([
      ['dead-letters', 5, 0, 0, '2022-07-08T09:00:00.005Z'],
      ['dead-letters', 5, 1, 0, '2022-07-08T09:00:01.005Z'],
    ]);
  });

  it('adds columns that are new and refuses one that changed its type', async () => {
    const older = { ...sampleType, columns: sampleType.columns.filter((c) => c.name !== 'label') };
    await open([older, stateIntervalType]);
    await sink.write([sampleBatch(0, 0, 3)]);
    await sink.close();
    await open();
    await sink.write([sampleBatch(0, 3, 5)]);
    expect(await select('SELECT "offset", label IS NULL FROM sample_facts_current ORDER BY 1')).toEqual([
      [0, true],
      [1, true],
      [3, false],
      [4, false],
    ]);
    await sink.close();
    await open([older, stateIntervalType]);
    await sink.write([sampleBatch(0, 5, 7)]);
    expect(await select('SELECT count(*) FROM sample_facts')).toEqual([[5]]);
    await sink.close();
    const changed = {
      ...sampleType,
      columns: sampleType.columns.map((c) => (c.name === 'label' ? { ...c, type: 'double' as const } : c)),
    };
    await expect(open([changed])).rejects.toMatchObject({ code: 'sink_schema_mismatch', reaction: 'stop' });
  });

  it('joins site, slot, epoch and service as of the event time', async () => {
    const plain = { ...sampleType, name: 'plain_fact', table: 'plain_facts', columns: sampleType.columns.slice(2) };
    await open([plain, ...sampleTypes]);
    let offset = 0;
    const at = (day: number | null) => (day === null ? null : new Date(Date.UTC(2022, 0, day)).toISOString());
    const event = (
      type: string,
      serial: string,
      day: number,
      data: Record<string, unknown>,
      rest: Partial<DerivedEvent> = {},
    ): DerivedEvent => ({
      ...sampleEvent(0, 0),
      id: `lifecycle-0-${offset++}-0`,
      type,
      serial,
      siteId: null,
      eventTime: at(day) as string,
      key: `${serial}/${type}/${day}/${JSON.stringify(data.region ?? data.slot ?? '')}`,
      version: offset,
      data,
      ...rest,
    });
    const held = (serial: string, siteId: string, slot: string, from: number, to: number | null, epoch: number) =>
      event('slot_occupancy', serial, from, {
        siteId,
        slot,
        serial,
        fromTime: at(from),
        toTime: at(to),
        installEpoch: epoch,
        replaces: null,
      });
    const life = (serial: string, state: string, from: number, to: number | null, region = 'lifecycle') =>
      event('state_interval', serial, from, { region, state, fromTime: at(from), toTime: at(to) });
    const events = [
      held('A', 'S-1', 'left', 5, 10, 1),
      held('A', 'S-2', 'right', 10, null, 2),
      life('A', 'Installed', 5, 6),
      life('A', 'inService', 6, 10),
      life('A', 'inService', 12, null),
      life('A', 'inService', 1, null, 'operation'),
      held('B', 'S-wrong', 'left', 5, null, 1),
      { ...held('B', 'S-wrong', 'left', 5, null, 1), op: 'retract' as const },
      ...[1, 5, 6, 10, 11, 12, 20].map((day) => event('plain_fact', 'A', day, {}, { siteId: 'S-then' })),
      event('plain_fact', 'B', 7, {}, { siteId: 'S-known-then' }),
    ];
    await sink.write([{ partition: 0, from: 0, next: events.length, events }]);
    const seen = `SELECT serial, day(event_time), site_id, slot, install_epoch, in_service FROM plain_facts_current ORDER BY 1, 2`;
    expect(await select(seen)).toEqual([
      ['A', 1, 'S-then', null, null, false],
      ['A', 5, 'S-1', 'left', 1, false],
      ['A', 6, 'S-1', 'left', 1, true],
      ['A', 10, 'S-2', 'right', 2, false],
      ['A', 11, 'S-2', 'right', 2, false],
      ['A', 12, 'S-2', 'right', 2, true],
      ['A', 20, 'S-2', 'right', 2, true],
      ['B', 7, 'S-known-then', null, null, true],
    ]);
    expect(await select('SELECT site_id, slot, in_service FROM slot_occupancies_current ORDER BY from_time')).toEqual([
      ['S-1', 'left', false],
      ['S-2', 'right', false],
    ]);
    expect(
      await select(
        `SELECT region, state, site_id, in_service FROM state_intervals_current WHERE serial = 'A' AND to_time IS NULL ORDER BY 1`,
      ),
    ).toEqual([
      ['lifecycle', 'inService', 'S-2', true],
      ['operation', 'inService', null, false],
    ]);
  });

  it('has a table and a view for every type that devices derive', async () => {
    await open(derivedTypes);
    for (const { table } of derivedTypes) {
      expect(await select(`SELECT * FROM ${table}_current`)).toEqual([]);
      const { columns } = await sink.query(
        `SELECT site_id, slot, in_service, install_epoch FROM ${table}_current`,
        [],
        1,
      );
      expect(columns.map((c) => c.type)).toEqual(['VARCHAR', 'VARCHAR', 'BOOLEAN', 'BIGINT']);
    }
  });

  it('keeps apart what two assets say under one key', async () => {
    await open();
    const said = (offset: number, serial: string, version: number, op: 'upsert' | 'retract'): DerivedEvent => {
      const data = {
        siteId: 'S-1',
        slot: 'left',
        serial,
        fromTime: '2022-01-01T00:00:00.000Z',
        toTime: null,
        installEpoch: 1,
        replaces: null,
      };
      const base = {
        ...sampleEvent(0, 0),
        id: `lifecycle-0-${offset}-0`,
        type: 'slot_occupancy',
        key: 'S-1/left/2022-01-01T00:00:00.000Z',
      };
      return { ...base, serial, version, op, data };
    };
    const events = [said(0, 'A', 1, 'upsert'), said(1, 'A', 900, 'retract'), said(2, 'B', 2, 'upsert')];
    await sink.write([{ partition: 0, from: 0, next: 3, events }]);
    expect(await select('SELECT serial FROM slot_occupancies_current')).toEqual([['B']]);
  });

  it('opens a file once, and says so', async () => {
    await open();
    await expect(openDuckDbSink({ file, types: sampleTypes, clock })).rejects.toMatchObject({
      code: 'sink_target_locked',
      reaction: 'retry',
    });
    await sink.close();
    await expect(sink.ledger()).rejects.toMatchObject({ code: 'sink_closed' });
    await expect(sink.query('SELECT 1', [], 1)).rejects.toMatchObject({ code: 'sink_closed' });
    await sink.open();
    expect(await select('SELECT 1')).toEqual([[1]]);
  });

  it('joins ranges that touch, and still sees what overlaps or lacks', async () => {
    await open();
    for (let to = 2; to <= 10; to += 2) await sink.write([sampleBatch(0, to - 2, to), sampleBatch(1, to - 2, to)]);
    const ranges = 'SELECT partition, "from", next FROM gridfold_ranges ORDER BY ALL';
    expect((await select(ranges)).length).toBe(10);
    await sink.close();
    await open();
    expect(await select(ranges)).toEqual([
      [0, 0, 10],
      [1, 0, 10],
    ]);
    await sink.close();
    await change(`INSERT INTO gridfold_ranges VALUES (0, 4, 6, now()), (0, 8, 12, now())`);
    await change(`UPDATE gridfold_ranges SET "from" = 3 WHERE partition = 1`);
    await open();
    expect(await sink.audit()).toEqual([
      { partition: 0, next: 10, rows: 10, doubled: 4, missing: 2 },
      { partition: 1, next: 10, rows: 10, doubled: 0, missing: 3 },
    ]);
  });

  it('keeps JSON readable whatever text is in it', async () => {
    await open();
    const parts = ['\ud800', '\\ud800', { 'x\udfff': '\u{1f50b}\0' }];
    const event: DerivedEvent = { ...sampleEvent(0, 0), data: { parts, label: 'a\0b\udfff' } };
    await sink.write([{ partition: 0, from: 0, next: 1, events: [event] }]);
    expect(await select(`SELECT label, parts->>0, parts->>1, parts->2->>'x\ufffd' FROM sample_facts`)).toEqual([
      ['a\0b\ufffd', '\ufffd', '\\ud800', '\u{1f50b}\0'],
    ]);
  });

  it('says what is wrong with a file it cannot open', async () => {
    await writeFile(file, 'not a database, but long enough to be looked at. '.repeat(200));
    await expect(open()).rejects.toMatchObject({ code: 'sink_open_failed', reaction: 'fix-configuration' });
    file = join(folder, 'no-such-folder', 'olap.duckdb');
    await expect(open()).rejects.toMatchObject({ code: 'sink_open_failed' });
  });

  it('leaves the join columns empty without occupancies', async () => {
    await open([sampleType]);
    await sink.write([{ partition: 0, from: 0, next: 1, events: [sampleEvent(0, 0)] }]);
    expect(await select('SELECT site_id, slot, in_service, install_epoch FROM sample_facts_current')).toEqual([
      ['S-0', null, true, null],
    ]);
  });

  it('pages through the events of an asset, newest first, over all tables', async () => {
    await open([sampleType, stateIntervalType, slotOccupancyType]);
    await sink.write([sampleBatch(0, 0, 50)]);
    const expected = Array.from({ length: 50 }, (_, i) => sampleEvent(0, 49 - i)).filter((e) => e.serial === 'PW-0-3');
    const all = await sink.events('PW-0-3', { limit: 100 });
    expect(all.map((e) => e.id)).toEqual(expected.map((e) => e.id));
    const interval = all.find((e) => e.type === 'state_interval');
    expect(interval).toEqual(expected.find((e) => e.id === interval?.id));
    const first = await sink.events('PW-0-3', { limit: 3 });
    const rest = await sink.events('PW-0-3', { limit: 3, before: `${first[2].eventTime}/${first[2].id}` });
    expect([...first, ...rest].map((e) => e.id)).toEqual(expected.slice(0, 6).map((e) => e.id));
    expect(await sink.events('PW-0-3', { limit: 9, before: expected[5].eventTime })).toEqual(all.slice(6));
    expect(
      (await sink.events('PW-0-3', { type: 'state_interval', limit: 9 })).every((e) => e.type === 'state_interval'),
    ).toBe(true);
    await expect(sink.events('PW-0-3', { type: 'nothing', limit: 9 })).rejects.toMatchObject({ code: 'sql_refused' });
  });
});
