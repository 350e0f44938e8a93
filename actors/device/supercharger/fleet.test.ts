import { describe, expect, it } from 'vitest';
import { calmRates } from '../../../sim/fleet/options.ts';
import { createFleet } from '../../../sim/fleet/fleet.ts';
import { isTelemetry } from '../../../sim/record.ts';
import { Fed } from '../testing/harness.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2024, 5, 20);

describe('virtual stalls', () => {
  it('are understood: whole sessions, no gaps, the energy that really flowed, limits of the cabinet', () => {
    const rates = { ...calmRates, sessionsPerDay: 30, faultsPerDay: 1 };
    const fleet = createFleet({ assets: 0, cabinets: 2, seed: 3, cadenceMs: 60_000, startTime: START, rates });
    const fed = new Map(fleet.serials.map((serial) => [serial, new Fed('supercharger', {}, serial)]));
    for (const { value } of fleet.tick(START + 2 * DAY_MS).filter(isTelemetry))
      fed.get(value.serial)?.feedRecord(value);
    let limited = 0;
    for (const [serial, stall] of fed) {
      expect(stall.data('gap_transition')).toEqual([]);
      const sessions = stall.data('charging_session');
      expect(sessions.length).toBeGreaterThan(10);
      for (const d of sessions.slice(0, -1)) {
        expect(d).toMatchObject({ openedBy: 'started', closedBy: 'ended', seqGaps: 0, exceedsMaxPower: false });
      }
      limited += sessions.reduce((s, d) => s + Number(d.limitedSeconds), 0);
      const wh = sessions.reduce((sum, d) => sum + Number(d.energyWh), 0);
      expect(Math.abs(wh - (fleet.truth().get(serial)?.inWh ?? 0))).toBeLessThan(2);
      expect(stall.view.energy.inWh).toBeCloseTo(wh, 6);
    }
    expect(limited).toBeGreaterThan(600);
    const derates = [...fed.values()].flatMap((stall) => stall.data('derate_interval'));
    expect(new Set(derates.map((d) => d.cause))).toEqual(new Set(['SHARED_CABINET']));
    expect([...fed.values()].flatMap((stall) => stall.data('fault')).length).toBeGreaterThan(3);
  });
});
