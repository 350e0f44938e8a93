import { defineRegion } from '../../../runtime/machine/region.ts';

export const SESSION_REGION_EVENTS = ['authorize', 'connect', 'charge', 'suspend', 'end', 'close'] as const;

/** The session at a stall. Between `evConnected` and `suspended` it is active: its transaction has started and not ended. */
export const sessionRegion = defineRegion('session', SESSION_REGION_EVENTS, {
  version: '1',
  initial: 'idle',
  states: {
    idle: { description: 'No session', on: { authorize: 'authorizing', connect: 'evConnected' } },
    authorizing: {
      description: 'Somebody is there, no transaction yet',
      on: { connect: 'evConnected', close: 'idle' },
    },
    evConnected: {
      description: 'Active, no energy yet',
      on: { charge: 'charging', suspend: 'suspended', end: 'ending', close: 'idle' },
    },
    charging: { description: 'Active', on: { suspend: 'suspended', end: 'ending', close: 'idle' } },
    suspended: { description: 'Active, no energy now', on: { charge: 'charging', end: 'ending', close: 'idle' } },
    ending: {
      description: 'The transaction ends or has ended, the vehicle is still there',
      on: {
        authorize: 'authorizing',
        connect: 'evConnected',
        charge: 'charging',
        suspend: 'suspended',
        close: 'idle',
      },
    },
  },
});
