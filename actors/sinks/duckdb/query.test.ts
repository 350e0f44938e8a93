import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../runtime/kernel/clock.ts';
import type { TableReader } from '../../../runtime/system/engine.ts';
import { sampleBatch, sampleTypes } from '../testing/samples.ts';
import { type DuckDbSink, openDuckDbSink } from './sink.ts';

describe('foreign SQL', () => {
  const clock = new ManualClock();
  let folder: string;
  let sink: DuckDbSink;
  let reader: TableReader;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridfold-sql-'));
    await writeFile(join(folder, 'secret.csv'), 'a,b\n1,2\n');
    sink = await openDuckDbSink({ file: join(folder, 'olap.duckdb'), types: sampleTypes, clock, queryTimeoutMs: 5000 });
    reader = sink;
    await sink.write([sampleBatch(0, 0, 12)]);
  });
  afterAll(async () => {
    await sink.close();
    await rm(folder, { recursive: true });
  });

  it.each([
    'SELECT count(*) FROM sample_facts_current',
    '/* why */ SELECT 1; -- done',
    'FROM sample_facts',
    'WITH x AS (SELECT 1 AS a) SELECT * FROM x',
    'VALUES (1, 2)',
    'SHOW TABLES',
    'DESCRIBE sample_facts_current',
    'SUMMARIZE sample_facts',
    'EXPLAIN SELECT * FROM sample_facts',
    "SELECT * FROM pragma_table_info('sample_facts')",
  ])('answers %s', async (sql) => {
    expect((await reader.query(sql, [], 10)).rows.length).toBeGreaterThan(0);
  });

  it('refuses what is not one reading statement, and changes nothing', async () => {
    const csv = join(folder, 'secret.csv');
    const out = join(folder, 'out');
    const hostile = [
      '',
      'SELEC 1',
      'SELECT 1; SELECT 2',
      'SELECT 1; DROP TABLE sample_facts',
      `COPY sample_facts TO '${out}.csv'`,
      `COPY (SELECT 1) TO '${out}.parquet'`,
      `COPY sample_facts FROM '${csv}'`,
      `EXPLAIN ANALYZE COPY sample_facts TO '${out}.csv'`,
      `EXPORT DATABASE '${out}'`,
      `ATTACH '${out}.duckdb' AS other`,
      'DETACH olap',
      `SELECT * FROM read_csv('${csv}')`,
      `SELECT * FROM read_text('${csv}')`,
      `SELECT * FROM read_blob('${csv}')`,
      `SELECT * FROM '${csv}'`,
      `SELECT * FROM glob('${folder}/*')`,
      `SELECT * FROM sniff_csv('${csv}')`,
      "SELECT * FROM query('DELETE FROM sample_facts')",
      'INSERT INTO sample_facts SELECT * FROM sample_facts',
      'INSERT INTO gridfold_ledger VALUES (9, 9, 9, now()) RETURNING *',
      'UPDATE gridfold_ledger SET next = 0',
      'DELETE FROM sample_facts',
      'WITH x AS (SELECT 1) DELETE FROM sample_facts',
      'TRUNCATE sample_facts',
      'MERGE INTO sample_facts USING sample_facts AS b ON false WHEN NOT MATCHED THEN DO NOTHING',
      'EXPLAIN ANALYZE DELETE FROM sample_facts',
      'DROP VIEW sample_facts_current',
      'ALTER TABLE sample_facts ADD COLUMN z INT',
      'CREATE TABLE z (a INT)',
      'CREATE TEMP TABLE z (a INT)',
      'CREATE MACRO f() AS 1',
      'CREATE SECRET s (TYPE s3)',
      "PRAGMA memory_limit = '9GB'",
      'PRAGMA enable_profiling',
      'PRAGMA force_checkpoint',
      "SET memory_limit = '9GB'",
      'SET enable_external_access = true',
      'RESET lock_configuration',
      'SET VARIABLE x = 1',
      'INSTALL httpfs',
      'LOAD httpfs',
      'CALL force_checkpoint()',
      'SELECT * FROM force_checkpoint()',
      'SELECT * FROM checkpoint()',
      'SELECT * FROM enable_logging()',
      'CHECKPOINT',
      'VACUUM',
      'USE memory',
      'PREPARE q AS SELECT 1',
      'EXECUTE q',
      'BEGIN',
      'COMMIT',
      'ROLLBACK',
      "COMMENT ON TABLE sample_facts IS 'x'",
      "SELECT getenv('HOME')",
      "SELECT error('x')",
      'SELECT no_such_column FROM sample_facts',
    ];
    for (const sql of hostile) {
      await expect(reader.query(sql, [], 10), sql).rejects.toMatchObject({
        code: 'sql_refused',
        reaction: 'fix-configuration',
      });
    }
    expect((await readdir(folder)).filter((name) => !name.startsWith('olap.duckdb'))).toEqual(['secret.csv']);
    expect(await sink.audit()).toEqual([{ partition: 0, next: 12, rows: 12, doubled: 0, missing: 0 }]);
    await sink.write([sampleBatch(0, 12, 15)]);
  });

  it('answers in JSON values', async () => {
    const { columns, rows } = await reader.query(
      `SELECT TIMESTAMPTZ '2022-11-06 01:30:00.123456-07' AS t, TIMESTAMP '1969-12-31 23:59:59.9999' AS u, DATE '2022-02-28' AS d,
        9007199254740991 AS safe, 9007199254740993 AS big, 'NaN'::DOUBLE AS nan, '{"a": 1}'::JSON AS j, [1, NULL] AS list,
        {'a': TIMESTAMPTZ 'epoch', 'b': 1.5} AS s, MAP {'k': 1} AS m, '\\x00\\xFF'::BLOB AS b, 1.25::DECIMAL(10, 2) AS dec,
        TIMESTAMPTZ 'infinity' AS inf, NULL AS n, sum(1) AS total, INTERVAL 1 DAY AS i`,
      [],
      10,
    );
    expect(columns.slice(0, 3)).toEqual([
      { name: 't', type: 'TIMESTAMP WITH TIME ZONE' },
      { name: 'u', type: 'TIMESTAMP' },
      { name: 'd', type: 'DATE' },
    ]);
    expect(JSON.parse(JSON.stringify(rows))).toEqual([
      [
        '2022-11-06T08:30:00.123Z',
        '1969-12-31T23:59:59.999Z',
        '2022-02-28',
        9007199254740991,
        '9007199254740993',
        null,
        '{"a": 1}',
        [1, null],
        { a: '1970-01-01T00:00:00.000Z', b: 1.5 },
        [{ key: 'k', value: 1 }],
        'AP8=',
        1.25,
        'infinity',
        null,
        1,
        '1 day',
      ],
    ]);
  });

  it('takes parameters and cuts at the limit', async () => {
    const sql = 'SELECT "offset" FROM sample_facts WHERE "offset" >= $1 AND serial <> $2 AND legal = $3 ORDER BY 1';
    expect(await reader.query(sql, [4, "x' OR 1=1 --", true], 2)).toMatchObject({ rows: [[4], [6]], truncated: true });
    expect(await reader.query('SELECT $1, $2', [1.5, null], 5)).toMatchObject({
      rows: [[1.5, null]],
      truncated: false,
    });
    await expect(reader.query('SELECT $1', [], 5)).rejects.toMatchObject({ code: 'sql_refused' });
    await expect(reader.query('SELECT $1', [{}], 5)).rejects.toMatchObject({ code: 'sql_refused' });
  });

  it('interrupts a query that takes too long, and refuses one that wants too much memory', async () => {
    const endless = reader.query(
      'SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c WHERE hash(a.range, b.range, c.range) = 0',
      [],
      1,
    );
    const outcome = expect(endless).rejects.toMatchObject({ code: 'sql_timeout' });
    let done = false;
    const ended = outcome.finally(() => {
      done = true;
    });
    while (!done) {
      clock.advance(5000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    await expect(
      reader.query("SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(2000)", [], 1),
    ).rejects.toMatchObject({ code: 'sql_refused' });
    expect((await reader.query('SELECT 1', [], 1)).rows).toEqual([[1]]);
  });

  it('runs two at a time, lets others wait, and refuses more than it can hold', async () => {
    const asked = Array.from({ length: 80 }, (_, i) =>
      reader.query('SELECT $1', [i], 1).then(
        ({ rows }) => rows[0][0],
        (error) => error.code,
      ),
    );
    const answers = await Promise.all(asked);
    expect(answers.slice(0, 66)).toEqual(Array.from({ length: 66 }, (_, i) => i));
    expect(new Set(answers.slice(66))).toEqual(new Set(['sql_busy']));
  });

  it('interrupts what runs when the sink closes', async () => {
    const other = await openDuckDbSink({
      file: join(folder, 'olap.duckdb.other'),
      types: sampleTypes,
      clock,
      maxQueries: 1,
    });
    const endless = 'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 0';
    const outcomes = [endless, endless].map((sql) => other.query(sql, [], 1).catch((error) => error.code));
    await other.close();
    expect(await outcomes[1]).toBe('sink_closed');
    expect(await outcomes[0]).toBe('sink_closed');
  });

  it('reads while the sink writes', async () => {
    const [, result] = await Promise.all([
      sink.write([sampleBatch(1, 0, 5000)]),
      reader.query('SELECT count(*) FROM sample_facts WHERE partition = 1', [], 1),
    ]);
    expect([0, 3334]).toContain(result.rows[0][0]);
    expect((await reader.query('SELECT count(*) FROM sample_facts WHERE partition = 1', [], 1)).rows).toEqual([[3334]]);
  });
});
