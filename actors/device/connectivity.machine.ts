import { defineRegion } from '../../runtime/machine/region.ts';

/** Whether the asset is heard. Silence and its end are facts of device times; see `silence.ts`. */
export const connectivityRegion = defineRegion('connectivity', ['message', 'silence', 'longSilence', 'frozen'], {
  version: '1',
  initial: 'never',
  states: {
    never: { description: 'No reading yet', on: { message: 'online' } },
    online: { description: 'Fresh readings', on: { silence: 'stale', longSilence: 'offline', frozen: 'stale' } },
    stale: {
      description: 'No fresh reading for three cadences, or a heartbeat that stands still',
      on: { message: 'online', longSilence: 'offline' },
    },
    offline: {
      description: 'Stale for 15 minutes more',
      on: { message: 'online', frozen: 'stale' },
    },
  },
});
