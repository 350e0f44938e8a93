import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batteryPower, storedAfter } from './battery.ts';

const battery = { capacityWh: 13_500, ratedW: 5000, reserveSoc: 0.2 };
const HOURS = 1 / 12;

describe('battery', () => {
  test('whatever is asked of it, its power is possible until the next step', () => {
    const charge = fc.double({ min: 0, max: battery.capacityWh, noNaN: true });
    const need = fc.integer({ min: -20_000, max: 20_000 });
    fc.assert(
      fc.property(charge, need, fc.boolean(), (storedWh, needW, island) => {
        const powerW = batteryPower(battery, storedWh, needW, island, HOURS);
        expect(Math.abs(powerW)).toBeLessThanOrEqual(Math.min(Math.abs(needW), battery.ratedW));
        expect(powerW * needW).toBeGreaterThanOrEqual(0);
        const change = powerW > 0 ? (-powerW * HOURS) / 0.95 : -powerW * HOURS * 0.95;
        expect(storedAfter(battery, storedWh, powerW, HOURS)).toBeCloseTo(storedWh + change, 6);
        const floorWh = island ? 0 : Math.min(storedWh, battery.reserveSoc * battery.capacityWh);
        expect(storedWh + change).toBeGreaterThanOrEqual(floorWh - 1e-6);
      }),
    );
  });

  test('keeps its reserve for outages, and uses it in one', () => {
    const reserveWh = battery.reserveSoc * battery.capacityWh;
    expect(batteryPower(battery, reserveWh, 2000, false, HOURS)).toBe(0);
    expect(batteryPower(battery, reserveWh, 2000, true, HOURS)).toBe(2000);
  });

  test('does nothing for a need that is next to nothing', () => {
    expect(batteryPower(battery, 7000, 40, false, HOURS)).toBe(0);
    expect(batteryPower(battery, 7000, 40, true, HOURS)).toBe(40);
  });
});
