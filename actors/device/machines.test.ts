import { describe, expect, it } from 'vitest';
import { assertAgrees } from '../../runtime/machine/agree.ts';
import { deviceMachines, deviceRegions } from './machines.ts';

describe.each(Object.entries(deviceRegions))('machines of %s', (kind, regions) => {
  it.each(regions.map((region) => [region.name, region] as const))(
    '%s: the table does what XState does',
    (_, region) => {
      assertAgrees(region.machine, region.table, { seed: 7, steps: 2000 });
    },
  );

  it('can be drawn', () => {
    const drawn = deviceMachines.find((m) => m.kind === kind);
    expect(drawn?.regions.map((r) => r.name)).toEqual(regions.map((r) => r.name));
    for (const { states, initial, transitions } of drawn?.regions ?? []) {
      expect(states).toContain(initial);
      for (const { from, to } of transitions) expect([...states, '*']).toEqual(expect.arrayContaining([from, to]));
    }
  });
});
