import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { type FeedAnswer, Folder } from './gridfold.ts';

const LONG = 240_000;
const seattle = realData('powerwall_home/seattle_2022_5min.csv');
const solarma = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

const within = (value: unknown, golden: number, share: number) =>
  expect(Math.abs(Number(value) / golden - 1), `${value} against ${golden}`).toBeLessThan(share);

describe.skipIf(seattle === null)(onRealData('a home in Seattle as a site, the year 2022', seattle), () => {
  const folder = new Folder();
  beforeAll(async () => {
    const fed = await folder.json<FeedAnswer>('replay', 'seattle-5min', seattle ?? '');
    expect(fed).toMatchObject({ refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('home, roof, import, export, charge and discharge of the year are the golden ones within 0.5 %', async () => {
    const [sums] = await folder.sql(
      `SELECT sum(load_wh) / 1000 AS home, sum(solar_wh) / 1000 AS solar, sum(import_wh) / 1000 AS import, sum(export_wh) / 1000 AS export,
         sum(battery_in_wh) / 1000 AS charge, sum(battery_out_wh) / 1000 AS discharge FROM site_energy_intervals_current`,
    );
    process.stdout.write(`Seattle 2022 as a site, kWh: ${JSON.stringify(sums)}\n`);
    within(sums.home, 11_215, 0.005);
    within(sums.solar, 12_472.6, 0.005);
    within(sums.import, 2980.5, 0.005);
    within(sums.export, 3457.5, 0.005);
    within(sums.charge, 4357.8, 0.005);
    within(sums.discharge, 3573.5, 0.005);
  });

  test('what the home uses is import less export, battery and roof, in every interval that is known', async () => {
    const [worst] = await folder.sql(
      `SELECT count(*) AS intervals, max(abs(load_wh - (import_wh - export_wh + battery_out_wh - battery_in_wh + solar_wh))) AS wh
       FROM site_energy_intervals_current WHERE coverage = 1`,
    );
    expect(Number(worst.intervals)).toBeGreaterThan(34_000);
    // The recording holds within 1 kW in an instant: a quarter of an hour of it.
    expect(Number(worst.wh)).toBeLessThan(250);
  });

  test('gaps of zeros lower the coverage and add nothing', async () => {
    const rows = await folder.sql(
      `SELECT s.coverage AS coverage, s.load_wh AS wh FROM site_energy_intervals_current s, data_gaps_current g
       WHERE g.serial = 'SEATTLE-PW' AND g.class = 'zeros' AND date_diff('minute', g.from_time, g.to_time) = 260
         AND s.event_time >= g.from_time AND s.event_time + INTERVAL 15 MINUTE <= g.to_time`,
    );
    for (const row of rows) expect(row.coverage).toBeLessThan(0.51);
    const [day] = await folder.sql(
      `SELECT sum(coverage) / 96 AS coverage FROM site_energy_intervals_current
       WHERE strftime(timezone('America/Los_Angeles', event_time), '%Y-%m-%d') = '2022-07-08'`,
    );
    expect(Number(day.coverage)).toBeLessThan(0.95);
  });

  test('totals of each minute are the sum of the members that are fresh', async () => {
    const [row] = await folder.sql(
      `SELECT count(*) AS minutes, max(members_expected) AS expected, min(members_fresh) AS fresh,
         count(*) FILTER (WHERE battery_w + solar_w != power_w) AS unequal FROM site_rollups_current`,
    );
    expect(Number(row.minutes)).toBeGreaterThan(100_000);
    expect(row).toMatchObject({ expected: 2, unequal: 0 });
  });
});

describe.skipIf(solarma === null)(onRealData('SOLARMA as a plant', solarma), () => {
  const folder = new Folder();
  beforeAll(async () => {
    const fed = await folder.json<FeedAnswer>('replay', 'solarma', solarma ?? '');
    expect(fed).toMatchObject({ refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('each outage of the logger is one gap of the gateway, known from all members being silent at once', async () => {
    const gaps = await folder.sql(
      `SELECT serial, from_time, to_time, date_diff('hour', from_time, to_time) AS hours FROM data_gaps_current WHERE class = 'gateway' ORDER BY from_time`,
    );
    expect(gaps).toHaveLength(18);
    expect(new Set(gaps.map(({ serial }) => serial)).size).toBe(1);
    for (const { hours } of gaps) expect(Number(hours)).toBeGreaterThanOrEqual(19);
    const [inside] = await folder.sql(
      `SELECT count(*) AS readings FROM energy_intervals_current e, data_gaps_current g
       WHERE g.class = 'gateway' AND e.coverage > 0 AND e.event_time > g.from_time + INTERVAL 30 MINUTE AND e.event_time + INTERVAL 15 MINUTE < g.to_time`,
    );
    expect(inside).toEqual({ readings: 0 });
  });

  test('energy of the plant is the sum of its inverters', async () => {
    const [sums] = await folder.sql(
      `SELECT (SELECT sum(solar_wh) FROM site_energy_intervals_current) AS plant, (SELECT sum(out_wh) FROM energy_intervals_current) AS units`,
    );
    within(sums.plant, Number(sums.units), 1e-9);
    within(sums.plant, 1_660_736, 1e-6);
  });
});
