import type { DuckDBConnection } from '@duckdb/node-api';
import { auditPartition, type CommittedRange } from '../batches.ts';
import type { LedgerEntry, SinkAudit, SinkBatch } from '../contract.ts';
import { rows } from './database.ts';
import { quote } from './schema.ts';

export const ledgerTables = [
  `CREATE TABLE IF NOT EXISTS gridfold_ledger (
    partition BIGINT NOT NULL, next BIGINT NOT NULL, rows BIGINT NOT NULL, updated_at TIMESTAMPTZ NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS gridfold_ranges (
    partition BIGINT NOT NULL, "from" BIGINT NOT NULL, next BIGINT NOT NULL, committed_at TIMESTAMPTZ NOT NULL)`,
];

export async function readLedger(connection: DuckDBConnection): Promise<LedgerEntry[]> {
  const found = await rows(connection, 'SELECT partition, next, rows FROM gridfold_ledger ORDER BY partition');
  return found.map(([partition, next, count]) => ({
    partition: Number(partition),
    next: Number(next),
    rows: Number(count),
  }));
}

/** Moves the ledger over `batches` and notes their ranges; runs inside the transaction that wrote their rows. */
export async function moveLedger(
  connection: DuckDBConnection,
  ledger: readonly LedgerEntry[],
  batches: readonly SinkBatch[],
  nowMs: number,
): Promise<void> {
  const at = `to_timestamp(${Math.trunc(nowMs)} / 1000)`;
  const before = new Map(ledger.map((entry) => [entry.partition, entry.rows]));
  for (const [partition, ofPartition] of Map.groupBy(batches, (batch) => batch.partition)) {
    const next = Math.max(...ofPartition.map((batch) => batch.next));
    const count = ofPartition.reduce((sum, batch) => sum + batch.events.length, before.get(partition) ?? 0);
    await connection.run(
      before.has(partition)
        ? `UPDATE gridfold_ledger SET next = ${next}, rows = ${count}, updated_at = ${at} WHERE partition = ${partition}`
        : `INSERT INTO gridfold_ledger VALUES (${partition}, ${next}, ${count}, ${at})`,
    );
  }
  const ranges = batches.map((b) => `(${b.partition}, ${b.from}, ${b.next}, ${at})`);
  await connection.run(`INSERT INTO gridfold_ranges VALUES ${ranges.join(', ')}`);
}

/** Joins ranges that touch, so that the list stays short; overlaps and holes stay as they are. One transaction. */
export async function joinRanges(connection: DuckDBConnection): Promise<void> {
  await connection.run('BEGIN TRANSACTION');
  try {
    await connection.run(`CREATE OR REPLACE TEMP TABLE joined AS
      WITH marked AS (SELECT *, coalesce(lag(next) OVER w, -1) <> "from" AS opens FROM gridfold_ranges
          WINDOW w AS (PARTITION BY partition ORDER BY "from", next)),
        runs AS (SELECT *, count(*) FILTER (opens) OVER (PARTITION BY partition ORDER BY "from", next ROWS UNBOUNDED PRECEDING) AS run
          FROM marked)
      SELECT partition, min("from") AS "from", max(next) AS next, max(committed_at) AS committed_at FROM runs GROUP BY partition, run`);
    await connection.run('DELETE FROM gridfold_ranges');
    await connection.run('INSERT INTO gridfold_ranges SELECT * FROM joined');
    await connection.run('DROP TABLE joined');
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK');
    throw error;
  }
}

/** Compares ledger, ranges and rows, partition by partition, so that memory does not grow with the file. */
export async function auditLedger(connection: DuckDBConnection, tables: readonly string[]): Promise<SinkAudit[]> {
  const ids = tables.map((table) => `SELECT event_id FROM ${quote(table)} WHERE partition = $1`).join(' UNION ALL ');
  const audits: SinkAudit[] = [];
  for (const entry of await readLedger(connection)) {
    const values = [BigInt(entry.partition)];
    const found = await rows(connection, 'SELECT "from", next FROM gridfold_ranges WHERE partition = $1', values);
    const ranges: CommittedRange[] = found.map(([from, next]) => ({ from: Number(from), next: Number(next) }));
    const [[all, distinct]] = await rows(connection, `SELECT count(*), count(DISTINCT event_id) FROM (${ids})`, values);
    audits.push(auditPartition(entry, ranges, { rows: Number(all), distinct: Number(distinct) }));
  }
  return audits;
}
