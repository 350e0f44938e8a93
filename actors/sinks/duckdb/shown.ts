import type { DuckDBConnection } from '@duckdb/node-api';
import { rows } from './database.ts';
import { createMarts } from './marts/index.ts';
import { kindsTable } from './marts/parts.ts';
import { liveSchema, quote, type TablePlan } from './schema.ts';
import { createViews } from './views.ts';

/** What queries read in place of the live tables. */
export interface Shown {
  /** The schema beside the live one. */
  readonly schema: string;
  /** Facts of before (event time, epoch ms) are still those of the live tables; null: none. */
  readonly sinceMs: number | null;
}

/** Queries look for a name here first. It is empty while the live tables are what they read. */
export const shownSchema = 'gridfold_shown';
const record = `${liveSchema}.gridfold_cut_over`;

/** The schema is always there, so that a query can name it whatever is shown. */
export const createShown = [
  `CREATE SCHEMA IF NOT EXISTS ${shownSchema}`,
  `CREATE TABLE IF NOT EXISTS ${record} ("schema" VARCHAR NOT NULL, since TIMESTAMPTZ, shown_at TIMESTAMPTZ NOT NULL)`,
];

export async function readShown(connection: DuckDBConnection): Promise<Shown | null> {
  const [found] = await rows(connection, `SELECT "schema", epoch_ms(since) FROM ${record}`);
  if (found === undefined) return null;
  const [schema, since] = found;
  return { schema: String(schema), sinceMs: since === null ? null : Number(since) };
}

/**
 * Switches what queries read, in one transaction: the changelogs under their names become views on the schema's tables,
 * and everything that reads changelogs is made once more over them.
 */
export async function show(
  connection: DuckDBConnection,
  plans: readonly TablePlan[],
  shown: Shown | null,
  nowMs: number,
): Promise<void> {
  const statements = shown === null ? [] : shownViews(plans, shown, nowMs);
  await connection.run('BEGIN TRANSACTION');
  try {
    await connection.run(`DROP SCHEMA ${shownSchema} CASCADE`);
    await connection.run(`CREATE SCHEMA ${shownSchema}`);
    await connection.run(`SET schema = '${shownSchema}'`);
    await connection.run(`DELETE FROM ${record}`);
    for (const statement of statements) await connection.run(statement);
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function shownViews(plans: readonly TablePlan[], { schema, sinceMs }: Shown, nowMs: number): string[] {
  const since = sinceMs === null ? 'NULL' : instant(sinceMs);
  return [
    `INSERT INTO ${record} VALUES ('${schema}', ${since}, ${instant(nowMs)})`,
    `CREATE VIEW ${kindsTable} AS SELECT * FROM ${quote(schema)}.${kindsTable}`,
    ...plans.map((plan) => changelogView(plan, schema, sinceMs)),
    ...createViews(plans),
    ...createMarts(plans),
  ];
}

/** The schema's changelog, before `sinceMs` that of the live fold. */
function changelogView({ table, columns }: TablePlan, schema: string, sinceMs: number | null): string {
  const list = columns.map((column) => quote(column.name)).join(', ');
  const select = (from: string, where = '') => `SELECT ${list} FROM ${quote(from)}.${quote(table)} ${where}`;
  const rest =
    sinceMs === null
      ? ''
      : ` WHERE event_time >= ${instant(sinceMs)} UNION ALL ${select(liveSchema, `WHERE event_time < ${instant(sinceMs)}`)}`;
  return `CREATE VIEW ${quote(table)} AS ${select(schema)}${rest}`;
}

/** As a literal: views have no parameters. */
export function instant(ms: number): string {
  return `TIMESTAMPTZ '${new Date(ms).toISOString()}'`;
}
