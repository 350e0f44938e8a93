import { describe, expect, it } from 'vitest';
import { Fed } from './testing/harness.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2022, 6, 8);
const DAY = 24 * HOUR;

interface Midnight {
  readonly inWh: number;
  readonly outWh: number;
  readonly more?: Record<string, unknown>;
}

/** Readings on the hour; counters move evenly from one midnight to the next. */
function days(midnights: readonly Midnight[]): Fed {
  const p = new Fed('powerwall', { cadenceMs: HOUR });
  // The first day is not a whole one: it begins at noon.
  p.feed(START - DAY / 2, { energyInWh: 0, energyOutWh: 0, ...midnights[0].more });
  midnights.forEach(({ inWh, outWh, more }, d) => {
    const before = midnights[d - 1] ?? { inWh: 0, outWh: 0 };
    for (let h = d === 0 ? 13 : 1; h <= 24; h++) {
      const share = (a: number, b: number) => Math.round(a + ((b - a) * h) / 24);
      p.feed(START + (d - 1) * DAY + h * HOUR, {
        energyInWh: share(before.inWh, inWh),
        energyOutWh: share(before.outWh, outWh),
        ...(h === 24 ? more : {}),
      });
    }
  });
  return p;
}

const full = (soc: number) => ({ soc, energyFullWh: 10_000 });
const windows = (fed: Fed) => fed.data('round_trip_efficiency');

describe('round trip efficiency', () => {
  it('is over whole days with at least one full cycle, from midnight to midnight', () => {
    const p = days([
      { inWh: 100, outWh: 100, more: full(0.5) },
      { inWh: 8100, outWh: 7100, more: full(0.5) },
      { inWh: 13_100, outWh: 11_100, more: full(0.5) },
      { inWh: 18_100, outWh: 15_100, more: full(0.5) },
    ]);
    expect(windows(p)).toEqual([
      {
        fromTime: START,
        toTime: START + 2 * DAY,
        chargeWh: 13_000,
        dischargeWh: 11_000,
        storedWh: 0,
        efficiency: 0.8462,
        rawRatio: 0.8462,
        cyclesEquivalent: 1.2,
        coverage: 1,
      },
    ]);
  });

  it('heeds what is in the battery at the end and was not at the start, and the other way round', () => {
    const fuller = days([
      { inWh: 0, outWh: 0, more: full(0.2) },
      { inWh: 15_000, outWh: 9000, more: full(0.6) },
    ]);
    expect(windows(fuller)).toMatchObject([{ storedWh: 4000, efficiency: 0.8667, rawRatio: 0.6 }]);
    const emptier = days([
      { inWh: 0, outWh: 0, more: full(0.6) },
      { inWh: 10_000, outWh: 12_000, more: full(0.2) },
    ]);
    expect(windows(emptier)).toMatchObject([{ storedWh: -4000, efficiency: 0.8571, rawRatio: 1.2 }]);
  });

  it('goes by the energy left where that is told', () => {
    const p = days([
      { inWh: 0, outWh: 0, more: { energyFullWh: 10_000, energyRemainingWh: 2000, soc: 0.2 } },
      { inWh: 12_000, outWh: 9000, more: { energyFullWh: 10_000, energyRemainingWh: 3500, soc: 0.9 } },
    ]);
    expect(windows(p)).toMatchObject([{ storedWh: 1500, efficiency: 0.875 }]);
  });

  it('counts cycles by the state of charge where the full energy is not told', () => {
    const p = new Fed('powerwall', { cadenceMs: HOUR });
    const socs = [0.5, 0.9, 0.1, 0.9, 0.6];
    p.feed(START - HOUR, { soc: 0.5, energyInWh: 0, energyOutWh: 0 });
    socs.forEach((soc, i) => {
      p.feed(START + (i * DAY) / 4, { soc, energyInWh: 3000 * i, energyOutWh: 2500 * i });
    });
    // Moved 0.4 + 0.8 + 0.8 + 0.3 = 2.3, with 22 kWh: a unit of charge is 9565 Wh.
    expect(windows(p)).toMatchObject([{ cyclesEquivalent: 1.15, storedWh: 956.522, efficiency: 0.913 }]);
  });

  it('is not known without any charge level, though the ratio is', () => {
    const p = days([
      { inWh: 0, outWh: 0, more: { energyFullWh: 10_000 } },
      { inWh: 12_000, outWh: 10_000, more: { energyFullWh: 10_000 } },
    ]);
    expect(windows(p)).toMatchObject([{ storedWh: null, efficiency: null, rawRatio: 0.8333 }]);
  });

  it('is never stated over less than a cycle, nor without a measure of one', () => {
    const little = days([
      { inWh: 0, outWh: 0, more: full(0.5) },
      { inWh: 5000, outWh: 4000, more: full(0.5) },
    ]);
    expect(windows(little)).toEqual([]);
    const unknown = days([
      { inWh: 0, outWh: 0 },
      { inWh: 50_000, outWh: 40_000 },
    ]);
    expect(windows(unknown)).toEqual([]);
  });
});
