import { defineRegion } from '../../runtime/machine/region.ts';

export const FIRMWARE_PHASES = [
  'scheduled',
  'downloading',
  'staged',
  'installing',
  'rebooting',
  'verifying',
  'completed',
  'failed',
] as const;

/** An update of the firmware. Phases may be skipped, since not every source tells each of them. */
export const firmwareRegion = defineRegion('firmware', FIRMWARE_PHASES, {
  version: '1',
  initial: 'idle',
  on: {
    scheduled: '.scheduled',
    downloading: '.downloading',
    staged: '.staged',
    installing: '.installing',
    rebooting: '.rebooting',
    verifying: '.verifying',
    completed: '.idle',
    failed: '.failed',
  },
  states: {
    idle: { description: 'No update runs' },
    scheduled: { description: 'Decided' },
    downloading: { description: 'On its way to the asset' },
    staged: { description: 'On the asset, not installed' },
    installing: { description: 'Being written' },
    rebooting: { description: 'Silence of up to 30 minutes belongs to it' },
    verifying: { description: 'New version runs, is not confirmed' },
    failed: { description: 'The attempt ended; the old version runs' },
  },
});
