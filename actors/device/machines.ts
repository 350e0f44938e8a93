import type { Region } from '../../runtime/machine/region.ts';
import { graphOf } from '../../runtime/machine/graph.ts';
import { connectivityRegion } from './connectivity.machine.ts';
import { firmwareRegion } from './firmware.machine.ts';
import { healthRegion } from './health.machine.ts';
import { operationRegion as inverterOperation } from './inverter/operation.machine.ts';
import { lifecycleRegion } from './lifecycle.machine.ts';
import { machineNames } from './machine-names.ts';
import { controlRegion } from './megapack/control.machine.ts';
import { operationRegion as megapackOperation } from './megapack/operation.machine.ts';
import { gridRegion } from './powerwall/grid.machine.ts';
import { operationRegion as powerwallOperation } from './powerwall/operation.machine.ts';
import { operationRegion as superchargerOperation } from './supercharger/operation.machine.ts';
import { sessionRegion } from './supercharger/session.machine.ts';

/** Regions of each kind, in the order in which people want to see them. */
export const deviceRegions: Readonly<Record<string, readonly Region[]>> = {
  powerwall: [powerwallOperation, gridRegion, healthRegion, connectivityRegion, firmwareRegion, lifecycleRegion],
  megapack: [megapackOperation, controlRegion, healthRegion, connectivityRegion, firmwareRegion, lifecycleRegion],
  inverter: [inverterOperation, healthRegion, connectivityRegion, firmwareRegion, lifecycleRegion],
  supercharger: [
    superchargerOperation,
    sessionRegion,
    healthRegion,
    connectivityRegion,
    firmwareRegion,
    lifecycleRegion,
  ],
};

/** The machines of each kind as people draw them. `from` is `*` where an event leads there from every other state. */
export const deviceMachines = Object.entries(deviceRegions).map(([kind, regions]) => ({
  kind,
  machine: machineNames[kind as keyof typeof machineNames],
  regions: regions.map(({ name, table }) => {
    const { initial, states, edges } = graphOf(table);
    return {
      name,
      initial,
      states: states.map((s) => s.name),
      transitions: edges.flatMap(({ from, to, events }) => events.map((event) => ({ from, to, event }))),
    };
  }),
}));
