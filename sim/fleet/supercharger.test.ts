import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTelemetry, type SourceRecord } from '../record.ts';
import { makeCabinet, sharePower } from './cabinet.ts';
import { createFleet } from './fleet.ts';
import { calmRates, type FleetOptions } from './options.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2024, 5, 20);
const options: FleetOptions = {
  assets: 0,
  cabinets: 3,
  seed: 5,
  cadenceMs: 60_000,
  startTime: START,
  rates: { ...calmRates, sessionsPerDay: 30 },
};

const readings = (records: readonly SourceRecord[]) => records.filter(isTelemetry).map((record) => record.value);

describe('shared power', () => {
  const watts = fc.array(fc.integer({ min: 0, max: 250_000 }), { minLength: 1, maxLength: 8 });

  test('is never more than there is, nor than anybody asks for', () => {
    fc.assert(
      fc.property(watts, fc.integer({ min: 0, max: 500_000 }), (requests, limit) => {
        const offers = sharePower(requests, limit);
        expect(offers.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(limit);
        offers.forEach((offer, i) => {
          expect(offer).toBeLessThanOrEqual(requests[i]);
        });
      }),
    );
  });

  test('is an equal part for all who are cut, and no less than for those who are not', () => {
    expect(sharePower([250_000, 250_000, 50_000, 0], 350_000)).toEqual([150_000, 150_000, 50_000, 0]);
    expect(sharePower([250_000, 50_000], 350_000)).toEqual([250_000, 50_000]);
    fc.assert(
      fc.property(watts, fc.integer({ min: 0, max: 500_000 }), (requests, limit) => {
        const offers = sharePower(requests, limit);
        const cut = offers.filter((offer, i) => offer < requests[i]);
        if (cut.length === 0) return;
        expect(Math.max(...cut) - Math.min(...cut)).toBeLessThanOrEqual(cut.length);
        expect(Math.max(...offers)).toBeLessThanOrEqual(Math.max(...cut));
        expect(offers.reduce((a, b) => a + b, 0)).toBeGreaterThan(limit - requests.length - 1);
      }),
    );
  });
});

describe('charging stalls of the virtual fleet', () => {
  test('stand four to a cabinet and two cabinets to a site', () => {
    const fleet = createFleet({ ...options, seed: 1 });
    expect(fleet.serials).toHaveLength(12);
    expect(fleet.serials[11]).toBe('SC-000012');
    const installed = [...fleet.lifecycleRecords()].filter(({ value }) => value.type === 'installed');
    expect(installed[7].value.data).toMatchObject({
      siteId: 'CHARGE-000001',
      cabinet: 'cabinet-2',
      position: 'cabinet-2/stall-4',
    });
    expect(installed[8].value.data).toMatchObject({ siteId: 'CHARGE-000002', cabinet: 'cabinet-1' });
  });

  test('give no more together than their cabinet has, and what they count is what flowed', () => {
    const fleet = createFleet(options);
    const limits = new Map([1, 2, 3].flatMap((n) => makeCabinet(5, n).serials.map((s) => [s, makeCabinet(5, n)])));
    const told = readings(fleet.tick(START + DAY_MS));
    let bound = 0;
    const offered = new Map<string, number>();
    for (const { serial, fields } of told) {
      if (fields.offeredW !== undefined) offered.set(serial, fields.offeredW as number);
      const cabinet = limits.get(serial)!;
      if (serial !== cabinet.serials.at(-1)) continue;
      const total = cabinet.serials.reduce((sum, s) => sum + (offered.get(s) ?? 0), 0);
      expect(total).toBeLessThanOrEqual(cabinet.limitW);
      if (total > cabinet.limitW - 10) bound++;
    }
    expect(bound).toBeGreaterThan(10);
    for (const [serial, list] of Map.groupBy(told, (value) => value.serial)) {
      const registers = list.map(({ fields }) => fields.deliveredWh as number);
      const flowed = list.reduce((wh, { fields }) => wh + (fields.vehicleW as number) / 60, 0);
      const truth = fleet.truth().get(serial)!.inWh;
      expect(Math.abs(registers.at(-1)! - registers[0] - truth)).toBeLessThan(2);
      expect(Math.abs(flowed - truth)).toBeLessThan(5000);
    }
  });

  test('number the messages of a transaction from its start to its end', () => {
    const told = readings(createFleet(options).tick(START + DAY_MS)).filter((v) => v.fields.sessionEvent !== undefined);
    const sessions = [...Map.groupBy(told, (v) => v.fields.sessionId).values()].filter(
      (list) => list.at(-1)?.fields.sessionEvent === 'Ended',
    );
    expect(sessions.length).toBeGreaterThan(100);
    for (const list of sessions) {
      expect(list[0].fields.sessionEvent).toBe('Started');
      expect(list.map((v) => v.fields.seqNo)).toEqual(list.map((_, i) => i));
    }
  });

  test('are the same for the same seed and go on after being saved, whatever goes wrong', () => {
    const wild = { sessionsPerDay: 40, faultsPerDay: 4, silencesPerDay: 4, late: 0.2, duplicate: 0.1 };
    const whole = createFleet({ ...options, rates: wild });
    whole.tick(START + 7 * HOUR_MS);
    const saved = JSON.parse(JSON.stringify(whole.save()));
    const resumed = createFleet({ ...options, rates: wild, startTime: START + DAY_MS }, saved);
    expect([...resumed.lifecycleRecords()]).toEqual([...whole.lifecycleRecords()]);
    const rest = whole.tick(START + DAY_MS);
    expect(resumed.tick(START + DAY_MS)).toEqual(rest);
    expect(resumed.truth()).toEqual(whole.truth());
    const told = readings(rest);
    expect(told.some((v) => v.fields.status === 'Faulted')).toBe(true);
    expect(told.some((v) => v.resend === true && v.fields.offline === true)).toBe(true);
  });
});
