import { defineRegion } from '../../../runtime/machine/region.ts';

export const INVERTER_EVENTS = [
  'off',
  'sleep',
  'start',
  'run',
  'throttle',
  'shutDown',
  'fault',
  'standby',
  'trip',
] as const;

/** What an inverter does. It tells its state itself, so every event leads to its state from everywhere. */
export const operationRegion = defineRegion('operation', INVERTER_EVENTS, {
  version: '1',
  initial: 'unknown',
  on: {
    off: '.off',
    sleep: '.sleeping',
    start: '.starting',
    run: '.running',
    throttle: '.throttled',
    shutDown: '.shuttingDown',
    fault: '.faulted',
    standby: '.standby',
  },
  states: {
    unknown: { description: 'Nothing told yet' },
    off: { description: 'Off, at night for instance' },
    sleeping: { description: 'Too little sun' },
    starting: { description: 'Booting, or waiting to connect' },
    running: { description: 'Feeding what the sun gives', on: { trip: 'tripped' } },
    throttled: { description: 'Feeding less than the sun gives', on: { trip: 'tripped' } },
    shuttingDown: {},
    faulted: { description: 'Fail-safe' },
    standby: {},
    tripped: { description: 'The grid left its limits while feeding' },
  },
});
