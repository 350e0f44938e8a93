import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUARTER_MS, Tables } from '../testing/tables.ts';

const ROME = 'Europe/Rome';

describe('energy by hour, day, month and life', () => {
  let tables: Tables;
  beforeEach(async () => {
    tables = await Tables.open({ inverter: ROME });
  });
  afterEach(() => tables.remove());

  it('adds up: hours, days, months, slots and groups hold what the intervals hold', async () => {
    const asset = fc.record({
      serial: fc.constantFrom('A', 'B', 'C'),
      // Over the changes of clocks of 2022 in Europe and in America.
      quarter: fc.integer({ min: 0, max: 365 * 96 }),
      inWh: fc.integer({ min: 0, max: 5000 }),
      outWh: fc.integer({ min: 0, max: 5000 }),
      retract: fc.boolean(),
    });
    const start = Date.UTC(2022, 0, 1);
    tables.holds('A', 'S-1', 'left', '2022-02-01T00:00:00Z', '2022-06-01T00:00:00Z', {
      timeZone: 'America/Los_Angeles',
      model: 'M-1',
    });
    tables.holds('B', 'S-1', 'left', '2022-06-01T00:00:00Z', null, { timeZone: ROME, region: 'north' });
    const current = new Map<string, { inWh: number; outWh: number }>();
    const seed = 20_220;
    for (const { serial, quarter, inWh, outWh, retract } of fc.sample(asset, { numRuns: 3000, seed })) {
      const op = retract ? 'retract' : 'upsert';
      tables.energy(serial, start + quarter * QUARTER_MS, inWh, outWh, {
        op,
        kind: serial === 'C' ? 'inverter' : 'powerwall',
      });
      if (retract) current.delete(`${serial}/${quarter}`);
      else current.set(`${serial}/${quarter}`, { inWh, outWh });
    }
    const sum = (of: (e: { inWh: number; outWh: number }) => number) =>
      [...current.values()].reduce((s, e) => s + of(e), 0);
    const whole = [sum((e) => e.inWh), sum((e) => e.outWh), current.size];
    for (const view of ['energy_hourly', 'energy_daily', 'energy_monthly', 'energy_lifetime', 'energy_daily_by']) {
      const [total] = await tables.rows(`SELECT sum(in_wh), sum(out_wh), sum(intervals) FROM ${view}`);
      expect(total.map(Number), `${view}, seed ${seed}`).toEqual(whole);
    }
    const mismatched = `SELECT count(*) FROM (SELECT serial, time_zone, day, sum(in_wh) AS e FROM energy_hourly GROUP BY ALL) h
      FULL JOIN energy_daily d USING (serial, time_zone, day) WHERE h.e IS DISTINCT FROM d.in_wh`;
    expect(await tables.rows(mismatched)).toEqual([[0]]);
    const ofMonths = `SELECT count(*) FROM (
        SELECT serial, time_zone, date_trunc('month', day) AS month, sum(out_wh) AS e, sum(covered_s) AS c FROM energy_daily GROUP BY ALL
      ) d FULL JOIN energy_monthly m USING (serial, time_zone, month) WHERE d.e IS DISTINCT FROM m.out_wh OR d.c IS DISTINCT FROM m.covered_s`;
    expect(await tables.rows(ofMonths)).toEqual([[0]]);
    const slot = `SELECT (SELECT sum(in_wh) FROM slot_energy_daily), (SELECT max(lifetime_in_wh) FROM slot_energy_daily),
      (SELECT sum(in_wh) FROM energy_intervals_current WHERE slot = 'left')`;
    const [[daily, lifetime, intervals]] = await tables.rows(slot);
    expect([daily, lifetime]).toEqual([intervals, intervals]);
  });

  it('gives days of 23 and 25 hours where the clock changes, and both hours of a repeated one', async () => {
    for (const [from, hours] of [
      ['2022-03-26T23:00:00Z', 23],
      ['2022-10-29T22:00:00Z', 25],
    ] as const) {
      for (let q = 0; q < hours * 4; q++)
        tables.energy('R', Date.parse(from) + q * QUARTER_MS, 0, 10, { kind: 'inverter' });
    }
    expect(
      await tables.rows(`SELECT day, out_wh, covered_s, coverage, from_time, to_time FROM energy_daily ORDER BY day`),
    ).toEqual([
      ['2022-03-27', 920, 82_800, 1, '2022-03-26T23:00:00.000Z', '2022-03-27T22:00:00.000Z'],
      ['2022-10-30', 1000, 90_000, 1, '2022-10-29T22:00:00.000Z', '2022-10-30T23:00:00.000Z'],
    ]);
    expect(
      await tables.rows(
        `SELECT day, count(*), min(coverage), max(coverage) FROM energy_hourly GROUP BY day ORDER BY day`,
      ),
    ).toEqual([
      ['2022-03-27', 23, 1, 1],
      ['2022-10-30', 25, 1, 1],
    ]);
  });

  it('means full hours of the local clock where the offset has a half', async () => {
    tables.holds('I', 'S-1', 'roof', '2022-01-01T00:00:00Z', null, { timeZone: 'Asia/Kolkata' });
    tables.energy('I', '2022-05-01T18:15:00Z', 0, 1).energy('I', '2022-05-01T18:30:00Z', 0, 2);
    expect(await tables.rows(`SELECT day, from_time, out_wh FROM energy_hourly ORDER BY from_time`)).toEqual([
      ['2022-05-01', '2022-05-01T17:30:00.000Z', 1],
      ['2022-05-02', '2022-05-01T18:30:00.000Z', 2],
    ]);
  });

  it('means the same local days as the database, whatever a zone does with its clock', async () => {
    const zones = [
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'America/St_Johns',
      'Pacific/Apia',
      'Africa/Casablanca',
      'America/Sao_Paulo',
      'Asia/Gaza',
    ];
    const seed = 41;
    const span = (Date.UTC(2023, 0, 1) - Date.UTC(2011, 0, 1)) / QUARTER_MS;
    for (const timeZone of zones) {
      tables.holds(timeZone, timeZone, 'roof', '2010-01-01T00:00:00Z', null, { timeZone });
      for (const quarter of fc.sample(fc.integer({ min: 0, max: span }), { numRuns: 300, seed })) {
        tables.energy(timeZone, Date.UTC(2011, 0, 1) + quarter * QUARTER_MS, 0, 1);
      }
    }
    const different = `SELECT serial, start_time, day FROM gridfold_energy
      WHERE day <> timezone(time_zone, start_time)::DATE OR minute(timezone(time_zone, start_time)) <> minute(timezone(time_zone, hour_start)) + (epoch(start_time) - epoch(hour_start)) / 60`;
    expect(await tables.rows(different), `seed ${seed}`).toEqual([]);
    expect(Number((await tables.rows('SELECT count(DISTINCT time_zone) FROM gridfold_energy'))[0][0])).toBe(
      zones.length,
    );
  });

  it('takes UTC where nobody tells a zone that the database knows', async () => {
    tables.holds('M', 'S-1', 'left', '2022-01-01T00:00:00Z', null, { timeZone: 'Mars/Base' });
    tables.energy('M', '2022-05-01T23:45:00Z', 0, 1).energy('N', '2022-05-01T23:45:00Z', 0, 1);
    expect(await tables.rows(`SELECT serial, time_zone, day FROM energy_daily ORDER BY 1`)).toEqual([
      ['M', 'UTC', '2022-05-01'],
      ['N', 'UTC', '2022-05-01'],
    ]);
  });

  it('follows a late correction and a retraction', async () => {
    const day = `SELECT out_wh, coverage * 96, intervals FROM energy_daily`;
    tables.energy('A', '2022-05-01T10:00:00Z', 0, 100, { coverage: 0.5 }).energy('A', '2022-05-01T10:15:00Z', 0, 40);
    expect(await tables.rows(day)).toEqual([[140, 1.5, 2]]);
    tables.energy('A', '2022-05-01T10:00:00Z', 0, 130);
    expect(await tables.rows(day)).toEqual([[170, 2, 2]]);
    tables.energy('A', '2022-05-01T10:15:00Z', 0, 40, { op: 'retract' });
    expect(await tables.rows(day)).toEqual([[130, 1, 1]]);
  });

  it('groups by the place, model and firmware as of the interval', async () => {
    tables
      .holds('A', 'S-1', 'left', '2022-05-01T00:00:00Z', '2022-05-01T12:00:00Z', { model: 'PW2', region: 'north' })
      .holds('A', 'S-2', 'right', '2022-05-01T12:00:00Z', null, { model: 'PW2', region: 'south' })
      .say('firmware_update', 'A', 'telemetry/1', '2022-05-01T18:00:00Z', {
        fromVersion: '1.0',
        toVersion: '1.1',
        completedTime: '2022-05-01T18:00:00Z',
        ok: true,
        rollback: false,
        source: 'telemetry',
      })
      .say('lifecycle_change', 'B', 'r1', '2021-01-01T00:00:00Z', {
        recordId: 'r1',
        type: 'manufactured',
        legal: true,
        voided: false,
        occurredTime: '2021-01-01T00:00:00Z',
        data: { model: 'PW3' },
      });
    for (const hour of ['06', '12', '18']) tables.energy('A', `2022-05-01T${hour}:00:00Z`, 0, Number(hour));
    tables.energy('B', '2022-05-01T06:00:00Z', 0, 1, { siteId: 'S-told' });
    expect(
      await tables.rows(`SELECT site_id, model, firmware, region, out_wh, assets FROM energy_daily_by ORDER BY out_wh`),
    ).toEqual([
      ['S-told', 'PW3', null, null, 1, 1],
      ['S-1', 'PW2', '1.0', 'north', 6, 1],
      ['S-2', 'PW2', '1.0', 'south', 12, 1],
      ['S-2', 'PW2', '1.1', 'south', 18, 1],
    ]);
  });

  it('says of a site what it used of its own', async () => {
    tables.holds('A', 'S-1', 'left', '2022-05-01T00:00:00Z', null, { timeZone: 'America/Los_Angeles' });
    const interval = (start: string, loadWh: number, solarWh: number, importWh: number, exportWh: number) => {
      const data = {
        startTime: start,
        lengthS: 900,
        loadWh,
        solarWh,
        importWh,
        exportWh,
        batteryInWh: 0,
        batteryOutWh: null,
        chargingWh: null,
        coverage: 1,
      };
      tables.say('site_energy_interval', 'S-1', start, start, data, { kind: 'site' });
    };
    interval('2022-05-01T06:45:00Z', 100, 0, 100, 0);
    interval('2022-05-01T20:00:00Z', 200, 1000, 0, 400);
    interval('2022-05-02T06:45:00Z', 300, 0, 200, 0);
    const sql = `SELECT day, load_wh, battery_out_wh, self_consumption, self_sufficiency, covered_s, intervals FROM site_energy_daily ORDER BY day`;
    expect(await tables.rows(sql)).toEqual([
      ['2022-04-30', 100, null, null, 0, 900, 1],
      ['2022-05-01', 500, null, 0.6, 0.6, 1800, 2],
    ]);
  });
});
