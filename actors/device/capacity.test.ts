import { describe, expect, it } from 'vitest';
import { dayStart, monthStart } from './calendar.ts';
import { Fed } from './testing/harness.ts';

const HOUR = 3_600_000;
const zone = { timeZone: 'America/Los_Angeles', cadenceMs: HOUR };
const JANUARY_2022 = 52 * 12;
const startOf = (month: number) => dayStart(zone.timeZone, monthStart(JANUARY_2022 + month));

/** A battery that rests at midnight and noon of every day and tells then what it holds. */
function months(fed: Fed, capacities: readonly number[], fields: Record<string, unknown> = {}): Fed {
  capacities.forEach((energyFullWh, m) => {
    for (let t = startOf(m) + HOUR; t < startOf(m + 1); t += 12 * HOUR) {
      fed.feed(t, { powerW: 0, energyFullWh, ...fields });
    }
  });
  return fed;
}

const estimates = (fed: Fed) => fed.data('capacity_estimate');

describe('what a battery holds', () => {
  it('is a median per local month, which goes up as well as down', () => {
    const p = months(new Fed('powerwall', zone), [13_500, 13_300, 13_400]);
    const rows = estimates(p);
    expect(rows.map((d) => d.startTime)).toEqual([startOf(0), startOf(1), startOf(2)]);
    expect(rows.map((d) => d.samples)).toEqual([62, 56, 62]);
    [13_500, 13_300, 13_400].forEach((wh, i) => {
      expect(Math.abs(Number(rows[i].capacityWh) / wh - 1)).toBeLessThan(0.0005);
    });
    expect(p.list('capacity_estimate')[0].key).toBe('T-1/2022-01');
  });

  it('is taken at rest, once an hour, from a reading that tells it', () => {
    const p = new Fed('powerwall', zone);
    const t = startOf(0);
    p.feed(t, { powerW: 0, energyFullWh: 13_500 }).feed(t + 60_000, { powerW: 0, energyFullWh: 13_400 });
    p.feed(t + HOUR, { powerW: 3000, energyFullWh: 12_000 }).feed(t + 2 * HOUR, { powerW: 0, energyFullWh: 0 });
    p.feed(t + 2.5 * HOUR, { powerW: null, energyFullWh: 13_000 });
    p.feed(t + 3 * HOUR, { powerW: 20 }).feed(t + 4 * HOUR, { powerW: 20, energyFullWh: null });
    expect(estimates(p)).toMatchObject([{ samples: 1, soh: 1 }]);
    expect(Number(estimates(p)[0].capacityWh)).toBeCloseTo(13_500, -1);
  });

  it('is not moved by single wild estimates', () => {
    const p = months(new Fed('powerwall', zone), [13_500]);
    for (let day = 0; day < 5; day++) p.feed(startOf(1) + day * HOUR, { powerW: 0, energyFullWh: 9000 });
    for (let day = 5; day < 20; day++) p.feed(startOf(1) + day * HOUR, { powerW: 0, energyFullWh: 13_480 });
    expect(Number(estimates(p)[1].capacityWh)).toBeCloseTo(13_480, -2);
  });

  it('is healthy against the best three months, and fades by the trend of two years', () => {
    const fading = Array.from({ length: 30 }, (_, m) => 13_500 * (1 - (0.03 * m) / 12) + (m % 2 === 0 ? 10 : -10));
    fading[4] = 15_000;
    const rows = estimates(months(new Fed('powerwall', zone), fading));
    expect(rows[5].fadePerYear).toBeNull();
    expect(Number(rows[29].fadePerYear)).toBeCloseTo(0.03, 2);
    expect(Number(rows[29].soh)).toBeCloseTo(1 - (0.03 * 28) / 12, 2);
    expect(Number(rows[4].soh)).toBeGreaterThan(1.09);
  });

  it('comes with the cycles since the first reading', () => {
    const p = new Fed('powerwall', { timeZone: 'UTC' });
    const t = Date.UTC(2022, 0, 1);
    p.feed(t, { powerW: 0, energyFullWh: 13_500, energyInWh: 0, energyOutWh: 0 });
    p.feed(t + 24 * HOUR, { powerW: 0, energyFullWh: 13_500, energyInWh: 30_000, energyOutWh: 24_000 });
    expect(estimates(p)).toMatchObject([{ cyclesEquivalent: 2 }]);
  });
});
