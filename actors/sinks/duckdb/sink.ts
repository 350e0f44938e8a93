import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Clock } from '../../../runtime/kernel/clock.ts';
import { crashPoint } from '../../../runtime/kernel/crash.ts';
import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { DerivedEvent, DerivedType } from '../../../runtime/shard/derived.ts';
import type { TableReader } from '../../../runtime/system/engine.ts';
import { wanted } from '../batches.ts';
import { breathe } from '../breathe.ts';
import type { LedgerEntry, Sink, SinkAudit, SinkBatch } from '../contract.ts';
import { type Database, databaseError, openDatabase, rows } from './database.ts';
import { writeDictionary } from './dictionary.ts';
import { type EventsOptions, newestEvents } from './events.ts';
import { auditLedger, joinRanges, ledgerTables, moveLedger, readLedger } from './ledger.ts';
import { QueryGate, type QueryResult } from './query.ts';
import { type StandingColumn, toChunks } from './rows.ts';
import { createTable, migrateTable, planTable, type TablePlan } from './schema.ts';
import { createMarts } from './marts/index.ts';
import { createKindsTable, kindsTable } from './marts/parts.ts';
import { createCurrentView, createOccupancyView, createServiceView, joinsOf } from './views.ts';

export interface DuckDbSinkOptions {
  /** Path of the database file; its folder must exist. */
  readonly file: string;
  /** Every type that may stand in the derived topic. An event of another type stops the sink. */
  readonly types: readonly DerivedType[];
  readonly clock: Clock;
  /** IANA time zones by kind, for the days of assets whose records tell none. @default UTC for all */
  readonly timeZones?: Readonly<Record<string, string>>;
  /** @default 'duckdb' */
  readonly name?: string;
  /** Threads of the database, for writing and reading together. @default 1 */
  readonly threads?: number;
  /** Memory of the database, mebibytes. @default 512 */
  readonly memoryLimitMb?: number;
  /** A query that takes longer is interrupted. @default 30000 */
  readonly queryTimeoutMs?: number;
  /** Queries that run at the same time; others wait. @default 2 */
  readonly maxQueries?: number;
}

/** Commits after which touching ranges are joined, so that the audit list stays short. */
const rangesPerJoin = 5_000;

/** Opens (or makes) the file and brings its tables and views up to `types`. */
export async function openDuckDbSink(options: DuckDbSinkOptions): Promise<DuckDbSink> {
  const sink = new DuckDbSink(options);
  await sink.open();
  return sink;
}

/**
 * Derived events in one DuckDB file: a changelog table and a `_current` view per type, and the ledger beside them.
 * Besides the sink it is the engine's `TableReader`: {@link query} and {@link events}.
 */
export class DuckDbSink implements Sink, TableReader {
  readonly name: string;
  readonly #options: DuckDbSinkOptions;
  readonly #plans: ReadonlyMap<string, TablePlan>;
  #order: ReadonlyMap<string, readonly StandingColumn[]> = new Map();
  #database: Database | null = null;
  #writer: DuckDBConnection | null = null;
  #queries: QueryGate | null = null;
  /** Writes and audits, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #commits = 0;

  constructor(options: DuckDbSinkOptions) {
    this.name = options.name ?? 'duckdb';
    this.#options = options;
    this.#plans = new Map(options.types.map((type) => [type.name, planTable(type)]));
  }

  async open(): Promise<void> {
    if (this.#database !== null) return;
    const { file, threads = 1, memoryLimitMb = 512, queryTimeoutMs = 30_000, maxQueries = 2, clock } = this.#options;
    const database = await openDatabase(file, { threads, memoryLimitMb });
    try {
      const writer = await database.connect();
      this.#order = await prepareSchema(writer, [...this.#plans.values()], this.#options.timeZones ?? {});
      await joinRanges(writer);
      this.#writer = writer;
    } catch (error) {
      database.close();
      throw databaseError(error, `cannot prepare ${file}`);
    }
    this.#database = database;
    this.#queries = new QueryGate({ database, clock, timeoutMs: queryTimeoutMs, maxQueries });
  }

  ledger(): Promise<LedgerEntry[]> {
    return this.#alone('cannot read the ledger', readLedger);
  }

  write(batches: readonly SinkBatch[]): Promise<void> {
    return this.#alone('cannot write', async (connection) => {
      const ledger = await readLedger(connection);
      const todo = wanted(batches, new Map(ledger.map((e) => [e.partition, e.next])));
      if (todo.length === 0) return;
      const chunks = await this.#toChunks(todo.flatMap((batch) => batch.events));
      await this.#commit(connection, chunks, ledger, todo);
      this.#commits += 1;
      if (this.#commits % rangesPerJoin === 0) await joinRanges(connection);
    });
  }

  audit(): Promise<SinkAudit[]> {
    const tables = [...this.#plans.values()].map((plan) => plan.table);
    return this.#alone('cannot audit', (connection) => auditLedger(connection, tables));
  }

  /** One reading statement, see {@link QueryGate.query}. */
  async query(sql: string, parameters: readonly unknown[], limit: number): Promise<QueryResult> {
    return this.#gate().query(sql, parameters, limit);
  }

  /** Derived events of an asset, newest first, see {@link newestEvents}. */
  async events(serial: string, options: EventsOptions): Promise<DerivedEvent[]> {
    return newestEvents(this.#gate(), [...this.#plans.values()], serial, options);
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined);
    await this.#queries?.close();
    this.#queries = null;
    this.#writer?.closeSync();
    this.#writer = null;
    this.#database?.close();
    this.#database = null;
  }

  async #toChunks(events: readonly DerivedEvent[]): Promise<Map<string, DuckDBDataChunk[]>> {
    const result = new Map<string, DuckDBDataChunk[]>();
    for (const [name, ofType] of Map.groupBy(events, (event) => event.type)) {
      const plan = this.#plans.get(name);
      if (plan === undefined) {
        throw new GridfoldError(
          'sink_schema_mismatch',
          'stop',
          `event ${ofType[0].id}: type ${name} has no table here; open the sink with every type the runtime derives`,
        );
      }
      result.set(plan.table, await toChunks(plan, this.#order.get(plan.table) ?? [], ofType));
    }
    return result;
  }

  async #commit(
    connection: DuckDBConnection,
    chunks: ReadonlyMap<string, readonly DuckDBDataChunk[]>,
    ledger: readonly LedgerEntry[],
    batches: readonly SinkBatch[],
  ): Promise<void> {
    crashPoint('sink.1');
    await connection.run('BEGIN TRANSACTION');
    try {
      for (const [table, ofTable] of chunks) await append(connection, table, ofTable);
      crashPoint('sink.2');
      await moveLedger(connection, ledger, batches, this.#options.clock.now());
      crashPoint('sink.3');
      await connection.run('COMMIT');
      crashPoint('sink.4');
    } catch (error) {
      // A failed COMMIT has already ended the transaction.
      await connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async #alone<T>(doing: string, step: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const run = this.#turn.then(async () => {
      if (this.#writer === null) throw new GridfoldError('sink_closed', 'stop', `sink ${this.name} is not open`);
      return step(this.#writer);
    });
    this.#turn = run.catch(() => undefined);
    return run.catch((error) => {
      throw databaseError(error, doing);
    });
  }

  #gate(): QueryGate {
    if (this.#queries === null) throw new GridfoldError('sink_closed', 'stop', `sink ${this.name} is not open`);
    return this.#queries;
  }
}

async function append(connection: DuckDBConnection, table: string, chunks: readonly DuckDBDataChunk[]): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    for (const chunk of chunks) {
      appender.appendDataChunk(chunk);
      appender.flushSync();
      await breathe();
    }
  } finally {
    appender.closeSync();
  }
}

/** Tables, ledger and views, in one transaction; returns the columns of each table in the file's order. */
async function prepareSchema(
  connection: DuckDBConnection,
  plans: readonly TablePlan[],
  timeZones: Readonly<Record<string, string>>,
): Promise<Map<string, StandingColumn[]>> {
  await connection.run('BEGIN TRANSACTION');
  try {
    for (const statement of ledgerTables) await connection.run(statement);
    const standing = await standingTables(connection);
    for (const plan of plans) {
      const columns = standing.get(plan.table);
      const known = new Map(columns?.map((c) => [c.name, c.type]));
      const statements = columns === undefined ? [createTable(plan)] : migrateTable(plan, known);
      for (const statement of statements) await connection.run(statement);
    }
    const joins = joinsOf(plans);
    await connection.run(createOccupancyView(plans));
    await connection.run(createServiceView(plans));
    for (const plan of plans) await connection.run(createCurrentView(plan, joins));
    await setTimeZones(connection, timeZones);
    for (const statement of createMarts(plans)) await connection.run(statement);
    await writeDictionary(connection, plans);
    const order = await standingTables(connection);
    await connection.run('COMMIT');
    return order;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function setTimeZones(connection: DuckDBConnection, timeZones: Readonly<Record<string, string>>): Promise<void> {
  await connection.run(createKindsTable);
  await connection.run(`DELETE FROM ${kindsTable}`);
  for (const row of Object.entries(timeZones)) await connection.run(`INSERT INTO ${kindsTable} VALUES ($1, $2)`, row);
}

async function standingTables(connection: DuckDBConnection): Promise<Map<string, StandingColumn[]>> {
  const found = await rows(
    connection,
    `SELECT t.table_name, c.column_name, c.data_type FROM duckdb_tables() t JOIN duckdb_columns() c USING (table_oid)
      WHERE t.schema_name = 'main' AND NOT t.temporary AND NOT t.internal ORDER BY t.table_name, c.column_index`,
  );
  const result = new Map<string, StandingColumn[]>();
  for (const [table, name, type] of found as string[][]) {
    const columns = result.get(table) ?? [];
    columns.push({ name, type });
    result.set(table, columns);
  }
  return result;
}
