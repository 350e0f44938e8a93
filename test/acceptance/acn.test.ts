import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { currentRows } from '../crash/verify.ts';
import { type AuditAnswer, type FeedAnswer, Folder } from './gridfold.ts';

const LONG = 240_000;
const file = realData('ac_charging/acn_caltech_sessions_2019-03.csv');

describe.skipIf(file === null)(onRealData('a garage in March 2019, by the command line', file), () => {
  const folder = new Folder();

  beforeAll(async () => {
    expect(await folder.json<FeedAnswer>('replay', 'acn', file ?? '')).toMatchObject({
      accepted: 2 * 954 + 6 * 47,
      refused: 0,
      settled: true,
    });
  }, LONG);
  afterAll(() => folder.remove());

  test('every session once, with its energy', async () => {
    const rows = await folder.sql(
      `SELECT count(*) AS sessions, count(DISTINCT serial) AS stalls, sum(energy_wh) / 1000 AS kwh,
         count(*) FILTER (opened_by = 'started' AND closed_by = 'ended') AS whole FROM charging_sessions_current`,
    );
    process.stdout.write(`ACN, March 2019: ${JSON.stringify(rows)}\n`);
    expect(rows).toEqual([{ sessions: 954, stalls: 47, kwh: expect.closeTo(8900.522, 3), whole: 954 }]);
  });

  test('the sessions above what the stall can give are marked, and kept', async () => {
    const rows = await folder.sql(
      `SELECT exceeds_max_power AS marked, count(*) AS sessions, sum(energy_wh) / 1000 AS kwh FROM charging_sessions_current GROUP BY ALL ORDER BY marked`,
    );
    expect(rows).toEqual([
      { marked: false, sessions: 924, kwh: expect.closeTo(8484.819, 3) },
      { marked: true, sessions: 30, kwh: expect.closeTo(415.703, 3) },
    ]);
  });

  test('a vehicle that leaves as the next arrives ends its own session', async () => {
    const rows = await folder.sql(
      `SELECT count(*) AS handed FROM charging_sessions_current a JOIN charging_sessions_current b ON a.serial = b.serial AND a.end_time = b.start_time`,
    );
    expect(rows).toEqual([{ handed: 6 }]);
  });

  test('the energy of the intervals is the energy of the sessions', async () => {
    const [{ kwh, out }] = await folder.sql(
      `SELECT sum(in_wh) / 1000 AS kwh, sum(out_wh) AS out FROM energy_intervals_current`,
    );
    expect(kwh).toBeCloseTo(8900.522, 3);
    expect(out).toBe(0);
  });

  test('the energy of the site is that of its stalls', async () => {
    const [{ kwh }] = await folder.sql(`SELECT sum(charging_wh) / 1000 AS kwh FROM site_energy_intervals_current`);
    expect(kwh).toBeCloseTo(8900.522, 3);
  });

  test.each([1, 20261124])(
    'duplicates and delays change no fact, seed %i',
    async (seed) => {
      const other = new Folder();
      const options = ['--duplicates', '0.03', '--delayed', '0.2', '--seed', String(seed)];
      const fed = await other.json<FeedAnswer>('replay', 'acn', file ?? '', ...options);
      expect(fed).toMatchObject({ refused: 0, settled: true });
      expect(fed.accepted).toBeGreaterThan(2 * 954 * 1.02);
      const [calm, rows] = [await currentRows(folder.dir), await currentRows(other.dir)];
      expect([...rows.keys()]).toEqual([...calm.keys()]);
      for (const [view, expected] of calm) expect(new Set(rows.get(view)), view).toEqual(new Set(expected));
      expect((await other.json<AuditAnswer>('audit')).ok).toBe(true);
      expect(await other.json<unknown[]>('dead-letters')).toEqual([]);
      other.remove();
    },
    LONG,
  );

  test('nothing is lost or doubled', async () => {
    expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
  });
});
