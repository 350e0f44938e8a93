import type { KindDefaults } from '../runtime/system/config.ts';

/** Default cadence and time zone of the kinds of assets. */
export const kindDefaults: Readonly<Record<'powerwall' | 'inverter' | 'megapack' | 'supercharger', KindDefaults>> = {
  powerwall: { cadenceSeconds: 300, timeZone: 'UTC' },
  inverter: { cadenceSeconds: 600, timeZone: 'UTC' },
  megapack: { cadenceSeconds: 60, timeZone: 'UTC' },
  supercharger: { cadenceSeconds: 60, timeZone: 'UTC' },
};
