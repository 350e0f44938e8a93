import { describe, expect, it } from 'vitest';
import { connected, MINUTE, START } from '../testing/megapack.ts';

/** Follows a setpoint of 800 kW since a while. Its newest reading is that of minute 3. */
const dispatched = () => connected().say({ setpointW: 8e5, powerW: 8e5 }).power(8e5, 8e5);

const deviations = (p: ReturnType<typeof dispatched>) => p.data('dispatch_deviation');

describe('power against setpoint', () => {
  it('is stated when it is off by more than 2 % for a minute, with what it cost', () => {
    const p = dispatched().power(2e5);
    expect(deviations(p)).toEqual([]);
    expect(deviations(p.power(2e5))).toEqual([
      {
        fromTime: START + 4 * MINUTE,
        toTime: null,
        setpointW: 8e5,
        meanErrorW: null,
        maxErrorW: null,
        undeliveredWh: null,
      },
    ]);
    expect(deviations(p.power(5e5).power(8e5).power(8e5))).toEqual([
      {
        fromTime: START + 4 * MINUTE,
        toTime: START + 7 * MINUTE,
        setpointW: 8e5,
        meanErrorW: 5e5,
        maxErrorW: 6e5,
        undeliveredWh: 25_000,
      },
    ]);
    expect(p.list('dispatch_deviation')[0].key).toBe('T-1/2022-07-08T12:04:00.000Z');
  });

  it('is none within 2 % of the rating, nor for less than a minute', () => {
    expect(deviations(dispatched().power(7.8e5, 8.2e5, 7.8e5))).toEqual([]);
    expect(deviations(dispatched().power(7.79e5, 7.79e5))).toHaveLength(1);
    expect(deviations(dispatched().power(0, 8e5, 0, 8e5))).toEqual([]);
  });

  it('charges the missing charge too, and nothing for what is too much', () => {
    const charges = connected().say({ setpointW: -8e5, powerW: -8e5 }).power(-8e5, -2e5, -2e5, -8e5);
    expect(deviations(charges)).toMatchObject([{ setpointW: -8e5, meanErrorW: 6e5, undeliveredWh: 20_000 }]);
    expect(deviations(dispatched().power(1e6, 1e6, 8e5))).toMatchObject([{ meanErrorW: 2e5, undeliveredWh: 0 }]);
    const idle = connected().say({ setpointW: 0 }).power(5e4, 5e4, 0);
    expect(deviations(idle)).toMatchObject([{ setpointW: 0, meanErrorW: 5e4, undeliveredWh: 0 }]);
  });

  it('gives time to ramp: a minute for the whole rating', () => {
    const p = connected().power(0);
    for (let s = 0; s <= 60; s += 10) {
      p.feed(START + 2 * MINUTE + s * 1000, { setpointW: 1e6, powerW: (1e6 * s) / 60 });
    }
    p.feed(START + 5 * MINUTE, { powerW: 1e6 });
    expect(deviations(p)).toEqual([]);
    const slow = connected().power(0);
    for (let s = 0; s <= 180; s += 10) {
      slow.feed(START + 2 * MINUTE + s * 1000, { setpointW: 1e6, powerW: (1e6 * s) / 180 });
    }
    expect(deviations(slow)).toMatchObject([{ fromTime: START + 2 * MINUTE + 10_000, toTime: START + 5 * MINUTE }]);
  });

  it('small steps of the setpoint do not excuse a large distance', () => {
    const p = dispatched();
    for (let i = 0; i < 5; i++) p.say({ setpointW: 8e5 + i * 1000, powerW: 0 });
    expect(deviations(p)).toMatchObject([{ setpointW: 8e5, toTime: null }]);
  });

  it.each(['FCR', 'Local', 'SoCControl', 'GridForming', 'Manual'])(
    'means nothing while %s decides the power',
    (controlMode) => {
      expect(deviations(dispatched().say({ controlMode }).power(0, 0, 0))).toEqual([]);
    },
  );

  it.each(['RealPowerDispatch', 'AutoBidder'])('means something while %s decides it', (controlMode) => {
    expect(deviations(dispatched().say({ controlMode }).power(0, 0, 0))).toHaveLength(1);
  });

  it('ends where a silence begins, and where a value is reported invalid', () => {
    const silent = dispatched().power(0, 0).skip(60).power(0);
    expect(deviations(silent)).toMatchObject([{ fromTime: START + 4 * MINUTE, toTime: START + 5 * MINUTE }]);
    const invalid = dispatched().power(0, 0).say({ powerW: null, soc: 0.5 }, { powerW: 0 });
    expect(deviations(invalid)).toMatchObject([{ toTime: START + 6 * MINUTE }]);
    const voided = dispatched().power(0, 0).say({ powerW: null, soc: null }, { powerW: 8e5 });
    expect(deviations(voided)).toMatchObject([{ toTime: START + 6 * MINUTE }]);
  });

  it('needs both values', () => {
    expect(deviations(connected().power(5e5, 5e5, 5e5))).toEqual([]);
  });
});
