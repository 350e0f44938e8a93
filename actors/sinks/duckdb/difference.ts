import type { DuckDBConnection } from '@duckdb/node-api';
import { rows } from './database.ts';
import { liveSchema, quote, type TablePlan } from './schema.ts';
import { instant } from './shown.ts';

/** How the current facts of one table differ between the live fold and another one. */
export interface TableDifference {
  readonly table: string;
  /** Facts in both, alike or not. */
  readonly common: number;
  /** Facts that only the live fold states, and that only the other one does. */
  readonly onlyLive: number;
  readonly onlyOther: number;
  /** Facts in both, under one serial and key, that say something else. */
  readonly changed: number;
}

/** Where a version of a fact came from, and which it is: not what it says. */
const provenance: ReadonlySet<string> = new Set([
  'event_id',
  'record_time',
  'version',
  'op',
  'topic',
  'partition',
  'offset',
  'ordinal',
  'machine',
]);

/** Compares fact by fact, all tables as of one instant. With `sinceMs` only facts whose event time is not before. */
export async function compareSchemas(
  connection: DuckDBConnection,
  plans: readonly TablePlan[],
  schema: string,
  sinceMs: number | null,
): Promise<TableDifference[]> {
  await connection.run('BEGIN TRANSACTION READ ONLY');
  try {
    const found: TableDifference[] = [];
    for (const plan of plans) found.push(await compareTable(connection, plan, schema, sinceMs));
    return found;
  } finally {
    await connection.run('COMMIT');
  }
}

async function compareTable(
  connection: DuckDBConnection,
  { table, columns }: TablePlan,
  schema: string,
  sinceMs: number | null,
): Promise<TableDifference> {
  const where = sinceMs === null ? '' : ` WHERE event_time >= ${instant(sinceMs)}`;
  const facts = (of: string) => `(SELECT * FROM ${quote(of)}.${quote(`${table}_current`)}${where})`;
  const says = columns.filter(({ name }) => !provenance.has(name)).map(({ name }) => quote(name));
  const differs = says.map((name) => `l.${name} IS DISTINCT FROM o.${name}`).join(' OR ');
  const [[common, onlyLive, onlyOther, changed]] = await rows(
    connection,
    `SELECT count(*) FILTER (WHERE in_live AND in_other), count(*) FILTER (WHERE NOT in_other),
        count(*) FILTER (WHERE NOT in_live), count(*) FILTER (WHERE in_live AND in_other AND differs)
      FROM (SELECT l.key IS NOT NULL AS in_live, o.key IS NOT NULL AS in_other, (${differs}) AS differs
        FROM ${facts(liveSchema)} l FULL JOIN ${facts(schema)} o ON l.serial = o.serial AND l.key = o.key)`,
  );
  const counts = { common, onlyLive, onlyOther, changed };
  const numbers = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Number(n)]));
  return { table, ...(numbers as Omit<TableDifference, 'table'>) };
}
