import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleTypes } from '../testing/samples.ts';
import { dictionaryOf } from './dictionary.ts';
import { marts, martsOf } from './marts/index.ts';
import { planTable } from './schema.ts';
import { allTypes, Tables } from './testing/tables.ts';

describe('the dictionary', () => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await Tables.open();
  });
  afterAll(() => tables.remove());

  it('names every column of every table and view, in order, with the type it has', async () => {
    const told = await tables.rows(
      `SELECT table_name, column_name, type FROM gridfold_dictionary
       WHERE column_name IS NOT NULL AND table_name NOT IN (SELECT table_name FROM gridfold_dictionary WHERE type = 'table macro')`,
    );
    const found = await tables.rows(
      `SELECT table_name, column_name, data_type FROM duckdb_columns()
       WHERE NOT internal AND table_name NOT LIKE 'gridfold%' ORDER BY table_name, column_index`,
    );
    const inOrder = Map.groupBy(told, (row) => row[0]);
    expect([...inOrder.keys()].sort().flatMap((name) => inOrder.get(name))).toEqual(found);
    for (const mart of marts.filter((m) => m.parameters !== undefined)) {
      const call = mart.parameters?.map((p) => (p.type === 'INTERVAL' ? 'INTERVAL 1 HOUR' : 'now()')).join(', ');
      const { columns } = await tables.sink.query(`SELECT * FROM ${mart.name}(${call})`, [], 1);
      expect(columns, mart.name).toEqual(mart.columns.map(({ name, type }) => ({ name, type })));
    }
  });

  it('says what each of them is, what a row is, where it comes from and what a retraction does', async () => {
    const rows = await tables.rows(
      `SELECT table_name, meaning, grain, source, retraction, freshness FROM gridfold_dictionary WHERE column_name IS NULL`,
    );
    expect(rows.length).toBe(2 * allTypes.length + marts.length);
    expect(rows.filter((row) => row.some((text) => text === null || text === ''))).toEqual([]);
    expect(await tables.rows(`SELECT * FROM gridfold_dictionary WHERE meaning = ''`)).toEqual([]);
  });

  it('gives a unit to every amount', async () => {
    const unit = `SELECT table_name, column_name FROM gridfold_dictionary WHERE regexp_matches(column_name, '_(wh|w|s|h|ms)$') AND unit IS NULL`;
    expect(await tables.rows(unit)).toEqual([]);
  });
});

it('lists only what the tables of the sink allow', async () => {
  const plans = sampleTypes.map(planTable);
  expect(martsOf(plans).map((mart) => mart.name)).toEqual(['phase_times', 'replacements']);
  const names = new Set(dictionaryOf(plans).map((row) => row.table));
  expect([...names]).toEqual([
    'sample_facts',
    'sample_facts_current',
    'state_intervals',
    'state_intervals_current',
    'slot_occupancies',
    'slot_occupancies_current',
    'phase_times',
    'replacements',
  ]);
  const tables = await Tables.open({}, sampleTypes);
  expect(await tables.rows('SELECT count(*) FROM phase_times')).toEqual([[0]]);
  await tables.remove();
});
