import { describe, expect, it } from 'vitest';
import { connected, MINUTE, START, Unit } from '../testing/megapack.ts';

/** Causes that have held for more than a minute, after what a connected unit told. */
const causes = (told: Record<string, unknown>) => connected().say(told, {}, {}).view.derates;

describe('derates of a Megapack', () => {
  it('strings that are out scale the power and leave the operation alone', () => {
    const out = { stringsConnected: 8, stringsTotal: 10, availableChargeW: 8e5, availableDischargeW: 8e5 };
    const p = connected().power(5e5, 5e5).say(out, {}, {});
    expect(p.now).toBe('discharging');
    expect([p.view.derates, p.view.status, p.state('health')]).toEqual([['STRINGS_OUT'], 'DERATED', 'ok']);
    p.say({ stringsConnected: 10, availableChargeW: 1e6, availableDischargeW: 1e6 });
    expect(p.data('derate_interval')).toMatchObject([
      { cause: 'STRINGS_OUT', fromTime: START + 3 * MINUTE, toTime: START + 6 * MINUTE },
    ]);
  });

  it('strings that a fault or a start leaves open are none that are out', () => {
    const p = connected().say({ state: 'FAULT', stringsConnected: 0, stringsTotal: 10 }, {}, {});
    expect(p.view.derates).toEqual([]);
    p.say({ state: 'INITIALIZING', stringsConnected: 4 }, {}, {}, { state: 'STANDBY', stringsConnected: 9 }, {}, {});
    expect(p.data('derate_interval')).toMatchObject([{ cause: 'STRINGS_OUT', fromTime: START + 7 * MINUTE }]);
  });

  it('tell what fell short of the setpoint', () => {
    const out = { stringsConnected: 5, stringsTotal: 10, availableChargeW: 5e5, availableDischargeW: 5e5 };
    const p = connected().say({ setpointW: 8e5, powerW: 8e5 }, {}, { ...out, powerW: 5e5 }, {}, {});
    p.say({ stringsConnected: 10, powerW: 8e5 });
    expect(p.data('derate_interval')).toMatchObject([{ cause: 'STRINGS_OUT', lostWh: 15_000 }]);
  });

  it('power below what the strings could move has a cause of its own', () => {
    const strings = { stringsConnected: 8, stringsTotal: 10 };
    expect(causes({ ...strings, availableChargeW: 7e5, availableDischargeW: 7e5 })).toEqual(['DERATED', 'STRINGS_OUT']);
    expect(causes({ availableChargeW: 9.6e5, availableDischargeW: 9.6e5 })).toEqual([]);
    expect(causes({ availableChargeW: 9e5, availableDischargeW: 9e5 })).toEqual(['DERATED']);
    expect(causes({ availableChargeW: 3e5 })).toEqual([]);
  });

  it('heat', () => {
    expect(causes({ moduleTempMaxC: 51 })).toEqual(['THERMAL']);
    expect(causes({ moduleTempMaxC: 49 })).toEqual([]);
    expect(connected().say({ moduleTempMaxC: 51 }, { moduleTempMaxC: 46 }, {}).view.derates).toEqual(['THERMAL']);
  });

  it('cells that are apart, only where they cost power', () => {
    const apart = { cellVoltageMinV: 3.1, cellVoltageMaxV: 3.35 };
    expect(causes(apart)).toEqual([]);
    expect(causes({ ...apart, availableChargeW: 7e5, availableDischargeW: 7e5 })).toEqual(['THERMAL']);
  });

  it.each([
    ['the power of one direction', { availableChargeW: 0 }],
    ['the charge state', { chargeState: 'EMPTY' }],
    ['the state', { state: 'SOC_PROTECTION' }],
    ['the charge', { soc: 1 }],
  ])('the limit of the charge, by %s; it is no weakness', (_, told) => {
    const p = connected().say(told, {}, {});
    expect(p.view.derates).toEqual(['SOC_LIMIT']);
    expect(p.view.status).not.toBe('DERATED');
  });

  it('alerts', () => {
    expect(causes({ alerts: [{ name: 'RampRateLimited' }] })).toEqual(['RAMP']);
    expect(causes({ alerts: [{ name: 'RealPowerConfigLimited' }] })).toEqual(['POWER_CONFIG']);
    expect(causes({ alerts: [{ name: 'RealPowerAvailableLimited' }] })).toEqual(['DERATED']);
  });

  it('a unit that is not connected is not derated', () => {
    const p = connected().say({ state: 'STANDBY', availableChargeW: 0, availableDischargeW: 0 }, {}, {});
    expect(p.view.derates).toEqual([]);
    expect(new Unit().say({ soc: 0.5 }, {}, {}).view.derates).toEqual([]);
  });
});

describe('excursions of a Megapack', () => {
  it('heat is one from 50 degrees for a minute, until it falls below 45', () => {
    const p = connected().say(
      ...[49, 50, 55, 46, 51].map((moduleTempMaxC) => ({ moduleTempMaxC })),
      { moduleTempMaxC: null, powerW: 0 },
      { powerW: 0 },
    );
    expect(p.data('thermal_excursion')).toEqual([{ fromTime: START + 2 * MINUTE, toTime: null, maxC: null }]);
    p.say({ moduleTempMaxC: 44.9 });
    expect(p.data('thermal_excursion')).toEqual([
      { fromTime: START + 2 * MINUTE, toTime: START + 8 * MINUTE, maxC: 55 },
    ]);
    expect(p.list('thermal_excursion')[0].key).toBe('T-1/2022-07-08T12:02:00.000Z');
  });

  it('cells are out of balance from 0.15 V for a minute, until they are closer than 0.1 V', () => {
    const p = connected().say(
      { cellVoltageMinV: 3.3, cellVoltageMaxV: 3.44 },
      { cellVoltageMaxV: 3.45 },
      { cellVoltageMinV: 3.25 },
      { cellVoltageMinV: 3.35 },
    );
    expect(p.data('cell_imbalance')).toEqual([{ fromTime: START + 2 * MINUTE, toTime: null, maxSpreadV: null }]);
    p.say({ cellVoltageMinV: 3.36 });
    expect(p.data('cell_imbalance')).toEqual([
      { fromTime: START + 2 * MINUTE, toTime: START + 5 * MINUTE, maxSpreadV: 0.2 },
    ]);
  });

  it('a flicker is none', () => {
    const p = connected().say({ moduleTempMaxC: 60 }, { moduleTempMaxC: 30 }, { moduleTempMaxC: 60 });
    expect(p.data('thermal_excursion')).toEqual([]);
  });
});
