/**
 * Rows per second into DuckDB: the sink (events to columns, rows and ledger in one transaction) against the same events
 * through the chunk appender without a ledger, and against chunks that are ready. In the same process, in turns; every
 * turn writes a fresh file, closing (checkpoint) included. Then the time of the current view over what was written.
 *
 *   node bench/sink.ts [--rows 100000] [--batch 8192] [--rounds 5] [--json]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DuckDBDataChunk } from '@duckdb/node-api';
import { openDatabase } from '../actors/sinks/duckdb/database.ts';
import { toChunks } from '../actors/sinks/duckdb/rows.ts';
import { createTable, planTable } from '../actors/sinks/duckdb/schema.ts';
import { openDuckDbSink } from '../actors/sinks/duckdb/sink.ts';
import { slotOccupancyType, stateIntervalType } from '../actors/sinks/testing/samples.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import type { DerivedEvent, DerivedType } from '../runtime/shard/derived.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    batch: { type: 'string', default: '8192' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const [rows, batchRows, rounds] = [Number(values.rows), Number(values.batch), Number(values.rounds)];
const partitions = 16;

const energyType: DerivedType = {
  name: 'energy_interval',
  table: 'energy_intervals',
  doc: '',
  key: '',
  columns: [
    { name: 'fromTime', type: 'time', doc: '' },
    { name: 'toTime', type: 'time', doc: '' },
    { name: 'inWh', type: 'double', doc: '' },
    { name: 'outWh', type: 'double', doc: '' },
    { name: 'method', type: 'text', doc: '' },
    { name: 'coverage', type: 'double', doc: '' },
  ],
};
const plan = planTable(energyType);
const order = plan.columns.map((c) => ({ name: c.name, type: c.sqlType }));

/** Quarter hours of 1000 Powerwalls, one in ten a newer version of one before. */
function energyEvent(partition: number, offset: number): DerivedEvent {
  const serial = `PW-${String((offset % 63) * partitions + partition).padStart(6, '0')}`;
  const quarter = Math.floor(offset / 63) - (offset % 10 === 9 ? 1 : 0);
  const from = new Date(Date.UTC(2022, 0, 1) + quarter * 900_000).toISOString();
  const to = new Date(Date.UTC(2022, 0, 1) + (quarter + 1) * 900_000).toISOString();
  return {
    id: `telemetry-${partition}-${offset * 20}-0`,
    type: energyType.name,
    serial,
    kind: 'powerwall',
    siteId: `S-${partition}`,
    eventTime: from,
    recordTime: to,
    key: `${serial}/${from}/900`,
    version: offset,
    op: 'upsert',
    machine: 'powerwall@1',
    data: { fromTime: from, toTime: to, inWh: (offset % 900) / 7, outWh: 0, method: 'counter', coverage: 1 },
  };
}

interface Piece {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly events: DerivedEvent[];
}
const pieces: Piece[] = [];
for (let i = 0; pieces.length * batchRows < rows; i++) {
  const [partition, from] = [i % partitions, Math.floor(i / partitions) * batchRows];
  const events = Array.from({ length: batchRows }, (_, n) => energyEvent(partition, from + n));
  pieces.push({ partition, from, next: from + batchRows, events });
}
const written = pieces.length * batchRows;
const folder = mkdtempSync(join(tmpdir(), 'gridfold-bench-'));
let files = 0;
const fresh = () => join(folder, `${files++}.duckdb`);

async function throughSink(): Promise<void> {
  const sink = await openDuckDbSink({ file: fresh(), types: [energyType], clock: systemClock });
  for (const piece of pieces) await sink.write([piece]);
  await sink.close();
}

async function appendAll(chunksOf: (piece: Piece) => Promise<DuckDBDataChunk[]>): Promise<void> {
  const database = await openDatabase(fresh(), { threads: 1, memoryLimitMb: 512 });
  const connection = await database.connect();
  await connection.run(createTable(plan));
  for (const piece of pieces) {
    const appender = await connection.createAppender(plan.table);
    for (const chunk of await chunksOf(piece)) appender.appendDataChunk(chunk);
    appender.closeSync();
  }
  connection.closeSync();
  database.close();
}

const ready = new Map<Piece, DuckDBDataChunk[]>();
for (const piece of pieces) ready.set(piece, await toChunks(plan, order, piece.events));
const contenders = {
  sink: throughSink,
  'appender from events': () => appendAll((piece) => toChunks(plan, order, piece.events)),
  'appender from chunks': () => appendAll(async (piece) => ready.get(piece) ?? []),
};

const rates: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const start = performance.now();
    await run();
    if (round >= 0) rates[name].push(written / ((performance.now() - start) / 1000));
  }
}

const spread = (list: readonly number[]) => {
  const sorted = list.map(Math.round).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
};

/** Milliseconds of a query on the view, with the tables it joins there but empty. */
async function viewTimes(): Promise<Record<string, number>> {
  const file = fresh();
  const types = [energyType, stateIntervalType, slotOccupancyType];
  const sink = await openDuckDbSink({ file, types, clock: systemClock });
  for (const piece of pieces) await sink.write([piece]);
  const queries = {
    'sum over all': 'SELECT count(*), sum(in_wh) FROM energy_intervals_current WHERE in_service',
    'one asset': `SELECT count(*), sum(in_wh) FROM energy_intervals_current WHERE serial = 'PW-000016'`,
    audit: '',
  };
  const times: Record<string, number> = {};
  for (const [name, sql] of Object.entries(queries)) {
    const start = performance.now();
    await (sql === '' ? sink.audit() : sink.query(sql, [], 1));
    times[name] = Math.round(performance.now() - start);
  }
  await sink.close();
  times['file bytes per row'] = Math.round(statSync(file).size / written);
  return times;
}

const summary = Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, spread(list)]));
const views = await viewTimes();
rmSync(folder, { recursive: true });
const report = {
  machine: `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`,
  rows: written,
  batch: batchRows,
  rowsPerSecond: summary,
  ratioToAppenderFromEvents: summary.sink.median / summary['appender from events'].median,
  ratioToAppenderFromChunks: summary.sink.median / summary['appender from chunks'].median,
  viewMs: views,
};
if (values.json) console.log(JSON.stringify(report));
else {
  console.log(`${report.machine}; ${written} rows in commits of ${batchRows}`);
  for (const [name, { median, min, max }] of Object.entries(summary)) {
    console.log(`  ${name.padEnd(22)} ${median} rows/s  (${min} .. ${max})`);
  }
  console.log(
    `  sink / appender from events ${report.ratioToAppenderFromEvents.toFixed(2)}, from chunks ${report.ratioToAppenderFromChunks.toFixed(2)}`,
  );
  console.log(`  view over ${written} rows, ms: ${JSON.stringify(views)}`);
}
