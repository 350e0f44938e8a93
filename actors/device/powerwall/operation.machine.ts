import { defineRegion } from '../../../runtime/machine/region.ts';

export const POWERWALL_EVENTS = [
  'ready',
  'discharge',
  'charge',
  'idle',
  'full',
  'reserve',
  'empty',
  'sleep',
  'wake',
  'disable',
  'enable',
] as const;

/** What a Powerwall does. `discharge`, `charge` and `idle` are power beyond the hysteresis in two readings in a row. */
export const operationRegion = defineRegion('operation', POWERWALL_EVENTS, {
  version: '1',
  initial: 'initializing',
  on: { disable: '.disabled' },
  states: {
    initializing: { description: 'Not seen at work yet', on: { ready: 'standby' } },
    standby: { description: 'Ready, no power', on: { discharge: 'discharging', charge: 'charging' } },
    charging: { on: { discharge: 'discharging', idle: 'standby', full: 'full' } },
    discharging: { on: { charge: 'charging', idle: 'standby', reserve: 'atReserve', empty: 'empty' } },
    full: { description: 'End of charge', on: { discharge: 'discharging' } },
    atReserve: {
      description: "Holds the owner's reserve while the grid is there",
      on: { discharge: 'discharging', charge: 'charging' },
    },
    empty: { description: 'End of discharge', on: { charge: 'charging', sleep: 'sleeping' } },
    sleeping: {
      description: 'Too empty to hold the island: waits for the sun',
      on: { wake: 'standby', discharge: 'standby', charge: 'standby' },
    },
    disabled: { description: 'Gives reasons why it does not work', on: { enable: 'standby' } },
  },
});
