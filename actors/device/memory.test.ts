import { describe, expect, it } from 'vitest';
import { calmRates, createFleet } from '../../sim/fleet/index.ts';
import { isTelemetry } from '../../sim/record.ts';
import { kinds } from './index.ts';
import { Fed } from './testing/harness.ts';

const START = Date.UTC(2022, 6, 8);
const DAY_MS = 86_400_000;

/** Bytes per asset of the columns that are in use. */
function columnBytes(fed: Fed): number {
  const { schema, offsets } = fed.cursor;
  return schema.names.reduce((sum, _, c) => (offsets[c] < 0 ? sum : sum + schema.widths[c]), 0);
}

function useEngineColumns({ cursor }: Fed): void {
  for (const name of cursor.schema.names) {
    const { scope } = cursor.schema.columns[name];
    if (scope === 'engine' && name !== 'quarantined') cursor.setAt(cursor.schema.index(name), 1);
  }
}

describe('memory of an asset', () => {
  it('with the reference fields is at most 230 bytes, what the engine keeps included', () => {
    const p = new Fed('powerwall', { cadenceMs: 10_000 });
    for (let i = 0; i < 500; i++) {
      p.feed(START + i * 10_000, {
        powerW: i % 100 < 50 ? 3000 : -3000,
        soc: 0.5,
        energyOutWh: 1000 + i,
        energyInWh: 2000 + i,
        siteW: 100,
        loadW: 500,
        solarW: 900,
        gridStatus: 'SystemGridConnected',
      });
    }
    useEngineColumns(p);
    expect(columnBytes(p)).toBeLessThanOrEqual(230);
  });

  it('that is a stall, telling all it can, is at most 270 bytes and a side record', () => {
    const p = new Fed('supercharger', { cadenceMs: 10_000 });
    for (let i = 0; i < 500; i++) {
      const event = i % 100 === 0 ? 'Started' : i % 100 === 99 ? 'Ended' : 'Updated';
      p.feed(START + i * 10_000, {
        status: event === 'Ended' ? 'Available' : 'Charging',
        errorCode: i % 7 === 0 ? 'NoError' : undefined,
        vehicleW: 100_000 + i,
        offeredW: 100_000,
        requestedW: 100_000 + (i % 3) * 1000,
        deliveredWh: 1000 + i * 280,
        vehicleSoc: (i % 100) / 200,
        sessionId: `session-${Math.floor(i / 100)}`,
        sessionEvent: event,
        seqNo: i % 100,
      });
    }
    useEngineColumns(p);
    expect(columnBytes(p)).toBeLessThanOrEqual(270);
  });

  it('that is a Megapack, telling all it can and off its setpoint, is at most 340 bytes', () => {
    const p = new Fed('megapack');
    for (let i = 0; i < 500; i++) {
      const isDischarging = i % 100 < 50;
      p.feed(START + i * 60_000, {
        powerW: isDischarging ? 9e5 : -9e5,
        setpointW: i % 100 < 40 ? 9e5 : -9e5,
        soc: 0.5 + (i % 100) / 1000,
        soh: 0.97,
        energyOutWh: 1000 + i,
        energyInWh: 2000 + i,
        frequencyHz: 50,
        state: 'CONNECTED',
        chargeState: isDischarging ? 'DISCHARGING' : 'CHARGING',
        controlMode: 'RealPowerDispatch',
        availableChargeW: 1e6,
        availableDischargeW: 1e6,
        stringsConnected: 20,
        stringsTotal: 20,
        cellVoltageMinV: 3.3,
        cellVoltageMaxV: 3.32,
        moduleTempMaxC: 30,
        heartbeat: i * 60,
      });
    }
    expect(p.data('dispatch_deviation')).not.toEqual([]);
    useEngineColumns(p);
    expect(columnBytes(p)).toBeLessThanOrEqual(340);
  });

  // What a day of the simulator takes, engine columns included: 375, 275, 342 and 433 when it was measured, and 16 to grow.
  // All but the inverter miss the goal of 300 bytes: fields told once an hour have a time each; see docs/bench.md.
  it.each([
    ['powerwall', 391, { assets: 8 }],
    ['inverter', 291, { assets: 8 }],
    ['supercharger', 358, { assets: 0, cabinets: 1 }],
    ['megapack', 449, { assets: 0, megapacks: 4 }],
  ] as const)('that is a %s, as its simulator tells, has columns of at most %d bytes', (kind, limit, size) => {
    const fleet = createFleet({ ...size, startTime: START, cadenceMs: 60_000, rates: calmRates });
    const told = fleet.tick(START + DAY_MS).filter((record) => isTelemetry(record) && record.value.kind === kind);
    const serial = told[0].key;
    const one = new Fed(kind);
    for (const { key, value } of told.filter(isTelemetry)) {
      if (key === serial) one.feed(Date.parse(value.deviceTime), value.fields);
    }
    useEngineColumns(one);
    expect(columnBytes(one)).toBeLessThanOrEqual(limit);
  });

  it('has a column for everything within the limit of a kind', () => {
    for (const { name: kind } of kinds) {
      expect(new Fed(kind).cursor.schema.names.length).toBeLessThanOrEqual(255);
    }
  });
});
