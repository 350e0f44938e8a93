import { describe, expect, it } from 'vitest';
import { createFleet } from '../../../sim/fleet/fleet.ts';
import { calmRates, type FleetRates } from '../../../sim/fleet/options.ts';
import { isTelemetry } from '../../../sim/record.ts';
import { Fed } from '../testing/harness.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2024, 5, 20);

/** A fleet of six units, and each of them as it is understood after `days`. */
function understood(days: number, rates: Partial<FleetRates>) {
  const fleet = createFleet({
    assets: 0,
    megapacks: 6,
    seed: 3,
    cadenceMs: 60_000,
    startTime: START,
    rates: { ...calmRates, ...rates },
  });
  const units = new Map(fleet.serials.map((serial) => [serial, new Fed('megapack', {}, serial)]));
  for (const { value } of fleet.tick(START + days * DAY_MS).filter(isTelemetry)) {
    units.get(value.serial)?.feedRecord(value);
  }
  return { fleet, units };
}

const all = (units: ReadonlyMap<string, Fed>, type: string) => [...units.values()].flatMap((unit) => unit.data(type));

describe('virtual Megapacks', () => {
  it('are understood: the energy that flowed, a day of charge and discharge, nothing that is wrong', () => {
    const { fleet, units } = understood(3, {});
    for (const [serial, unit] of units) {
      const truth = fleet.truth().get(serial)!;
      expect(Math.abs(unit.view.energy.outWh - truth.outWh)).toBeLessThan(2);
      expect(Math.abs(unit.view.energy.inWh - truth.inWh)).toBeLessThan(2);
      expect(new Set(unit.states('operation'))).toContain('charging');
      expect(new Set(unit.states('operation'))).toContain('discharging');
      expect(new Set(unit.states('control'))).toEqual(new Set(['fcr', 'realPowerDispatch']));
      expect([unit.states('health'), unit.states('connectivity')]).toEqual([['ok'], ['online']]);
    }
    expect(all(units, 'fault')).toEqual([]);
    expect(all(units, 'thermal_excursion')).toEqual([]);
    expect(all(units, 'cell_imbalance')).toEqual([]);
  });

  it('with faults: contactors, strings, heat, and units that do not do what they are told', () => {
    const { units } = understood(4, { faultsPerDay: 3 });
    expect(new Set(all(units, 'fault').map((d) => d.code))).toEqual(new Set(['FAULT', 'CONTACTOR_FAILURE']));
    const causes = new Set(all(units, 'derate_interval').map((d) => d.cause));
    for (const cause of ['STRINGS_OUT', 'THERMAL', 'SOC_LIMIT']) expect(causes).toContain(cause);
    expect(causes).not.toContain('DERATED');
    expect(all(units, 'thermal_excursion').length).toBeGreaterThan(3);
    expect(all(units, 'dispatch_deviation').length).toBeGreaterThan(10);
    const states = new Set([...units.values()].flatMap((unit) => unit.states('operation')));
    for (const state of ['disconnected', 'initializing', 'standby', 'socProtection']) expect(states).toContain(state);
  });
});
