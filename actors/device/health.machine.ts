import { defineRegion } from '../../runtime/machine/region.ts';

/** What alerts, faults and disabled reasons amount to. The events are levels: the worst that holds now. */
export const healthRegion = defineRegion('health', ['cleared', 'warned', 'faulted', 'permanentlyFaulted'], {
  version: '1',
  initial: 'ok',
  on: { cleared: '.ok', warned: '.warning', faulted: '.faulted', permanentlyFaulted: '.permanentFault' },
  states: {
    ok: { description: 'Nothing reported' },
    warning: { description: 'Performance or informational alert, or an error code that stops nothing' },
    faulted: { description: 'A fault is open; it closes on an explicit clear or on productive evidence' },
    permanentFault: {
      description: 'Has to be replaced',
      on: {
        cleared: 'permanentFault',
        warned: 'permanentFault',
        faulted: 'permanentFault',
        permanentlyFaulted: 'permanentFault',
      },
    },
  },
});
