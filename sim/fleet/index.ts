export { type AssetTruth, createFleet, type Fleet, type SavedFleet } from './fleet.ts';
export { type Driver, type DriverEvent, type DriverOptions, type DriverStats, startDriver } from './driver.ts';
export { calmRates, defaultRates, type FleetOptions, type FleetRates } from './options.ts';
