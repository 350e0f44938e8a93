import { defineRegion } from '../../../runtime/machine/region.ts';

export const CONTROL_EVENTS = [
  'local',
  'realPowerDispatch',
  'frequencyReserve',
  'socControl',
  'autoBidder',
  'gridForming',
  'manual',
] as const;

/** What decides the power of a Megapack. It is told by name, so every event leads to its state from everywhere. */
export const controlRegion = defineRegion('control', CONTROL_EVENTS, {
  version: '1',
  initial: 'unknown',
  on: {
    local: '.local',
    realPowerDispatch: '.realPowerDispatch',
    frequencyReserve: '.fcr',
    socControl: '.socControl',
    autoBidder: '.autoBidder',
    gridForming: '.gridForming',
    manual: '.manual',
  },
  states: {
    unknown: { description: 'Nobody told' },
    local: { description: 'By the unit itself' },
    realPowerDispatch: { description: 'Follows the setpoint of the dispatcher' },
    fcr: { description: 'Frequency reserve: power follows the frequency through the droop' },
    socControl: { description: 'Brings the state of charge to a target' },
    autoBidder: { description: 'Follows the setpoint of the bidder or of the site controller' },
    gridForming: { description: 'Holds an island, or starts a dead grid' },
    manual: { description: 'By hand' },
  },
});
