import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fed } from './testing/harness.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const zone = { timeZone: 'America/Los_Angeles', cadenceMs: 30 * MINUTE };
const hours = (s: unknown) => Number(s) / 3600;
const rows = (fed: Fed) =>
  fed
    .data('availability_interval')
    .map((d) => [d.day, hours(d.availableS), hours(d.downS), hours(d.unknownS), hours(d.nightS)]);

/** Feeds the same fields every half an hour, from `from` until just before `to`. */
function hold(fed: Fed, from: string, to: string, fields: Record<string, unknown>): Fed {
  for (let t = Date.parse(from); t < Date.parse(to); t += 30 * MINUTE) fed.feed(t, fields);
  return fed;
}

const danfoss = (stateCode: number, powerW: number, errorCode = 0) => ({
  stateScheme: 'danfoss',
  stateCode,
  powerW,
  errorCode,
});

describe('availability of a day', () => {
  it('is of the local day, 23 and 25 hours long when clocks change', () => {
    const p = new Fed('powerwall', zone);
    hold(p, '2022-03-12T00:00-08:00', '2022-03-14T00:30-07:00', { powerW: 0 });
    hold(p, '2022-03-14T00:30-07:00', '2022-03-14T06:30-07:00', { powerW: 500 });
    expect(rows(p)).toEqual([
      ['2022-03-12', 24, 0, 0, 0],
      ['2022-03-13', 23, 0, 0, 0],
      ['2022-03-14', 6, 0, 0, 0],
    ]);
    expect(p.list('availability_interval')[1]).toMatchObject({
      key: 'T-1/2022-03-13',
      at: Date.parse('2022-03-13T00:00-08:00'),
    });
  });

  it('is down while a fault is open, and begins with the first reading', () => {
    const p = new Fed('powerwall', zone);
    const alerts = [{ name: 'BatteryFault', severity: 'critical', startedAt: '2022-07-08T12:00-07:00' }];
    hold(p, '2022-07-08T06:00-07:00', '2022-07-08T12:00-07:00', { powerW: 0 });
    hold(p, '2022-07-08T12:00-07:00', '2022-07-08T15:00-07:00', { powerW: 0, alerts });
    hold(p, '2022-07-08T15:00-07:00', '2022-07-09T00:30-07:00', { powerW: 0, alerts: [] });
    expect(rows(p)).toEqual([['2022-07-08', 15, 3, 0, 0]]);
  });

  it('is unknown, and not down, in silence, in void readings and under a frozen heartbeat', () => {
    const p = new Fed('powerwall', zone);
    const zeros = { powerW: 0, siteW: 0, loadW: 0, soc: 0 };
    hold(p, '2022-07-08T00:00-07:00', '2022-07-08T05:00-07:00', { powerW: 500 });
    hold(p, '2022-07-08T10:00-07:00', '2022-07-08T12:00-07:00', { powerW: 500 });
    hold(p, '2022-07-08T12:00-07:00', '2022-07-08T13:00-07:00', zeros);
    hold(p, '2022-07-08T13:00-07:00', '2022-07-09T00:30-07:00', { powerW: 500 });
    expect(rows(p)).toEqual([['2022-07-08', 17.5, 0, 6.5, 0]]);
    const frozen = new Fed('powerwall', zone);
    hold(frozen, '2022-07-08T00:00-07:00', '2022-07-09T00:30-07:00', { powerW: 500, heartbeat: 7 });
    expect(rows(frozen)).toEqual([['2022-07-08', 2, 0, 22, 0]]);
  });

  it('is night while a sound inverter is off, and down through the night while a faulted one is', () => {
    const sound = new Fed('inverter', zone);
    hold(sound, '2022-07-08T00:00-07:00', '2022-07-08T06:00-07:00', danfoss(0, 0));
    hold(sound, '2022-07-08T06:00-07:00', '2022-07-08T20:00-07:00', danfoss(60, 900));
    hold(sound, '2022-07-08T20:00-07:00', '2022-07-09T00:30-07:00', danfoss(0, 0));
    expect(rows(sound)).toEqual([['2022-07-08', 14, 0, 0, 10]]);
    const faulted = new Fed('inverter', zone);
    hold(faulted, '2022-07-08T00:00-07:00', '2022-07-08T10:00-07:00', danfoss(60, 900));
    hold(faulted, '2022-07-08T10:00-07:00', '2022-07-08T20:00-07:00', danfoss(70, 0, 1364));
    hold(faulted, '2022-07-08T20:00-07:00', '2022-07-09T00:30-07:00', danfoss(0, 0));
    expect(rows(faulted)).toEqual([['2022-07-08', 10, 14, 0, 0]]);
  });

  it('gives each day of a silence its row, up to a year', () => {
    const p = new Fed('powerwall', zone).feed('2022-07-08T12:00:00-07:00', { powerW: 0 });
    p.feed('2022-07-10T06:00:00-07:00', { powerW: 0 });
    expect(rows(p)).toEqual([
      ['2022-07-08', 0, 0, 12, 0],
      ['2022-07-09', 0, 0, 24, 0],
      ['2022-07-10', 0, 0, 6, 0],
    ]);
    p.feed('2042-07-10T06:00:00-07:00', { powerW: 0 });
    expect(rows(p).at(-1)).toEqual(['2042-07-10', 0, 0, 6, 0]);
    expect(rows(p).length).toBeLessThan(400);
  });

  it('adds up to the time between its ends, and the days touch', () => {
    const told = fc.record({
      after: fc.integer({ min: 1, max: 30 * HOUR }),
      code: fc.constantFrom(0, 50, 60, 70),
      power: fc.constantFrom(0, 900),
    });
    fc.assert(
      fc.property(fc.array(told, { minLength: 2, maxLength: 40 }), (list) => {
        const p = new Fed('inverter', zone);
        let t = Date.parse('2022-03-10T12:00-08:00');
        for (const { after, code, power } of list) p.feed((t += after), danfoss(code, power));
        const days = p.data('availability_interval');
        days.forEach((d, i) => {
          const parts = [d.availableS, d.downS, d.unknownS, d.nightS].map(Number);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
          expect(parts.reduce((a, b) => a + b)).toBeCloseTo((Number(d.toTime) - Number(d.fromTime)) / 1000, 6);
          if (i > 0) expect(d.fromTime).toBe(days[i - 1].toTime);
        });
        expect(days.at(-1)?.toTime).toBe(t);
      }),
      { numRuns: 60 },
    );
  });
});
