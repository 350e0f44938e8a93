/**
 * The verifier: a program of its own that trusts nothing but the log. It folds every partition once from the first
 * record on, in the journalled interleaving, and holds against that what the killed process left behind:
 *
 *   - the derived, contribution and dead-letter topics, record by record and byte by byte,
 *   - the committed position and the state of every asset (all columns, side records, lifecycle lists),
 *   - the rows and the ledger of the DuckDB sink.
 *
 *   node test/crash/verify.ts DIR      prints a JSON report; exit code 1 when anything differs
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import { type DerivedEvent, tablesOf } from '../../runtime/shard/derived.ts';
import { PartitionFold } from '../../runtime/shard/fold.ts';
import { decodeJournal } from '../../runtime/shard/journal.ts';
import { startPosition } from '../../runtime/shard/position.ts';
import { RecordReader } from '../../runtime/shard/record-reader.ts';
import { committedPosition, replayStep } from '../../runtime/shard/recovery.ts';
import { PARTITIONS } from './open-subject.ts';
import { compareRow } from './rows.ts';
import { compareStates, openState } from './states.ts';
import { types } from './types.ts';
import { compareOutputs, eventsOf, readOutputs, type Written } from './written.ts';

export interface Report {
  readonly records: number;
  readonly commits: number;
  readonly events: number;
  readonly rows: number;
  readonly assets: number;
  /** What differs; empty when nothing was lost, doubled or changed. */
  readonly differences: string[];
}

const MOST_DIFFERENCES = 20;

export async function verify(dir: string): Promise<Report> {
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: PARTITIONS, clock: systemClock });
  const report = { records: 0, commits: 0, events: 0, rows: 0, assets: 0, differences: [] as string[] };
  const differ = (text: string) => {
    if (report.differences.length < MOST_DIFFERENCES) report.differences.push(text.slice(0, 400));
  };
  const written = await readOutputs(log, types);
  for (const type of types) {
    for (let partition = 0; partition < log.partitions; partition++) {
      await verifyPartition(dir, log, type, partition, written, report, differ);
    }
  }
  for (const place of written.left()) differ(`${place}: records beyond the last commit`);
  const events = eventsOf(written, differ);
  report.events = events.size;
  report.rows = await compareRows(dir, events, log, differ);
  await log.close();
  return report;
}

/** Folds one partition of an actor type from its first record on; compares outputs, position and state. */
async function verifyPartition(
  dir: string,
  log: Log,
  type: ActorType,
  partition: number,
  written: Written,
  report: { records: number; commits: number; assets: number },
  differ: (text: string) => void,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'gridfold-verify-'));
  const oracle = await openState(scratch, type);
  const { partitions } = log;
  const position = startPosition();
  const fold = new PartitionFold({ type, partition, partitions, state: oracle, position, horizonMs: 86_400_000 });
  await foldAll(log, fold, written, differ);
  report.records += fold.position.telemetry + fold.position.lifecycle;
  report.commits += fold.position.commit;
  const committed = await committedPosition(log, type.topics.journal, partition);
  const [told, folded] = [committed, fold.position].map((p) => JSON.stringify(p));
  if (told !== folded) differ(`${type.name} ${partition}: committed ${told}, folded ${folded}`);
  const state = await openState(join(dir, 'state', `${type.name}-${partition}`), type);
  report.assets += compareStates(oracle, state, differ);
  await state.close();
  await oracle.close();
  rmSync(scratch, { recursive: true });
}

/** Folds a partition from its first record to its last commit; compares what it says with what the log holds. */
async function foldAll(log: Log, fold: PartitionFold, written: Written, differ: (text: string) => void): Promise<void> {
  const { partition, type } = fold;
  const reader = (topic: string) => new RecordReader(log, topic, partition, 0);
  const { readings, lifecycle, journal } = type.topics;
  const inputs = [reader(readings), reader(lifecycle)] as const;
  const steps = reader(journal);
  for (let run = await steps.peek(1); run !== null; run = await steps.peek(1)) {
    steps.advance(run);
    const { batch, from } = run;
    const record = decodeJournal(batch.bytes.subarray(batch.valueStart[from], batch.valueEnd[from]));
    for (const step of record.steps) await replayStep(fold, step, ...inputs);
    fold.position.commit = steps.next;
    compareOutputs(fold, written, differ);
  }
}

/** Every row against its event: identity and all data columns; every event in exactly one row. */
async function compareRows(
  dir: string,
  events: ReadonlyMap<string, DerivedEvent>,
  log: Log,
  differ: (text: string) => void,
): Promise<number> {
  const sink = await openTables(dir);
  const seen = new Set<string>();
  for (const { table, columns } of tablesOf(types)) {
    for await (const row of rowsOf(sink, `SELECT * FROM ${table} ORDER BY partition, "offset", ordinal`)) {
      const id = String(row.event_id);
      const event = events.get(id);
      if (seen.has(id)) differ(`${table}: ${id} stands twice`);
      seen.add(id);
      if (event === undefined) differ(`${table}: row of ${id}, which is not in the log`);
      else compareRow(table, row, event, columns, differ);
    }
  }
  for (const id of events.keys()) if (!seen.has(id)) differ(`${id} is in the log, and in no table`);
  for (const account of await sink.audit()) {
    const end = log.extent(topics.derived, account.partition).end;
    const isClean = account.doubled === 0 && account.missing === 0 && account.next === end;
    if (!isClean) differ(`audit: ${JSON.stringify(account)}, log ends at ${end}`);
  }
  await sink.close();
  return seen.size;
}

type Tables = Awaited<ReturnType<typeof openTables>>;

function openTables(dir: string) {
  const file = join(dir, 'olap.duckdb');
  return openDuckDbSink({ file, types: tablesOf(types), clock: systemClock, memoryLimitMb: 2048 });
}

/** Rows of a page of an answer: the sink answers no more than 100,000 at once, and says where it cut. */
const PAGE_ROWS = 20_000;

/** All rows of an ordered statement, page by page. */
async function* rowsOf(sink: Tables, ordered: string): AsyncGenerator<Record<string, unknown>> {
  for (let from = 0; ; from += PAGE_ROWS) {
    const page = `${ordered} LIMIT ${PAGE_ROWS} OFFSET ${from}`;
    const { columns, rows, truncated } = await sink.query(page, [], PAGE_ROWS);
    if (truncated && rows.length < PAGE_ROWS) throw new Error(`an answer was cut after ${rows.length} rows: ${page}`);
    for (const values of rows) yield Object.fromEntries(columns.map(({ name }, i) => [name, values[i]]));
    if (rows.length < PAGE_ROWS) return;
  }
}

/** Rows of every `_current` view, as comparable text: key, event time and data. Ids, versions and record times are left out. */
export async function currentRows(dir: string): Promise<Map<string, string[]>> {
  const sink = await openTables(dir);
  const views = new Map<string, string[]>();
  for (const { table } of tablesOf(types)) {
    const rows: string[] = [];
    const what = '* EXCLUDE (event_id, version, record_time, topic, partition, "offset", ordinal)';
    for await (const row of rowsOf(sink, `SELECT ${what} FROM ${table}_current ORDER BY key, serial`)) {
      rows.push(JSON.stringify(row));
    }
    views.set(table, rows);
  }
  await sink.close();
  return views;
}

if (process.argv[1] === import.meta.filename) {
  const report = await verify(process.argv[2]);
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  process.exitCode = report.differences.length === 0 ? 0 : 1;
}
