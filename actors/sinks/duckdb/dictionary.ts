import { type DuckDBConnection, DuckDBDataChunk, VARCHAR } from '@duckdb/node-api';
import type { Mart, MartColumn } from './marts/mart.ts';
import { martsOf } from './marts/index.ts';
import { type FixedColumn, fixedColumns, type PlannedColumn, sqlTypes, type TablePlan } from './schema.ts';

/** What can be said of a table or view, and, where `column` is not null, of one of its columns. */
export interface DictionaryRow {
  readonly table: string;
  readonly column: string | null;
  readonly type: string;
  readonly unit: string | null;
  readonly meaning: string;
  readonly formula: string | null;
  /** What one row is. */
  readonly grain: string | null;
  readonly source: string | null;
  readonly retraction: string | null;
  readonly freshness: string | null;
}

export const dictionaryTable = 'gridfold_dictionary';
const createDictionary = `CREATE OR REPLACE TABLE ${dictionaryTable} (
  table_name VARCHAR, column_name VARCHAR, type VARCHAR, unit VARCHAR, meaning VARCHAR, formula VARCHAR, grain VARCHAR,
  source VARCHAR, retraction VARCHAR, freshness VARCHAR)`;

/** Meaning of the columns that every table of facts begins with. */
export const fixedMeaning: Readonly<Record<FixedColumn, string>> = {
  event_id: 'Id of the derived event; unique. Topic, partition, offset and ordinal of its cause',
  serial: 'Asset, or the site that says it',
  kind: 'Kind of the asset, or `site`',
  site_id: 'Site; in the table what was known when the fact was stated, in the view as of the event time',
  event_time: 'When it happened, by the clock of the asset',
  record_time: 'When what caused this version was received: what could be known when',
  key: 'Names the fact; made of content only. Rows of one key and serial are versions of one fact',
  version: 'Grows with each version of the fact',
  op: '`upsert` states the fact, `retract` takes it back',
  topic: 'Topic of the cause',
  partition: 'Partition of the cause',
  offset: 'Offset of the cause',
  ordinal: 'Number among the events of the cause',
  machine: 'State machine, with its version, that said it',
};

/** Columns that the view of a table has besides. */
export const joinedMeaning = {
  slot: { type: 'VARCHAR', meaning: 'Slot that the asset held at the event time' },
  in_service: { type: 'BOOLEAN', meaning: 'Whether the asset was in service at the event time; true without records' },
  install_epoch: { type: 'BIGINT', meaning: 'Number of the installation at the event time, from 1' },
} as const;

const fresh = 'As of the last commit of the sink.';
const changelogRule =
  'Append-only: a correction is a new version of the key, a retraction a row with `op` = `retract`.';
const currentRule = 'The newest version of each key; a retracted fact has no row.';

/** The dictionary of every table and view that a sink with these tables has, in the order of docs/tables.md. */
export function dictionaryOf(plans: readonly TablePlan[]): DictionaryRow[] {
  const facts = plans.flatMap((plan) => [...tableRows(plan), ...currentRows(plan)]);
  return [...facts, ...martsOf(plans).flatMap(martRows)];
}

function tableRows(plan: TablePlan): DictionaryRow[] {
  const { doc, key, name } = plan.type;
  const source = `derived events of type ${name}`;
  const own = row(plan.table, null, 'table', `${doc} Every version of every fact.`);
  return [
    { ...own, grain: 'event_id', source, retraction: changelogRule, freshness: fresh },
    ...plan.columns.map((c) => columnRow(plan.table, plan, c, key)),
  ];
}

function currentRows(plan: TablePlan): DictionaryRow[] {
  const view = `${plan.table}_current`;
  const { doc, key } = plan.type;
  const own = {
    ...row(view, null, 'view', doc),
    grain: key,
    source: plan.table,
    retraction: currentRule,
    freshness: fresh,
  };
  const joined = Object.entries(joinedMeaning).filter(([name]) => !plan.columns.some((c) => c.name === name));
  return [
    own,
    ...plan.columns.map((c) => columnRow(view, plan, c, key)),
    ...joined.map(([name, { type, meaning }]) => row(view, name, type, meaning)),
  ];
}

function columnRow(table: string, plan: TablePlan, column: PlannedColumn, key: string): DictionaryRow {
  const declared = plan.type.columns.find((c) => c.name === column.data);
  const fixed = column.fixed === null ? '' : fixedMeaning[column.fixed];
  const meaning = declared?.doc ?? (column.fixed === 'key' ? `${fixed}. Here: ${key}` : fixed);
  return { ...row(table, column.name, column.sqlType, meaning), unit: declared?.unit ?? null };
}

function martRows(mart: Mart): DictionaryRow[] {
  const { name, doc, grain, needs, retraction, parameters } = mart;
  const source = Object.keys(needs).join(', ');
  const own = {
    ...row(name, null, parameters === undefined ? 'view' : 'table macro', doc),
    grain,
    source,
    retraction,
    freshness: mart.freshness ?? fresh,
  };
  const columnRowOf = (c: MartColumn): DictionaryRow => ({
    ...row(name, c.name, c.type, c.doc),
    unit: c.unit ?? null,
    formula: c.formula ?? null,
  });
  const given = (parameters ?? []).map((p) => ({ ...columnRowOf(p), meaning: `Parameter. ${p.doc}` }));
  return [own, ...given, ...mart.columns.map(columnRowOf)];
}

function row(table: string, column: string | null, type: string, meaning: string): DictionaryRow {
  return {
    table,
    column,
    type,
    unit: null,
    meaning,
    formula: null,
    grain: null,
    source: null,
    retraction: null,
    freshness: null,
  };
}

/** The fixed columns with their SQL types. */
export const fixedRows: readonly DictionaryRow[] = Object.entries(fixedColumns).map(([name, type]) =>
  row('', name, sqlTypes[type], fixedMeaning[name as FixedColumn]),
);

/** Writes the dictionary anew; `SELECT * FROM gridfold_dictionary` is how a user of SQL finds what there is. */
export async function writeDictionary(connection: DuckDBConnection, plans: readonly TablePlan[]): Promise<void> {
  await connection.run(createDictionary);
  const rows = dictionaryOf(plans).map(Object.values) as (string | null)[][];
  const appender = await connection.createAppender(dictionaryTable);
  try {
    for (let start = 0; start < rows.length; start += 1000) {
      const chunk = DuckDBDataChunk.create(Array(10).fill(VARCHAR));
      chunk.setRows(rows.slice(start, start + 1000));
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
