import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Clock } from '../../../runtime/kernel/clock.ts';
import { crashPoint } from '../../../runtime/kernel/crash.ts';
import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { DerivedEvent, DerivedType } from '../../../runtime/shard/derived.ts';
import type { TableReader } from '../../../runtime/system/engine.ts';
import { wanted } from '../batches.ts';
import { breathe } from '../breathe.ts';
import type { LedgerEntry, Sink, SinkAudit, SinkBatch } from '../contract.ts';
import { type Database, databaseError, openDatabase } from './database.ts';
import { compareSchemas, type TableDifference } from './difference.ts';
import { type EventsOptions, newestEvents } from './events.ts';
import { auditLedger, joinRanges, moveLedger, readLedger } from './ledger.ts';
import { prepareSchema } from './prepare.ts';
import { QueryGate, type QueryResult } from './query.ts';
import { type StandingColumn, toChunks } from './rows.ts';
import { liveSchema, planTable, quote, type TablePlan } from './schema.ts';
import { readShown, type Shown, show, shownSchema } from './shown.ts';

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
  /** Schema of the database that has the tables. @default 'main' */
  readonly schema?: string;
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
  readonly #schema: string;
  /** Of another sink, which closes it. */
  readonly #shared: Database | null;

  constructor(options: DuckDbSinkOptions, shared: Database | null = null) {
    this.name = options.name ?? 'duckdb';
    this.#options = options;
    this.#schema = options.schema ?? liveSchema;
    this.#shared = shared;
    this.#plans = new Map(options.types.map((type) => [type.name, planTable(type)]));
  }

  async open(): Promise<void> {
    if (this.#database !== null) return;
    const { file, threads = 1, memoryLimitMb = 512, queryTimeoutMs = 30_000, maxQueries = 2, clock } = this.#options;
    const database = this.#shared ?? (await openDatabase(file, { threads, memoryLimitMb }));
    const plans = [...this.#plans.values()];
    try {
      const writer = await database.connect();
      this.#order = await prepareSchema(writer, this.#schema, plans, this.#options.timeZones ?? {});
      await joinRanges(writer);
      this.#writer = writer;
    } catch (error) {
      if (this.#shared === null) database.close();
      throw databaseError(error, `cannot prepare ${file}`);
    }
    this.#database = database;
    const searchPath = this.#schema === liveSchema ? `${shownSchema},${liveSchema}` : this.#schema;
    this.#queries = new QueryGate({ database, clock, timeoutMs: queryTimeoutMs, maxQueries, searchPath });
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
    if (this.#shared === null) this.#database?.close();
    this.#database = null;
  }

  /** The same tables once more, in a schema of their own in the same file. It is to be closed before this sink. */
  async beside(schema: string): Promise<DuckDbSink> {
    const sink = new DuckDbSink({ ...this.#options, name: `${this.name}-${schema}`, schema }, this.#open());
    await sink.open();
    return sink;
  }

  /** What queries read in place of the live tables; null when they read these. */
  shown(): Promise<Shown | null> {
    return this.#apart('cannot read what is shown', readShown);
  }

  /** Lets queries read a schema beside, or, with null, the live tables again; each sees all of the one or of the other. */
  show(shown: Shown | null): Promise<void> {
    const nowMs = this.#options.clock.now();
    return this.#apart('cannot switch the tables', (c) => show(c, [...this.#plans.values()], shown, nowMs));
  }

  /** How the current rows of a schema beside differ from the live ones; with `sinceMs` only those from then on. */
  compare(schema: string, sinceMs: number | null): Promise<TableDifference[]> {
    return this.#apart('cannot compare', (c) => compareSchemas(c, [...this.#plans.values()], schema, sinceMs));
  }

  /** Removes a schema beside with everything in it. */
  dropBeside(schema: string): Promise<void> {
    return this.#apart('cannot drop the tables', async (connection) => {
      await connection.run(`DROP SCHEMA IF EXISTS ${quote(schema)} CASCADE`);
    });
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
      for (const [table, ofTable] of chunks) await append(connection, this.#schema, table, ofTable);
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

  /** On a connection of its own, so that the writer's has neither its settings nor its transaction. */
  async #apart<T>(doing: string, step: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#open().connect();
    try {
      return await step(connection);
    } catch (error) {
      throw databaseError(error, doing);
    } finally {
      connection.closeSync();
    }
  }

  #open(): Database {
    if (this.#database === null) throw new GridfoldError('sink_closed', 'stop', `sink ${this.name} is not open`);
    return this.#database;
  }

  #gate(): QueryGate {
    if (this.#queries === null) throw new GridfoldError('sink_closed', 'stop', `sink ${this.name} is not open`);
    return this.#queries;
  }
}

async function append(
  connection: DuckDBConnection,
  schema: string,
  table: string,
  chunks: readonly DuckDBDataChunk[],
): Promise<void> {
  const appender = await connection.createAppender(table, schema);
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
