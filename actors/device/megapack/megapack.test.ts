import { describe, expect, it } from 'vitest';
import { connected, START } from '../testing/megapack.ts';
import { megapackFields } from './fields.ts';

const HOUR = 3_600_000;

describe('values of a Megapack', () => {
  it.each([
    { soc: 1.01 },
    { soc: -0.01 },
    { soh: 1.2 },
    { energyOutWh: -1 },
    { energyInWh: -5 },
    { powerW: 2e8 },
    { setpointW: -2e8 },
    { availableChargeW: -1 },
    { availableDischargeW: 1e9 },
    { stringsConnected: -1 },
    { cellVoltageMaxV: 42 },
    { moduleTempMaxC: -256 },
    { moduleTempMaxC: 900 },
  ])('%j is invalid', (fields) => {
    const name = Object.keys(fields)[0];
    const p = connected().say({ ...fields, heartbeat: 1, state: 'CONNECTED' });
    const i = megapackFields.findIndex((f) => f.name === name);
    expect((p.cursor.invalidFields >>> i) & 1).toBe(1);
    const value = p.cursor.getAt(p.kind.state.index(name));
    expect(value).not.toBe(Object.values(fields)[0]);
  });

  it('energy comes from counters, else from power', () => {
    const counted = connected().say({ energyOutWh: 1e9, energyInWh: 2e9 }, { energyOutWh: 1e9 + 5000 });
    expect(counted.view.energy).toEqual({ inWh: 0, outWh: 5000 });
    expect(connected().power(-6e5, 0).view.energy).toEqual({ inWh: 10_000, outWh: 0 });
  });

  it('its state of health is told by month', () => {
    const p = connected();
    for (let h = 1; h <= 30; h++) p.feed(START + h * HOUR, { powerW: 9e5, soh: h < 10 ? 0.98 : 0.97 });
    expect(p.data('capacity_estimate')).toMatchObject([{ samples: 30, capacityWh: null }]);
    expect(p.data('capacity_estimate')[0].soh).toBeCloseTo(0.97, 3);
  });

  it('its efficiency is told once it went through a cycle, counted by its charge', () => {
    const p = connected();
    const midnight = START + 12 * HOUR;
    const cycle = [0, ...Array(5).fill(-1e6), ...Array(5).fill(9e5), 0];
    for (const [h, powerW] of [...cycle, ...cycle].entries()) {
      const soc = 0.1 + 0.16 * Math.min(Math.max((h % 12) - 1, 0), Math.max(11 - (h % 12), 0), 5);
      for (let m = 0; m < 60; m++) p.feed(midnight + h * HOUR + m * 60_000, { powerW, soc });
    }
    p.feed(midnight + 24 * HOUR, { powerW: 0, soc: 0.1 });
    expect(p.data('round_trip_efficiency')).toMatchObject([{ chargeWh: 1e7, dischargeWh: 9e6, rawRatio: 0.9 }]);
  });
});
