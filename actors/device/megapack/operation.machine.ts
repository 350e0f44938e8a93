import { defineRegion } from '../../../runtime/machine/region.ts';

export const MEGAPACK_EVENTS = [
  'disconnect',
  'initialize',
  'connect',
  'standBy',
  'protect',
  'suspend',
  'discharge',
  'charge',
  'idle',
] as const;

/**
 * What a Megapack does. It tells its state itself (SunSpec 802), so those events lead to their state from everywhere;
 * `discharge`, `charge` and `idle` tell apart what it does while it is connected: the charge state, or power beyond
 * the threshold in two readings in a row.
 */
export const operationRegion = defineRegion('operation', MEGAPACK_EVENTS, {
  version: '1',
  initial: 'unknown',
  on: {
    disconnect: '.disconnected',
    initialize: '.initializing',
    connect: '.connectedIdle',
    standBy: '.standby',
    protect: '.socProtection',
    suspend: '.suspending',
  },
  states: {
    unknown: { description: 'Nothing told yet' },
    disconnected: { description: 'Contactors are open' },
    initializing: { description: 'Precharges and closes its strings' },
    standby: { description: 'Strings are closed, waits for its start' },
    connectedIdle: {
      description: 'At work without power; holding a frequency reserve is that too',
      on: { discharge: 'discharging', charge: 'charging' },
    },
    charging: { on: { connect: 'charging', discharge: 'discharging', idle: 'connectedIdle' } },
    discharging: { on: { connect: 'discharging', charge: 'charging', idle: 'connectedIdle' } },
    socProtection: {
      description: 'At a limit of its state of charge: works in one direction only',
      on: { discharge: 'discharging', charge: 'charging' },
    },
    suspending: { description: 'Ramps down to stand by' },
  },
});
