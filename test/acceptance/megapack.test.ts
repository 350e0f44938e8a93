import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFleet } from '../../sim/fleet/index.ts';
import { calmRates } from '../../sim/fleet/options.ts';
import { isTelemetry, type SourceRecord } from '../../sim/record.ts';
import { degrade } from '../../sim/recordings/degrade.ts';
import { currentRows } from '../crash/verify.ts';
import { type AuditAnswer, type FeedAnswer, Folder } from './gridfold.ts';

const LONG = 240_000;
const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261126);
const START = Date.UTC(2026, 2, 1);
const DAYS = 2;
const MEGAPACKS = 6;

const fleet = createFleet({
  assets: 0,
  megapacks: MEGAPACKS,
  seed: SEED,
  cadenceMs: 60_000,
  startTime: START,
  rates: { ...calmRates, faultsPerDay: 4 },
});
const records: SourceRecord[] = [...fleet.lifecycleRecords(), ...fleet.tick(START + DAYS * 86_400_000)];

async function* inOrder(): AsyncGenerator<SourceRecord> {
  yield* records;
}

/** Each reading received when it was measured, as of a recording. */
async function feed(folder: Folder, source: AsyncIterable<SourceRecord>): Promise<FeedAnswer> {
  const file = join(folder.base, 'fed.ndjson');
  const lines: string[] = [];
  for await (const record of source) {
    const { value } = record;
    const told = isTelemetry(record) ? { receiveTime: record.value.deviceTime, ...value } : value;
    lines.push(`${JSON.stringify(told)}\n`);
  }
  writeFileSync(file, lines.join(''));
  return folder.json<FeedAnswer>('ingest', file);
}

describe(`${MEGAPACKS} virtual Megapacks for ${DAYS} days, seed ${SEED}, by the command line`, () => {
  const folder = new Folder();

  beforeAll(async () => {
    expect(await feed(folder, inOrder())).toMatchObject({ accepted: records.length, refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('the energy is what really flowed', async () => {
    const rows = await folder.sql(
      `SELECT serial, sum(out_wh) AS out, sum(in_wh) AS inflow FROM energy_intervals_current GROUP BY serial ORDER BY serial`,
    );
    expect(rows).toHaveLength(MEGAPACKS);
    for (const { serial, out, inflow } of rows) {
      const truth = fleet.truth().get(String(serial))!;
      expect(Math.abs(Number(out) - truth.outWh)).toBeLessThan(2);
      expect(Math.abs(Number(inflow) - truth.inWh)).toBeLessThan(2);
    }
  });

  test('faults, derates, excursions and deviations are in their tables, and plausible', async () => {
    const [seen] = await folder.sql(
      `SELECT (SELECT count(*) FROM faults_current WHERE code = 'FAULT') AS faults,
         (SELECT count(*) FROM derate_intervals_current WHERE cause = 'STRINGS_OUT') AS strings,
         (SELECT count(*) FROM thermal_excursions_current WHERE max_c >= 50) AS hot,
         (SELECT count(*) FROM dispatch_deviations_current) AS deviations,
         (SELECT count(*) FROM dispatch_deviations_current WHERE to_time IS NOT NULL AND
            (mean_error_w > max_error_w OR undelivered_wh > mean_error_w * epoch(to_time - from_time) / 3600 + 1)) AS wrong`,
    );
    for (const name of ['faults', 'strings', 'hot', 'deviations']) expect(Number(seen[name]), name).toBeGreaterThan(0);
    expect(seen.wrong).toBe(0);
  });

  test(
    'duplicates and delays change no fact',
    async () => {
      const other = new Folder();
      const fed = await feed(other, degrade(inOrder(), { seed: SEED }));
      expect(fed).toMatchObject({ refused: 0, settled: true });
      expect(fed.accepted).toBeGreaterThan(records.length * 1.02);
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
