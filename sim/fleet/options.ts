import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** How often things happen to a virtual asset. Shares are of readings, rates are mean events per asset or home and day. */
export interface FleetRates {
  /** Share of readings that come late. @default 0.01 */
  readonly late: number;
  /** Longest lateness in milliseconds. @default 10 min */
  readonly maxLateMs: number;
  /** Share of readings that come twice. @default 0.01 */
  readonly duplicate: number;
  /** Silences of a home's gateway per day. @default 0.15 */
  readonly silencesPerDay: number;
  /** Mean length of a silence in milliseconds. @default 20 min */
  readonly silenceMs: number;
  /** Share of silences whose readings are lost; the others are resent when the gateway is back. @default 0.3 */
  readonly silenceLoss: number;
  /** Grid outages per home and day. @default 0.1 */
  readonly outagesPerDay: number;
  /** Outages of a whole city per day: all its homes are dark at once. @default 0.1 */
  readonly cityOutagesPerDay: number;
  /** Mean length of an outage in milliseconds. @default 25 min */
  readonly outageMs: number;
  /** Faults per asset and day. @default 0.05 */
  readonly faultsPerDay: number;
  /** Mean length of a fault in milliseconds. @default 45 min */
  readonly faultMs: number;
  /** Firmware updates per Powerwall and day. @default 0.05 */
  readonly updatesPerDay: number;
  /** Vehicles per charging stall and day. @default 10 */
  readonly sessionsPerDay: number;
}

export const defaultRates: FleetRates = {
  late: 0.01,
  maxLateMs: 600_000,
  duplicate: 0.01,
  silencesPerDay: 0.15,
  silenceMs: 1_200_000,
  silenceLoss: 0.3,
  outagesPerDay: 0.1,
  cityOutagesPerDay: 0.1,
  outageMs: 1_500_000,
  faultsPerDay: 0.05,
  faultMs: 2_700_000,
  updatesPerDay: 0.05,
  sessionsPerDay: 10,
};

/** Nothing unplanned happens: what an asset reports is what it did. */
export const calmRates: FleetRates = {
  ...defaultRates,
  late: 0,
  duplicate: 0,
  silencesPerDay: 0,
  outagesPerDay: 0,
  cityOutagesPerDay: 0,
  faultsPerDay: 0,
  updatesPerDay: 0,
};

export interface FleetOptions {
  /** Powerwalls and inverters together; a home has one of each, the last of an odd number has no roof. */
  readonly assets: number;
  /** Power cabinets with four charging stalls each, beside the homes. @default 0 */
  readonly cabinets?: number;
  /** Megapacks, four to a site, beside the homes. @default 0 */
  readonly megapacks?: number;
  /** The same seed gives the same fleet and the same events. @default 1 */
  readonly seed?: number;
  /** Time between two readings of an asset, milliseconds; can be changed on the way. @default 10 s */
  readonly cadenceMs?: number;
  /** Epoch milliseconds before the first readings. */
  readonly startTime: number;
  readonly rates?: Partial<FleetRates>;
}

export const MAX_ASSETS = 2_000_000;

export function checkFleetOptions(
  options: FleetOptions,
): Required<Omit<FleetOptions, 'rates'>> & { rates: FleetRates } {
  const { assets, cabinets = 0, megapacks = 0, seed = 1, cadenceMs = 10_000, startTime, rates = {} } = options;
  within('assets', assets, 0, MAX_ASSETS);
  within('cabinets', cabinets, 0, MAX_ASSETS / 4);
  within('megapacks', megapacks, 0, MAX_ASSETS);
  within('seed', seed, 0, 0xffff_ffff);
  checkCadence(cadenceMs);
  within('startTime', startTime, 0, 8e12);
  const merged = { ...defaultRates, ...rates };
  for (const [name, value] of Object.entries(merged)) {
    if (!(value >= 0 && Number.isFinite(value))) throw badOption(`rates.${name}`, `${value} is not a rate`);
  }
  return { assets, cabinets, megapacks, seed, cadenceMs, startTime, rates: merged };
}

export function checkCadence(cadenceMs: number): void {
  within('cadenceMs', cadenceMs, 100, 3_600_000);
}

function within(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw badOption(name, `${value} is not a whole number from ${min} to ${max}`);
  }
}

function badOption(name: string, problem: string): GridfoldError {
  return new GridfoldError('sim_option_invalid', 'fix-configuration', `Simulated fleet, option ${name}: ${problem}`);
}
