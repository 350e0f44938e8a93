import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTelemetry, type LifecycleValue, type SourceRecord, type TelemetryValue } from '../record.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { calmRates, type FleetOptions } from './options.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2024, 5, 20);
const options: FleetOptions = { assets: 11, seed: 5, cadenceMs: 300_000, startTime: START };
/** Everything happens often, so that a day sees all of it. */
const wild = { outagesPerDay: 3, faultsPerDay: 3, updatesPerDay: 2, silencesPerDay: 3, late: 0.2, duplicate: 0.1 };

function run(fleet: Fleet, until: number, everyMs = HOUR_MS): SourceRecord[] {
  const records: SourceRecord[] = [];
  for (let now = fleet.time + everyMs; now <= until; now += everyMs) records.push(...fleet.tick(now));
  return records;
}

const values = (records: readonly SourceRecord[]) => records.filter(isTelemetry).map((record) => record.value);
const bySerial = (records: readonly SourceRecord[]) => Map.groupBy(values(records), (value) => value.serial);
const inOrder = (readings: readonly TelemetryValue[]) =>
  [...readings].sort((a, b) => (a.deviceTime < b.deviceTime ? -1 : 1));

describe('fleet', () => {
  test('is the same for the same seed, however time is cut into ticks', () => {
    const sorted = (records: SourceRecord[]) =>
      records
        .map((r) => JSON.stringify(r))
        .sort()
        .join('\n');
    const once = run(createFleet({ ...options, rates: wild }), START + DAY_MS, DAY_MS);
    const often = run(createFleet({ ...options, rates: wild }), START + DAY_MS, 240_000);
    expect(often.length).toBe(once.length);
    expect(sorted(often) === sorted(once)).toBe(true);
    const other = run(createFleet({ ...options, seed: 6, rates: wild }), START + DAY_MS, DAY_MS);
    expect(sorted(other) === sorted(once)).toBe(false);
  });

  test('goes on after being saved as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 23 }), (hour) => {
        const whole = createFleet({ ...options, assets: 5, rates: wild });
        run(whole, START + hour * HOUR_MS);
        const saved = JSON.parse(JSON.stringify(whole.save()));
        const resumed = createFleet({ ...options, assets: 5, rates: wild, startTime: START + DAY_MS }, saved);
        expect([...resumed.lifecycleRecords()]).toEqual([...whole.lifecycleRecords()]);
        expect(resumed.tick(START + DAY_MS)).toEqual(whole.tick(START + DAY_MS));
        expect(resumed.truth()).toEqual(whole.truth());
      }),
      { numRuns: 8 },
    );
  });

  test('names its assets by number, and puts one of each kind in a home', () => {
    const fleet = createFleet({ ...options, assets: 3, seed: 1 });
    expect(fleet.serials).toEqual(['PW-000001', 'INV-000001', 'PW-000002']);
    expect(createFleet({ ...options, assets: 1, seed: 7 }).serials).toEqual(['PW-7-000001']);
    const records = [...fleet.lifecycleRecords()].map((record) => record.value);
    expect(new Set(records.map((value) => value.id)).size).toBe(records.length);
    const installed = records.filter((value) => value.type === 'installed');
    expect(installed.map((value) => value.data.siteId)).toEqual(['SITE-000001', 'SITE-000001', 'SITE-000002']);
    for (const { eventTime } of records) expect(Date.parse(eventTime)).toBeLessThan(START);
  });

  test('no reading is dated after the tick that brings it, and none before the start', () => {
    const fleet = createFleet({ ...options, rates: wild });
    for (let now = START + 60_000; now < START + DAY_MS; now += 60_000) {
      for (const { deviceTime } of values(fleet.tick(now))) {
        expect(Date.parse(deviceTime)).toBeLessThanOrEqual(now);
        expect(Date.parse(deviceTime)).toBeGreaterThan(START);
      }
    }
    expect(() => fleet.tick(START)).toThrow(RangeError);
  });

  test('counters and held powers add up to what really flowed', () => {
    const fleet = createFleet({ ...options, rates: calmRates });
    const readings = bySerial(run(fleet, START + 2 * DAY_MS));
    expect([...readings.keys()].sort()).toEqual([...fleet.serials].sort());
    for (const [serial, told] of readings) {
      const truth = fleet.truth().get(serial)!;
      let out = 0;
      told.forEach(({ fields }, i) => {
        const heldMs = (i + 1 < told.length ? Date.parse(told[i + 1].deviceTime) : 0) - Date.parse(told[i].deviceTime);
        if (heldMs > 0) out += (Math.max(0, fields.powerW as number) * heldMs) / HOUR_MS;
      });
      expect(out).toBeCloseTo(truth.outWh, 3);
      const counters = told.map(({ fields }) => fields.energyOutWh as number);
      if (counters[0] !== undefined) expect(Math.abs(counters.at(-1)! - counters[0] - truth.outWh)).toBeLessThan(2);
      expect(counters).toEqual([...counters].sort((a, b) => a - b));
      expect(told.every(({ fields }) => Number.isInteger(fields.energyOutWh ?? fields.energyDayWh))).toBe(true);
    }
  });

  test('the day of a daily counter is the asset own', () => {
    const fleet = createFleet({ ...options, assets: 30, rates: calmRates });
    const zones = new Map<string, string>();
    for (const { value } of fleet.lifecycleRecords()) {
      if (value.type === 'installed') zones.set(value.serial, value.data.timeZone as string);
    }
    const daily = [...bySerial(run(fleet, START + 2 * DAY_MS))].filter(([, told]) => 'energyDayWh' in told[0].fields);
    expect(daily.length).toBeGreaterThan(3);
    for (const [serial, told] of daily) {
      const calendar = new Intl.DateTimeFormat('en', { timeZone: zones.get(serial) });
      const dayOf = (value: TelemetryValue) => calendar.format(Date.parse(value.deviceTime));
      const days = Map.groupBy(told, dayOf);
      const highest = [...days.values()].map((day) =>
        Math.max(...day.map((value) => value.fields.energyDayWh as number)),
      );
      const sum = highest.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - fleet.truth().get(serial)!.outWh)).toBeLessThanOrEqual(highest.length);
    }
  });

  test('keeps physics: the home balances, charge stays between empty and full, batteries lose on the way', () => {
    const fleet = createFleet({ ...options, assets: 12, rates: { ...wild, late: 0, duplicate: 0 } });
    const powerwalls = values(run(fleet, START + 3 * DAY_MS)).filter((value) => value.kind === 'powerwall');
    const impossible = powerwalls.filter(({ fields }) => {
      const { powerW, siteW, loadW, solarW, soc } = fields as Record<string, number>;
      const isBalanced = siteW + solarW + powerW === loadW;
      const isNothing = [powerW, siteW, loadW, solarW].every((watts) => watts === 0);
      return !isBalanced || isNothing || soc < 0 || soc > 1;
    });
    expect(powerwalls.length).toBeGreaterThan(1000);
    expect(impossible).toEqual([]);
    const calm = createFleet({ ...options, assets: 20, rates: calmRates });
    run(calm, START + 6 * DAY_MS, DAY_MS);
    const batteries = [...calm.truth()].filter(([serial]) => serial.startsWith('PW')).map(([, truth]) => truth);
    const [out, into] = [sum(batteries.map((b) => b.outWh)), sum(batteries.map((b) => b.inWh))];
    expect(out / into).toBeGreaterThan(0.85);
    expect(out / into).toBeLessThan(0.95);
  });

  test('the sun rises and sets, and the inverters tell it in order', () => {
    const fleet = createFleet({ ...options, assets: 2, rates: calmRates });
    const codes = values(run(fleet, START + 2 * DAY_MS, 300_000))
      .filter((value) => value.kind === 'inverter' && value.fields.stateCode !== undefined)
      .map((value) => value.fields.stateCode as number);
    const changes = codes.filter((code, i) => code !== codes[i - 1]);
    expect(changes.join('')).toMatch(/^2?(3[45]+62)+/);
  });

  test('an outage goes through all of its grid states', () => {
    const fleet = createFleet({ ...options, assets: 20, rates: { ...calmRates, outagesPerDay: 4 } });
    const readings = [...bySerial(run(fleet, START + 2 * DAY_MS)).values()].flat();
    const words = readings.map((value) => value.fields.gridStatus).filter((word) => word !== undefined);
    const connected = 'SystemGridConnected';
    expect(new Set(words)).toEqual(
      new Set([connected, 'SystemTransitionToIsland', 'SystemIslandedActive', 'SystemTransitionToGrid']),
    );
    const islanded = readings.filter((value) => value.fields.gridStatus === 'SystemIslandedActive');
    expect(islanded.every((value) => value.fields.siteW === 0)).toBe(true);
  });

  test('faults come with a code and an alert, and go again', () => {
    const fleet = createFleet({ ...options, assets: 20, rates: { ...calmRates, faultsPerDay: 2 } });
    const records = run(fleet, START + 3 * DAY_MS);
    const readings = values(records);
    const alerts = readings.flatMap((value) => (value.fields.alerts ?? []) as { severity: string; endedAt?: string }[]);
    expect(alerts.some((alert) => alert.severity === 'critical' && alert.endedAt === undefined)).toBe(true);
    expect(alerts.some((alert) => alert.severity === 'critical' && alert.endedAt !== undefined)).toBe(true);
    const codes = readings.map((value) => value.fields.errorCode).filter((code) => code !== undefined);
    expect(codes).toContain(0);
    expect(codes.some((code) => (code as number) > 0)).toBe(true);
    const types = records.filter((r) => r.topic === 'lifecycle').map((r) => (r.value as LifecycleValue).type);
    expect(types).toContain('maintenanceStarted');
    expect(types).toContain('maintenanceCompleted');
  });

  test('an update goes through its phases and ends in another version', () => {
    const fleet = createFleet({ ...options, assets: 8, rates: { ...calmRates, updatesPerDay: 2 } });
    const records = run(fleet, START + 2 * DAY_MS);
    const updates = records
      .filter((record) => record.topic === 'lifecycle')
      .map((record) => record.value as LifecycleValue)
      .filter((value) => value.serial === 'PW-5-000001');
    const phases = ['scheduled', 'downloading', 'staged', 'installing', 'rebooting', 'verifying', 'completed'];
    expect(updates.slice(0, 7).map((value) => value.data.phase)).toEqual(phases);
    const versions = new Set(
      bySerial(records)
        .get('PW-5-000001')!
        .map((value) => value.fields.firmware),
    );
    expect(versions).toContain(updates[6].data.version);
  });

  test('late, doubled and resent readings come in about the shares that were asked for', () => {
    const rates = { ...calmRates, late: 0.1, duplicate: 0.05, silencesPerDay: 1, silenceLoss: 0 };
    const told = values(run(createFleet({ ...options, assets: 40, rates }), START + 2 * DAY_MS));
    const distinct = new Set(told.map((value) => `${value.serial} ${value.deviceTime}`)).size;
    expect((told.length - distinct) / distinct).toBeCloseTo(0.05, 1);
    expect(told.some((value) => value.resend === true)).toBe(true);
    for (const readings of bySerial(run(createFleet({ ...options, rates }), START + DAY_MS)).values()) {
      expect(readings).not.toEqual(inOrder(readings));
    }
  });

  test('fields that rarely change are told when they change, and hourly', () => {
    const fleet = createFleet({ ...options, assets: 2, rates: calmRates });
    const told = values(run(fleet, START + DAY_MS)).filter((value) => value.kind === 'powerwall');
    const full = told.filter((value) => value.fields.firmware !== undefined);
    expect(full.length).toBeGreaterThanOrEqual(24);
    expect(full.length).toBeLessThan(told.length / 4);
  });

  test.each([{ assets: -1 }, { assets: 2.5 }, { cadenceMs: 1 }, { rates: { late: Number.NaN } }, { seed: -4 }])(
    'refuses %o',
    (wrong) => {
      expect(() => createFleet({ ...options, ...wrong })).toThrow(
        expect.objectContaining({ code: 'sim_option_invalid' }),
      );
    },
  );
});

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
