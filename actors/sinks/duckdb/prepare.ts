import type { DuckDBConnection } from '@duckdb/node-api';
import { rows } from './database.ts';
import { writeDictionary } from './dictionary.ts';
import { ledgerTables } from './ledger.ts';
import { createMarts } from './marts/index.ts';
import { createKindsTable, kindsTable } from './marts/parts.ts';
import type { StandingColumn } from './rows.ts';
import { createTable, liveSchema, migrateTable, quote, type TablePlan } from './schema.ts';
import { createShown } from './shown.ts';
import { createViews } from './views.ts';

/**
 * Tables, ledger and views of a schema, in one transaction. Leaves the connection in the schema; returns the columns of
 * each table in the file's order.
 */
export async function prepareSchema(
  connection: DuckDBConnection,
  schema: string,
  plans: readonly TablePlan[],
  timeZones: Readonly<Record<string, string>>,
): Promise<Map<string, StandingColumn[]>> {
  await connection.run('BEGIN TRANSACTION');
  try {
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quote(schema)}`);
    await connection.run(`SET schema = '${schema}'`);
    for (const statement of ledgerTables) await connection.run(statement);
    const standing = await standingTables(connection);
    for (const plan of plans) {
      const columns = standing.get(plan.table);
      const known = new Map(columns?.map((c) => [c.name, c.type]));
      const statements = columns === undefined ? [createTable(plan)] : migrateTable(plan, known);
      for (const statement of statements) await connection.run(statement);
    }
    await setTimeZones(connection, timeZones);
    for (const statement of [...createViews(plans), ...createMarts(plans)]) await connection.run(statement);
    await writeDictionary(connection, plans);
    if (schema === liveSchema) for (const statement of createShown) await connection.run(statement);
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

/** Tables of the connection's schema. */
async function standingTables(connection: DuckDBConnection): Promise<Map<string, StandingColumn[]>> {
  const found = await rows(
    connection,
    `SELECT t.table_name, c.column_name, c.data_type FROM duckdb_tables() t JOIN duckdb_columns() c USING (table_oid)
      WHERE t.schema_name = current_schema() AND NOT t.temporary AND NOT t.internal ORDER BY t.table_name, c.column_index`,
  );
  const result = new Map<string, StandingColumn[]>();
  for (const [table, name, type] of found as string[][]) {
    const columns = result.get(table) ?? [];
    columns.push({ name, type });
    result.set(table, columns);
  }
  return result;
}
