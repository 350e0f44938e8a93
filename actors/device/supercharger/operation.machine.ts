import { defineRegion } from '../../../runtime/machine/region.ts';

/** The statuses of OCPP 1.6, then the jumps to them that its table does not foresee: messages between were missed. */
export const STALL_EVENTS = [
  'available',
  'preparing',
  'charging',
  'suspendedEV',
  'suspendedEVSE',
  'finishing',
  'reserved',
  'unavailable',
  'faulted',
  'missedToAvailable',
  'missedToPreparing',
  'missedToCharging',
  'missedToSuspendedEV',
  'missedToSuspendedEVSE',
  'missedToFinishing',
  'missedToReserved',
  'missedToUnavailable',
] as const;

const connect = { charging: 'charging', suspendedEV: 'suspendedEV', suspendedEVSE: 'suspendedEVSE' } as const;
const leave = {
  available: 'available',
  finishing: 'finishing',
  unavailable: 'unavailable',
  faulted: 'faulted',
} as const;
const anything = {
  ...connect,
  ...leave,
  preparing: 'preparing',
  reserved: 'reserved',
} as const;

/** What a stall does: the status transitions of OCPP 1.6, section 4.9, no more and no fewer. */
export const operationRegion = defineRegion('operation', STALL_EVENTS, {
  version: '1',
  initial: 'unknown',
  on: {
    missedToAvailable: '.available',
    missedToPreparing: '.preparing',
    missedToCharging: '.charging',
    missedToSuspendedEV: '.suspendedEV',
    missedToSuspendedEVSE: '.suspendedEVSE',
    missedToFinishing: '.finishing',
    missedToReserved: '.reserved',
    missedToUnavailable: '.unavailable',
  },
  states: {
    unknown: { description: 'Nothing told yet', on: anything },
    available: {
      description: 'Free',
      on: { ...connect, preparing: 'preparing', reserved: 'reserved', unavailable: 'unavailable', faulted: 'faulted' },
    },
    preparing: {
      description: 'Occupied, no energy yet',
      on: { ...connect, available: 'available', finishing: 'finishing', faulted: 'faulted' },
    },
    charging: { on: { ...leave, suspendedEV: 'suspendedEV', suspendedEVSE: 'suspendedEVSE' } },
    suspendedEV: {
      description: 'The vehicle takes nothing',
      on: { ...leave, charging: 'charging', suspendedEVSE: 'suspendedEVSE' },
    },
    suspendedEVSE: {
      description: 'The stall gives nothing',
      on: { ...leave, charging: 'charging', suspendedEV: 'suspendedEV' },
    },
    finishing: {
      description: 'The session is over, the vehicle is still there',
      on: { available: 'available', preparing: 'preparing', unavailable: 'unavailable', faulted: 'faulted' },
    },
    reserved: {
      on: { available: 'available', preparing: 'preparing', unavailable: 'unavailable', faulted: 'faulted' },
    },
    unavailable: {
      description: 'Taken out of use; that outlasts a reboot',
      on: { ...connect, available: 'available', preparing: 'preparing', faulted: 'faulted' },
    },
    faulted: { description: 'Out of order; goes back to any state', on: anything },
  },
});
