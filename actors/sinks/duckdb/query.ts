import { type DuckDBConnection, type DuckDBPreparedStatement, type DuckDBValue, StatementType } from '@duckdb/node-api';
import type { Clock } from '../../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { Database } from './database.ts';
import { toJson } from './json-values.ts';

export interface QueryResult {
  columns: { name: string; type: string }[];
  rows: unknown[][];
  truncated: boolean;
}

export interface QueryGateOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly maxQueries: number;
  /** Schemas in which names are looked for, separated by commas. */
  readonly searchPath: string;
}

/** Queries that may wait for their turn; more are refused with `sql_busy`. */
const maxWaiting = 64;
/** Rows of one answer at most, whatever the caller wants. */
const maxRows = 100_000;
/** Characters of text in one answer at most; past it the answer is cut and says so. */
const maxText = 32 * 1024 * 1024;
const interruptAgainMs = 20;

/** Table functions that look like reading and change the database. */
const changing =
  /\b(force_checkpoint|checkpoint|enable_logging|disable_logging|truncate_duckdb_logs|write_log|nextval|setseed)\s*\(/i;

/**
 * The door for foreign SQL: one statement that only reads, in a read-only transaction on a connection of its own, with
 * a limit on time, rows and concurrency. What the statement cannot do is enforced by the database (no external access,
 * locked configuration), not by reading the text.
 */
export class QueryGate {
  readonly #options: QueryGateOptions;
  readonly #running = new Set<Interruption>();
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  #closed = false;
  #idle = (): void => undefined;

  constructor(options: QueryGateOptions) {
    this.#options = options;
  }

  /** Errors: `sql_refused`, `sql_timeout` (fix-configuration), `sql_busy` (retry). `limit` is clamped to 1..100000. */
  async query(sql: string, parameters: readonly unknown[], limit: number): Promise<QueryResult> {
    const values = parameters.map(toParameter);
    if (changing.test(sql)) throw refused('functions that change the database are not allowed');
    await this.#enter();
    try {
      return await this.#run(sql, values, Math.min(Math.max(1, Math.trunc(limit) || 1), maxRows));
    } finally {
      this.#leave();
    }
  }

  /** Interrupts what runs and waits for it; what waits, and later queries, are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    for (const interruption of this.#running) interruption.begin(closed());
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #run(sql: string, values: DuckDBValue[], limit: number): Promise<QueryResult> {
    const { database, clock, timeoutMs, searchPath } = this.#options;
    const connection = await database.connect();
    const interruption = new Interruption(connection);
    if (this.#closed) interruption.begin(closed());
    this.#running.add(interruption);
    const cancelDeadline = clock.after(timeoutMs, () => interruption.begin(timedOut(timeoutMs)));
    try {
      await connection.run(`SET search_path = '${searchPath}'`);
      await connection.run('BEGIN TRANSACTION READ ONLY');
      const statement = await onlyReading(connection, sql);
      bind(statement, values);
      return await collect(statement, limit);
    } catch (error) {
      if (interruption.reason !== null) throw interruption.reason;
      throw error instanceof GridfoldError ? error : refused(error instanceof Error ? error.message : String(error));
    } finally {
      cancelDeadline();
      interruption.end();
      this.#running.delete(interruption);
      connection.closeSync();
    }
  }

  async #enter(): Promise<void> {
    if (this.#closed) throw closed();
    if (this.#active < this.#options.maxQueries) {
      this.#active += 1;
      return;
    }
    if (this.#waiting.length >= maxWaiting)
      throw new GridfoldError('sql_busy', 'retry', `${maxWaiting} queries are waiting already`);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed) throw closed();
  }

  /** Hands the place to whoever waits longest, else frees it. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#active -= 1;
    else next();
    if (this.#active === 0) this.#idle();
  }
}

/** Ends what a connection does. DuckDB forgets an interrupt that comes between two steps, so it is repeated. */
class Interruption {
  reason: GridfoldError | null = null;
  readonly #connection: DuckDBConnection;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  begin(reason: GridfoldError): void {
    this.reason ??= reason;
    this.#connection.interrupt();
    this.#timer ??= setInterval(() => this.#connection.interrupt(), interruptAgainMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

function closed(): GridfoldError {
  return new GridfoldError('sink_closed', 'stop', 'the database is closing');
}

async function onlyReading(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw refused(`one statement is allowed at a time, not ${statements.count}`);
  const statement = await statements.prepare(0);
  const type = statement.statementType;
  if (type !== StatementType.SELECT && type !== StatementType.EXPLAIN) {
    throw refused(
      `only reading is allowed (SELECT, SHOW, DESCRIBE, SUMMARIZE, EXPLAIN), not ${StatementType[type] ?? type}`,
    );
  }
  return statement;
}

function bind(statement: DuckDBPreparedStatement, values: DuckDBValue[]): void {
  if (statement.parameterCount !== values.length) {
    throw refused(`the statement has ${statement.parameterCount} parameters, ${values.length} were given`);
  }
  if (values.length > 0) statement.bind(values);
}

async function collect(statement: DuckDBPreparedStatement, limit: number): Promise<QueryResult> {
  const result = await statement.stream();
  const names = result.deduplicatedColumnNames();
  const columns = result.columnTypes().map((type, i) => ({ name: names[i], type: String(type) }));
  const rows: unknown[][] = [];
  let text = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const row of chunk.getRows()) {
      if (rows.length >= limit || text > maxText) return { columns, rows, truncated: true };
      rows.push(row.map(toJson));
      for (const value of row) text += typeof value === 'string' ? value.length : 8;
    }
  }
  return { columns, rows, truncated: false };
}

function toParameter(value: unknown): DuckDBValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  throw refused('a parameter must be a string, a number, a boolean or null');
}

function refused(message: string): GridfoldError {
  return new GridfoldError('sql_refused', 'fix-configuration', message);
}

function timedOut(timeoutMs: number): GridfoldError {
  return new GridfoldError(
    'sql_timeout',
    'fix-configuration',
    `the query took longer than ${timeoutMs} ms and was interrupted; ask for less`,
  );
}
