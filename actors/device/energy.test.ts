import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fed } from './testing/harness.ts';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const NOON = Date.UTC(2022, 6, 8, 12);

const rows = (fed: Fed) =>
  fed
    .list('energy_interval')
    .map(({ at, data }) => [(at - NOON) / QUARTER, data.inWh, data.outWh, data.coverage, data.method]);

const battery = (config = {}) => new Fed('powerwall', config);

describe('energy by power', () => {
  it('holds a power until the next one', () => {
    const p = battery()
      .feed(NOON, { powerW: 1200 })
      .feed(NOON + 10 * MINUTE, { powerW: -600 });
    p.feed(NOON + 20 * MINUTE, { powerW: 0 });
    expect(rows(p)).toEqual([
      [0, 50, 200, 1, 'power'],
      [1, 50, 0, 5 / 15, 'power'],
    ]);
  });

  it('holds it for 15 minutes at most, or for two cadences', () => {
    const short = battery()
      .feed(NOON, { powerW: 1000 })
      .feed(NOON + 60 * MINUTE, { powerW: 0 });
    expect(rows(short)).toEqual([[0, 0, 250, 1, 'power']]);
    const long = battery({ cadenceMs: 20 * MINUTE })
      .feed(NOON, { powerW: 1000 })
      .feed(NOON + 60 * MINUTE, { powerW: 0 });
    expect(long.view.energy.outWh).toBeCloseTo((1000 * 40) / 60, 5);
  });

  it('goes on through readings that do not tell power, from the reading that did', () => {
    const p = battery()
      .feed(NOON, { powerW: 1000 })
      .feed(NOON + 5 * MINUTE, { soc: 0.5 });
    p.feed(NOON + 30 * MINUTE, { powerW: 0 });
    expect(p.view.energy.outWh).toBeCloseTo(250, 6);
  });

  it('ends at a power that is marked invalid', () => {
    const p = battery()
      .feed(NOON, { powerW: 1000 })
      .feed(NOON + 3 * MINUTE, { powerW: null, soc: 0.5 });
    p.feed(NOON + 10 * MINUTE, { powerW: 500 }).feed(NOON + 16 * MINUTE, { powerW: 0 });
    expect(rows(p)[0]).toEqual([0, 0, 91.666667, 8 / 15, 'power']);
  });

  it('makes no row where nothing was covered', () => {
    const p = battery()
      .feed(NOON, { powerW: 0 })
      .feed(NOON + 20 * QUARTER, { powerW: 0 });
    expect(rows(p).map((r) => r[0])).toEqual([0]);
  });
});

describe('energy by counters', () => {
  it('goes before power, per direction; the first reading is the base line', () => {
    const p = battery().feed(NOON, { powerW: 9000, energyOutWh: 100 });
    p.feed(NOON + 5 * MINUTE, { powerW: -1200, energyOutWh: 130 }).feed(NOON + 10 * MINUTE, {
      powerW: 0,
      energyOutWh: 130,
    });
    expect(rows(p)).toEqual([[0, 100, 30, 10 / 15, 'counter']]);
  });

  it('spreads an increase evenly over the time since the reading before', () => {
    const p = battery()
      .feed(NOON + 10 * MINUTE, { energyOutWh: 0 })
      .feed(NOON + 40 * MINUTE, { energyOutWh: 300 });
    expect(rows(p).map((r) => r[2])).toEqual([50, 150, 100]);
    expect(rows(p).map((r) => r[3])).toEqual([5 / 15, 10 / 15, 0]);
  });

  it('spreads it back over rows that passed while only power was told', () => {
    const p = battery().feed(NOON, { powerW: 400, energyOutWh: 0 });
    for (let m = 5; m < 45; m += 5) p.feed(NOON + m * MINUTE, { powerW: 400 });
    expect(rows(p).map((r) => r[2])).toEqual([0, 0, 0]);
    p.feed(NOON + 45 * MINUTE, { powerW: 400, energyOutWh: 300 });
    expect(rows(p).map((r) => [r[2], r[3]])).toEqual([
      [100, 1],
      [100, 1],
      [100, 1],
    ]);
  });

  it('puts the increase of more than a week into the last interval', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 0 })
      .feed(NOON + 8 * 96 * QUARTER + MINUTE, { energyOutWh: 5000 });
    expect(rows(p).filter((r) => r[2] !== 0)).toEqual([[768, 0, 5000, 0, 'counter']]);
  });

  it('counts an increase over an invalid report from the last valid one', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 0 })
      .feed(NOON + QUARTER, { energyOutWh: null, soc: 0.5 });
    p.feed(NOON + 2 * QUARTER, { energyOutWh: 200 });
    expect(rows(p).map((r) => r[2])).toEqual([100, 100]);
  });

  it('counts what stands after a reset', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 5000 })
      .feed(NOON + MINUTE, { energyOutWh: 40 });
    expect(p.view.energy.outWh).toBe(40);
    expect(p.data('counter_reset')).toEqual([{ field: 'energyOutWh', before: 5000, after: 40, class: 'reset' }]);
    expect(p.list('counter_reset')[0].key).toBe('T-1/energyOutWh/2022-07-08T12:01:00.000Z');
  });

  it('knows a counter of 32 bits that rolled over', () => {
    const p = battery()
      .feed(NOON, { energyInWh: 2 ** 32 - 10 })
      .feed(NOON + MINUTE, { energyInWh: 15 });
    expect(p.view.energy.inWh).toBe(25);
    expect(p.data('counter_reset')).toMatchObject([{ class: 'rollover' }]);
  });

  it('sets impossible values aside, and negative ones', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 1000 })
      .feed(NOON + MINUTE, { energyOutWh: 9e9 });
    p.feed(NOON + 2 * MINUTE, { energyOutWh: -5 }).feed(NOON + 3 * MINUTE, { energyOutWh: 1030 });
    expect(p.view.energy.outWh).toBe(30);
    expect(p.data('counter_reset')).toEqual([]);
  });

  it('does not count a life anew after one wrong zero', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 7e6 })
      .feed(NOON + MINUTE, { energyOutWh: 0 });
    p.feed(NOON + 2 * MINUTE, { energyOutWh: 7e6 + 10 }).feed(NOON + 3 * MINUTE, { energyOutWh: 7e6 + 25 });
    expect(p.view.energy.outWh).toBe(15);
  });

  it('believes a jump that lasts, without its energy', () => {
    const p = battery()
      .feed(NOON, { energyOutWh: 1000 })
      .feed(NOON + MINUTE, { energyOutWh: 7e6 });
    p.feed(NOON + 2 * MINUTE, { energyOutWh: 7e6 + 20 }).feed(NOON + 3 * MINUTE, { energyOutWh: 7e6 + 50 });
    expect(p.view.energy.outWh).toBe(50);
    expect(p.data('counter_reset')).toMatchObject([{ before: 1000, after: 7e6, class: 'reset' }]);
  });
});

describe('a counter that restarts daily', () => {
  const rome = { timeZone: 'Europe/Rome' };
  const day = (readings: readonly (readonly [string, number])[]) => {
    const p = new Fed('inverter', rome);
    for (const [time, energyDayWh] of readings) p.feed(time, { energyDayWh });
    return p;
  };
  const wh = (...readings: [string, number][]) => day(readings).view.energy.outWh;

  it('counts its first reading in full', () => {
    expect(wh(['2019-09-01T17:40:00+02:00', 55], ['2019-09-01T17:50:00+02:00', 80])).toBe(80);
  });

  it('restarts when it falls', () => {
    const p = day([
      ['2019-09-01T20:00:00+02:00', 900],
      ['2019-09-02T06:00:00+02:00', 0],
      ['2019-09-02T06:10:00+02:00', 7],
    ]);
    expect(p.view.energy.outWh).toBe(907);
    expect(p.data('counter_reset')).toEqual([{ field: 'energyDayWh', before: 900, after: 0, class: 'daily' }]);
  });

  it('has not restarted while it stands still over midnight', () => {
    expect(
      wh(['2019-09-01T23:50:00+02:00', 900], ['2019-09-02T00:10:00+02:00', 900], ['2019-09-02T06:00:00+02:00', 4]),
    ).toBe(904);
  });

  it('restarted in the gap when it is higher on another day', () => {
    expect(wh(['2019-09-01T20:00:00+02:00', 900], ['2019-09-02T20:00:00+02:00', 1100])).toBe(2000);
    expect(
      wh(['2019-09-01T20:00:00+02:00', 900], ['2019-09-02T00:10:00+02:00', 900], ['2019-09-02T20:00:00+02:00', 1100]),
    ).toBe(2000);
  });

  it('grows on when it is higher on the same day, however long the gap', () => {
    expect(wh(['2019-09-01T08:00:00+02:00', 100], ['2019-09-01T20:00:00+02:00', 1100])).toBe(1100);
  });

  it('grows on over midnight between neighbours', () => {
    expect(
      wh(['2019-09-01T23:55:00+02:00', 900], ['2019-09-02T00:05:00+02:00', 910], ['2019-09-02T09:00:00+02:00', 950]),
    ).toBe(950);
  });

  it('was of today when it stood at zero', () => {
    expect(
      wh(['2019-09-01T20:00:00+02:00', 0], ['2019-09-03T20:00:00+02:00', 40], ['2019-09-03T23:00:00+02:00', 70]),
    ).toBe(70);
  });

  it('means the local day', () => {
    const p = new Fed('inverter', { timeZone: 'America/Los_Angeles' });
    p.feed('2022-07-08T15:00:00-07:00', { energyDayWh: 500 }).feed('2022-07-08T20:00:00-07:00', { energyDayWh: 700 });
    expect(p.view.energy.outWh).toBe(700);
  });

  it('gives way to a lifetime counter', () => {
    const p = new Fed('inverter', rome);
    p.feed(NOON, { energyDayWh: 500, energyOutWh: 10_000 }).feed(NOON + 10 * MINUTE, {
      energyDayWh: 700,
      energyOutWh: 10_100,
    });
    expect(p.view.energy.outWh).toBe(600);
  });

  it('ignores an impossible first reading', () => {
    expect(wh(['2019-09-01T20:00:00+02:00', 1e12 - 1])).toBe(0);
  });
});

describe('15-minute rows', () => {
  it('begin and end on the quarter, with a reading on the edge belonging to both sides', () => {
    const p = battery()
      .feed(NOON, { powerW: 1000 })
      .feed(NOON + QUARTER, { powerW: 2000 });
    expect(rows(p)).toEqual([[0, 0, 250, 1, 'power']]);
    expect(p.list('energy_interval')[0].key).toBe('T-1/2022-07-08T12:00:00.000Z/900');
  });

  it('cover what a plain second computation covers', () => {
    const power = fc.integer({ min: -5000, max: 5000 });
    const reading = fc.record({
      after: fc.integer({ min: 1, max: 40 * 60 }),
      power,
      told: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 1, maxLength: 40 }), (list) => {
        const p = battery();
        const plain = new Map<number, { inWh: number; outWh: number; ms: number }>();
        let t = NOON;
        const told = list.map((r) => {
          t += r.after * 1000;
          return { t, power: r.told === 0 ? null : r.power };
        });
        told.forEach(({ t: from, power: w }, i) => {
          p.feed(from, { powerW: w, soc: 0.5 });
          const next = told[i + 1];
          if (next === undefined || w === null) return;
          for (let s = from; s < Math.min(next.t, from + QUARTER); s += 1000) {
            const q = Math.floor(s / QUARTER);
            const row = plain.get(q) ?? { inWh: 0, outWh: 0, ms: 0 };
            plain.set(q, row);
            row.ms += 1000;
            if (w > 0) row.outWh += w / 3600;
            else row.inWh -= w / 3600;
          }
        });
        const got = p.list('energy_interval');
        expect(got.map((f) => f.at / QUARTER)).toEqual([...plain.keys()]);
        for (const { at, data } of got) {
          const row = plain.get(at / QUARTER);
          expect(Number(data.inWh)).toBeCloseTo(row?.inWh ?? -1, 5);
          expect(Number(data.outWh)).toBeCloseTo(row?.outWh ?? -1, 5);
          expect(data.coverage).toBeCloseTo((row?.ms ?? -1) / QUARTER, 9);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('add up to the increase of the counter, whenever it is told', () => {
    const reading = fc.record({
      after: fc.integer({ min: 1, max: 5000 }),
      wh: fc.integer({ min: 0, max: 900 }),
      told: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(reading, { minLength: 2, maxLength: 40 }), (list) => {
        const p = battery();
        let [t, counter, first, last] = [NOON, 100, Number.NaN, Number.NaN];
        for (const { after, wh, told } of list) {
          t += after * 1000;
          counter += wh;
          p.feed(t, told ? { energyOutWh: counter } : { soc: 0.5 });
          if (told && Number.isNaN(first)) first = counter;
          if (told) last = counter;
        }
        const sum = p.data('energy_interval').reduce((wh, d) => wh + Number(d.outWh), 0);
        expect(sum).toBeCloseTo(Number.isNaN(first) ? 0 : last - first, 4);
      }),
      { numRuns: 100 },
    );
  });
});
