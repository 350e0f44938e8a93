import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { currentRows } from '../crash/verify.ts';
import { differences, type Rows } from './differences.ts';
import { type AuditAnswer, type FeedAnswer, Folder } from './gridfold.ts';
import { type Stretch, writePart, writePieces } from './parts.ts';

const LONG = process.env.GRIDFOLD_LONG === '1';
const TIMEOUT = 600_000;

/** The beginning of the year, the days of the long gaps, and both clock changes. */
const STRETCHES: readonly Stretch[] = [
  ['2022-01-01', '2022-01-15'],
  ['2022-03-10', '2022-03-16'],
  ['2022-07-06', '2022-07-11'],
  ['2022-11-03', '2022-11-09'],
];

const seattle = realData('powerwall_home/seattle_2022_5min.csv');
const solarma = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

async function audited(folder: Folder): Promise<Rows> {
  expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
  return currentRows(folder.dir);
}

describe.each([
  ['seattle-5min', seattle, 'a home in Seattle'],
  ['solarma', solarma, 'a plant with 13 inverters'],
] as const)('%s', (format, whole, name) => {
  describe.skipIf(whole === null)(onRealData(name, whole), () => {
    const calm = new Folder();
    let file = whole ?? '';
    let expected: Rows;
    let readings = 0;

    beforeAll(async () => {
      if (format === 'seattle-5min' && !LONG) {
        file = join(calm.base, 'part.csv');
        await writePart(whole ?? '', file, ...STRETCHES);
      }
      readings = (await calm.json<FeedAnswer>('replay', format, file)).accepted;
      expected = await audited(calm);
      expect(expected.get('energy_intervals')?.length).toBeGreaterThan(5_000);
    }, TIMEOUT);
    afterAll(() => calm.remove());

    test.each([1, 20261124])(
      'duplicates and delays change no fact, seed %i',
      async (seed) => {
        const folder = new Folder();
        const fed = await folder.json<FeedAnswer>(
          'replay',
          format,
          file,
          '--duplicates',
          '0.03',
          '--delayed',
          '0.2',
          '--seed',
          String(seed),
        );
        expect(fed).toMatchObject({ refused: 0, settled: true });
        expect(fed.accepted).toBeGreaterThan(readings * 1.02);
        const rows = await audited(folder);
        const total = [...rows.values()].reduce((sum, { length }) => sum + length, 0);
        process.stdout.write(
          `${format}, seed ${seed}: ${fed.accepted} records against ${readings}, ${total} current rows\n`,
        );
        expect(differences(expected, rows)).toEqual([]);
        expect(await folder.json<unknown[]>('dead-letters')).toEqual([]);
        folder.remove();
      },
      TIMEOUT,
    );

    test(
      'pieces that are settled in between or not waited for change no fact, nor does sending one again',
      async () => {
        const folder = new Folder();
        const pieces = await writePieces(format, file, join(folder.base, 'piece'), 5);
        for (const [i, piece] of pieces.entries()) {
          const fed = await folder.json<FeedAnswer>('ingest', piece, ...(i % 2 === 0 ? [] : ['--no-wait']));
          expect(fed).toMatchObject({ refused: 0, settled: i % 2 === 0 });
        }
        expect(differences(expected, await audited(folder))).toEqual([]);
        // Everything once more: it has all been heard.
        const before = await folder.sql('SELECT count(*) AS rows FROM energy_intervals');
        await folder.json('ingest', pieces[4]);
        expect(await folder.sql('SELECT count(*) AS rows FROM energy_intervals')).toEqual(before);
        expect(differences(expected, await audited(folder))).toEqual([]);
        folder.remove();
      },
      TIMEOUT,
    );
  });
});
