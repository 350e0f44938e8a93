import { defineRegion } from '../../runtime/machine/region.ts';

export const LIFECYCLE_EVENTS = [
  'manufactured',
  'shipped',
  'delivered',
  'installed',
  'commissioningStarted',
  'commissioned',
  'commissioningFailed',
  'maintenanceStarted',
  'maintenanceCompleted',
  'suspended',
  'resumed',
  'decommissioned',
  'returned',
  'refurbished',
  'recycled',
  'replacedBy',
] as const;

export type LifecycleEvent = (typeof LIFECYCLE_EVENTS)[number];

/**
 * The life of an asset, the same for all kinds. An event that a state does not name is illegal there: it goes to
 * review. `replacedBy` of a unit that has left already only adds the successor.
 */
export const lifecycleRegion = defineRegion('lifecycle', LIFECYCLE_EVENTS, {
  version: '1',
  initial: 'none',
  states: {
    none: { description: 'Nothing is known', on: { manufactured: 'manufactured' } },
    manufactured: { on: { shipped: 'inTransit', replacedBy: 'decommissioned' } },
    inTransit: { on: { delivered: 'inStock', installed: 'installed', replacedBy: 'decommissioned' } },
    inStock: { on: { shipped: 'inTransit', installed: 'installed', replacedBy: 'decommissioned' } },
    installed: {
      on: { commissioningStarted: 'commissioning', decommissioned: 'decommissioned', replacedBy: 'decommissioned' },
    },
    commissioning: {
      on: { commissioned: 'inService', commissioningFailed: 'installed', replacedBy: 'decommissioned' },
    },
    inService: {
      on: {
        maintenanceStarted: 'maintenance',
        suspended: 'outOfService',
        decommissioned: 'decommissioned',
        replacedBy: 'decommissioned',
      },
    },
    maintenance: {
      on: {
        maintenanceCompleted: 'inService',
        suspended: 'outOfService',
        decommissioned: 'decommissioned',
        replacedBy: 'decommissioned',
      },
    },
    outOfService: { on: { resumed: 'inService', decommissioned: 'decommissioned', replacedBy: 'decommissioned' } },
    decommissioned: {
      description: 'Gone from its slot; a unit that only moves (reason `moved`) may be shipped and installed elsewhere',
      on: {
        shipped: 'inTransit',
        installed: 'installed',
        returned: 'returned',
        recycled: 'recycled',
        replacedBy: 'decommissioned',
      },
    },
    returned: { on: { refurbished: 'inStock', recycled: 'recycled', replacedBy: 'returned' } },
    recycled: { on: { replacedBy: 'recycled' } },
  },
});

/** Where an event leads when it is the first that is heard of an asset: its life began before our books did. */
export const FIRST_STATE: Readonly<Record<LifecycleEvent, (typeof lifecycleRegion.table.states)[number]>> = {
  manufactured: 'manufactured',
  shipped: 'inTransit',
  delivered: 'inStock',
  installed: 'installed',
  commissioningStarted: 'commissioning',
  commissioned: 'inService',
  commissioningFailed: 'installed',
  maintenanceStarted: 'maintenance',
  maintenanceCompleted: 'inService',
  suspended: 'outOfService',
  resumed: 'inService',
  decommissioned: 'decommissioned',
  returned: 'returned',
  refurbished: 'inStock',
  recycled: 'recycled',
  replacedBy: 'decommissioned',
};
