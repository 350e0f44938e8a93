import { describe, expect, test } from 'vitest';
import { isTelemetry, type SourceRecord } from '../record.ts';
import { createFleet } from './fleet.ts';
import { calmRates, type FleetOptions } from './options.ts';
import { dispatchAt, makePlant } from './plant.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2024, 5, 20);
const options: FleetOptions = {
  assets: 0,
  megapacks: 6,
  seed: 5,
  cadenceMs: 60_000,
  startTime: START,
  rates: calmRates,
};

const readings = (records: readonly SourceRecord[]) => records.filter(isTelemetry).map((record) => record.value);

describe('Megapacks of the virtual fleet', () => {
  test('stand four to a site', () => {
    const fleet = createFleet({ ...options, seed: 1 });
    expect(fleet.serials).toEqual(['MP-000001', 'MP-000002', 'MP-000003', 'MP-000004', 'MP-000005', 'MP-000006']);
    const installed = [...fleet.lifecycleRecords()].filter(({ value }) => value.type === 'installed');
    expect(installed.map(({ value }) => [value.data.siteId, value.data.position])).toEqual([
      ['PLANT-000001', 'unit-1'],
      ['PLANT-000001', 'unit-2'],
      ['PLANT-000001', 'unit-3'],
      ['PLANT-000001', 'unit-4'],
      ['PLANT-000002', 'unit-1'],
      ['PLANT-000002', 'unit-2'],
    ]);
  });

  test('are told the same every five minutes, and do it as far as their charge allows', () => {
    const plant = makePlant(5, 1, 6);
    for (let t = START; t < START + DAY_MS; t += 20_000) {
      const slot = Math.floor(t / 300_000) * 300_000;
      const now = dispatchAt(plant, t);
      expect([now.setpointW, now.controlMode]).toEqual([
        dispatchAt(plant, slot).setpointW,
        dispatchAt(plant, slot).controlMode,
      ]);
      expect(Math.abs(now.setpointW)).toBeLessThanOrEqual(plant.battery.ratedW);
    }
    const told = readings(createFleet(options).tick(START + 2 * DAY_MS));
    let followed = 0;
    for (const list of Map.groupBy(told, (v) => v.serial).values()) {
      const known: Record<string, unknown> = {};
      for (const { fields } of list) {
        Object.assign(known, fields);
        const { powerW, setpointW, controlMode, state } = known as Record<string, number>;
        expect(known.soc).toBeGreaterThanOrEqual(0);
        expect(known.soc).toBeLessThanOrEqual(1);
        if (String(controlMode) === 'FCR' || String(state) !== 'CONNECTED') continue;
        expect(powerW * setpointW).toBeGreaterThanOrEqual(0);
        expect(Math.abs(powerW)).toBeLessThanOrEqual(Math.abs(setpointW) + 1);
        if (powerW === setpointW) followed++;
      }
    }
    expect(followed).toBeGreaterThan(1000);
  });

  test('counters and held powers add up to what really flowed', () => {
    const fleet = createFleet(options);
    for (const [serial, list] of Map.groupBy(readings(fleet.tick(START + DAY_MS)), (v) => v.serial)) {
      const truth = fleet.truth().get(serial)!;
      const counted = (name: string) => Number(list.at(-1)!.fields[name]) - Number(list[0].fields[name]);
      expect(Math.abs(counted('energyOutWh') - truth.outWh)).toBeLessThan(2);
      expect(Math.abs(counted('energyInWh') - truth.inWh)).toBeLessThan(2);
      const held = list.slice(0, -1).reduce((wh, { fields }) => wh + Number(fields.powerW) / 60, 0);
      expect(Math.abs(held - (truth.outWh - truth.inWh))).toBeLessThan(2);
    }
  });

  test('are the same for the same seed and go on after being saved, whatever goes wrong', () => {
    const rates = { faultsPerDay: 6, silencesPerDay: 4, late: 0.2, duplicate: 0.1 };
    const whole = createFleet({ ...options, rates });
    whole.tick(START + 7 * HOUR_MS);
    const saved = JSON.parse(JSON.stringify(whole.save()));
    const resumed = createFleet({ ...options, rates, startTime: START + DAY_MS }, saved);
    expect([...resumed.lifecycleRecords()]).toEqual([...whole.lifecycleRecords()]);
    const rest = whole.tick(START + DAY_MS);
    expect(resumed.tick(START + DAY_MS)).toEqual(rest);
    expect(resumed.truth()).toEqual(whole.truth());
    const told = readings(rest);
    expect(told.some((v) => v.fields.state === 'FAULT')).toBe(true);
    expect(told.some((v) => v.fields.stringsConnected === 17)).toBe(true);
    expect(told.some((v) => v.resend === true)).toBe(true);
  });

  test('that are added to a saved fleet are new, those that are taken away are gone', () => {
    const whole = createFleet(options);
    whole.tick(START + HOUR_MS);
    const saved = JSON.parse(JSON.stringify(whole.save()));
    const more = createFleet({ ...options, megapacks: 8, startTime: START + HOUR_MS }, saved);
    expect(new Set(readings(more.tick(START + 2 * HOUR_MS)).map((v) => v.serial)).size).toBe(8);
    const fewer = createFleet({ ...options, megapacks: 5, startTime: START + HOUR_MS }, saved);
    expect(new Set(readings(fewer.tick(START + 2 * HOUR_MS)).map((v) => v.serial)).size).toBe(5);
  });
});
