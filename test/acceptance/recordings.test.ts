import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AssetView } from '../../runtime/system/engine.ts';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { type AuditAnswer, type FeedAnswer, Folder, type Row } from './gridfold.ts';
import { writePart } from './parts.ts';

const LONG = 240_000;

/** The first row of an answer. */
async function one(folder: Folder, statement: string): Promise<Row> {
  return (await folder.sql(statement))[0];
}

const within = (value: unknown, golden: number, share: number) =>
  expect(Math.abs(Number(value) / golden - 1), `${value} against ${golden}`).toBeLessThan(share);

const seattleFile = realData('powerwall_home/seattle_2022_5min.csv');

describe.skipIf(seattleFile === null)(onRealData('a home in Seattle, 2022, by the command line', seattleFile), () => {
  const folder = new Folder();
  const BATTERY = `serial = 'SEATTLE-PW'`;
  const LOCAL_DAY = `strftime(timezone('America/Los_Angeles', event_time), '%Y-%m-%d')`;

  beforeAll(async () => {
    const fed = await folder.json<FeedAnswer>('replay', 'seattle-5min', seattleFile ?? '');
    expect(fed).toMatchObject({ records: 210_252, accepted: 210_252, refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('the energies of the year are the golden ones within 0.5 %', async () => {
    const energies = await folder.sql(
      `SELECT serial, sum(in_wh) / 1000 AS charge, sum(out_wh) / 1000 AS out FROM energy_intervals_current GROUP BY serial ORDER BY serial`,
    );
    const [roof, battery] = energies;
    process.stdout.write(`Seattle 2022, kWh: ${JSON.stringify(energies)}\n`);
    within(battery.charge, 4357.8, 0.005);
    within(battery.out, 3573.5, 0.005);
    within(roof.out, 12472.6, 0.005);
  });

  test('missing data written as zeros are gaps: no fault, no outage, no empty battery, no silence', async () => {
    const gaps = await folder.sql(
      `SELECT strftime(timezone('America/Los_Angeles', from_time), '%Y-%m-%d') AS day, class, date_diff('minute', from_time, to_time) AS minutes
       FROM data_gaps_current WHERE ${BATTERY} ORDER BY minutes DESC`,
    );
    expect(gaps).toHaveLength(106);
    expect(new Set(gaps.map((gap) => gap.class))).toEqual(new Set(['zeros']));
    expect(gaps[0]).toMatchObject({ day: '2022-07-08', minutes: 260 });
    const seen = await one(
      folder,
      `SELECT (SELECT count(*) FROM faults_current) AS faults, (SELECT count(*) FROM grid_events_current) AS outages,
         (SELECT count(*) FROM state_intervals_current WHERE lower(state) = 'empty') AS empty,
         (SELECT count(*) FROM state_intervals_current WHERE ${BATTERY} AND region = 'connectivity' AND lower(state) != 'online') AS silent`,
    );
    expect(seen).toEqual({ faults: 0, outages: 0, empty: 0, silent: 0 });
  });

  test('the gap of 2022-07-08 lowers the coverage of exactly its intervals', async () => {
    const rows = await folder.sql(
      `SELECT gap.serial AS serial, gap.minutes AS minutes, coalesce(sum(e.coverage), 0) AS coverage, coalesce(sum(e.in_wh + e.out_wh), 0) AS wh FROM
         (SELECT serial, from_time, to_time, date_diff('minute', from_time, to_time) AS minutes FROM data_gaps_current
          WHERE ${BATTERY} ORDER BY minutes DESC LIMIT 1) gap
       LEFT JOIN energy_intervals_current e ON e.serial = gap.serial AND e.event_time >= gap.from_time AND e.event_time + INTERVAL 15 MINUTE <= gap.to_time
       GROUP BY ALL`,
    );
    expect(rows).toEqual([{ serial: 'SEATTLE-PW', minutes: 260, coverage: 0, wh: 0 }]);
    const day = await one(
      folder,
      `SELECT sum(coverage) / 96 AS coverage FROM energy_intervals_current WHERE ${BATTERY} AND ${LOCAL_DAY} = '2022-07-08'`,
    );
    within(day.coverage, 1 - 260 / 1440, 1e-9);
  });

  test('the days of the clock changes have 92 and 100 intervals, their neighbours 96', async () => {
    const days = await folder.sql(
      `SELECT ${LOCAL_DAY} AS day, count(*) AS intervals, count(DISTINCT event_time) AS times FROM energy_intervals_current
       WHERE ${BATTERY} AND ${LOCAL_DAY} IN ('2022-03-12', '2022-03-13', '2022-03-14', '2022-11-05', '2022-11-06', '2022-11-07')
       GROUP BY ALL ORDER BY day`,
    );
    expect(days).toEqual(
      Object.entries({
        '2022-03-12': 96,
        '2022-03-13': 92,
        '2022-03-14': 96,
        '2022-11-05': 96,
        '2022-11-06': 100,
        '2022-11-07': 96,
      }).map(([day, n]) => ({ day, intervals: n, times: n })),
    );
  });

  test('nothing is lost or doubled between log and tables', async () => {
    const { ok, sinks } = await folder.json<AuditAnswer>('audit');
    expect(ok).toBe(true);
    for (const { doubled, missing, next, logEnd, rows } of sinks) {
      expect({ doubled, missing, next, rows }).toEqual({ doubled: 0, missing: 0, next: logEnd, rows: logEnd });
    }
    expect(sinks.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThan(70_000);
  });
});

describe.skipIf(seattleFile === null)(onRealData('in the middle of the gap of 2022-07-08', seattleFile), () => {
  const folder = new Folder();
  afterAll(() => folder.remove());

  test(
    'the battery keeps its charge, its state of health and its connection',
    async () => {
      const part = join(folder.base, 'part.csv');
      await writePart(seattleFile ?? '', part, ['2022-07-07', '2022-07-08T03:30']);
      await folder.json('replay', 'seattle-5min', part);
      const view = await folder.json<AssetView>('state', 'SEATTLE-PW');
      expect(view.values.soc).toMatchObject({ valid: true });
      expect(Number(view.values.soc.value)).toBeGreaterThan(0.5);
      expect(view.regions.health.state).toBe('ok');
      expect(view.regions.connectivity.state).toBe('online');
      expect(view.regions.grid.state).not.toMatch(/outage|islanded|off/i);
    },
    LONG,
  );
});

const solarmaFile = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

describe.skipIf(solarmaFile === null)(onRealData('a plant in September 2019, by the command line', solarmaFile), () => {
  const folder = new Folder();

  beforeAll(async () => {
    expect(await folder.json<FeedAnswer>('replay', 'solarma', solarmaFile ?? '')).toMatchObject({
      refused: 0,
      settled: true,
    });
  }, LONG);
  afterAll(() => folder.remove());

  test('energies to the watt-hour', async () => {
    const energies = await folder.sql(
      `SELECT serial, sum(out_wh) AS wh FROM energy_intervals_current GROUP BY serial ORDER BY serial`,
    );
    const total = energies.reduce((sum, row) => sum + Number(row.wh), 0);
    const unit = Number(energies.find((row) => row.serial === '102102N182')?.wh);
    process.stdout.write(`SOLARMA, Wh: all ${total}, 102102N182 ${unit}\n`);
    expect(energies).toHaveLength(13);
    expect(Math.round(total)).toBe(1_660_736);
    expect(Math.round(unit)).toBe(184_531);
    expect(Math.abs(total - Math.round(total))).toBeLessThan(1e-3);
  });

  test('the night closes no fault: 102502N182 has two, one closed on 09-08, one open from 09-11', async () => {
    const faults = await folder.sql(
      `SELECT code, strftime(timezone('Europe/Rome', opened_time), '%m-%d %H:%M') AS opened, strftime(timezone('Europe/Rome', closed_time), '%m-%d %H:%M') AS closed
       FROM faults_current WHERE serial = '102502N182' ORDER BY opened_time`,
    );
    expect(faults).toHaveLength(2);
    expect(faults[0].closed).toMatch(/^09-08 /);
    expect(faults[1]).toMatchObject({ code: '1364', opened: '09-11 19:20', closed: null });
    const others = await folder.sql(`SELECT DISTINCT serial FROM faults_current ORDER BY serial`);
    expect(others.map((row) => row.serial)).toEqual(['029501N182', '102502N182']);
  });

  test('the 18 outages of the logger are gaps of every unit, and neither faults nor downtime', async () => {
    const gaps = await folder.sql(
      `SELECT serial, class, count(*) AS gaps FROM data_gaps_current WHERE kind = 'inverter' GROUP BY ALL ORDER BY serial`,
    );
    expect(gaps.map(({ class: kind, gaps: n }) => [kind, n])).toEqual(Array.from({ length: 13 }, () => ['silent', 18]));
    // A fault opened within a gap, or a state that only the gap could have brought about.
    const made = await one(
      folder,
      `SELECT
         (SELECT count(*) FROM faults_current f JOIN data_gaps_current g USING (serial) WHERE f.opened_time > g.from_time AND f.opened_time < g.to_time) AS faults,
         (SELECT count(*) FROM state_transitions_current t JOIN data_gaps_current g USING (serial)
           WHERE t.region IN ('health', 'operation') AND t.event_time > g.from_time AND t.event_time < g.to_time) AS transitions`,
    );
    expect(made).toEqual({ faults: 0, transitions: 0 });
  });

  test('nothing is lost or doubled', async () => {
    expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
  });
});

const captures = [
  'jrester_grid_status',
  'jrester_meters_aggregates',
  'jrester_powerwalls',
  'jrester_system_status',
  'pypowerwall_api.meters.aggregates',
  'pypowerwall_api.powerwalls',
  'pypowerwall_api.system_status',
  'pypowerwall_vitals-example',
  'pypowerwall_vitals-example-latest',
  'pypowerwall_vitals-example-failed-pw',
].map((name) => [name, realData(`powerwall_api_captures/${name}.json`)] as const);

describe.skipIf(captures.some(([, file]) => file === null))(
  onRealData(
    'captures of the Powerwall API, by the command line',
    captures.find(([, file]) => file === null) ? null : 'there',
  ),
  () => {
    const folder = new Folder();
    afterAll(() => folder.remove());

    test(
      'are understood, and only the failed pack is faulted by its alert',
      async () => {
        let accepted = 0;
        for (const [name, file] of captures) {
          const fed = await folder.json<FeedAnswer>(
            'replay',
            'powerwall-api',
            file ?? '',
            '--serial-prefix',
            name,
            '--at',
            '2022-07-08T12:00:00Z',
          );
          expect(fed, name).toMatchObject({ refused: 0 });
          accepted += fed.accepted;
        }
        expect(accepted).toBeGreaterThan(50);
        const faults = await folder.sql(
          `SELECT serial, severity, closed_time FROM faults_current WHERE code = 'POD_f029_HW_CMA_OV'`,
        );
        expect(faults).toEqual([{ serial: faults[0].serial, severity: 'critical', closed_time: null }]);
        const pack = await folder.json<AssetView>('state', String(faults[0].serial));
        expect(pack).toMatchObject({ kind: 'powerwall', status: 'FAULTED', regions: { health: { state: 'faulted' } } });
        const faulted = await folder.sql(
          `SELECT serial FROM state_intervals_current WHERE region = 'health' AND state = 'faulted' AND to_time IS NULL ORDER BY serial`,
        );
        process.stdout.write(`faulted: ${JSON.stringify(faulted)}\n`);
        // The other one is the block that the gateway itself has disabled.
        expect(faulted.filter(({ serial }) => serial !== pack.serial)).toHaveLength(1);
        const letters = await folder.json<unknown[]>('dead-letters');
        expect(letters).toEqual([]);
        expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
      },
      LONG,
    );
  },
);
