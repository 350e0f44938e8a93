import { Random } from '../random.ts';
import { TimeZone } from '../time.ts';

export interface City {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly timeZone: TimeZone;
}

const city = (name: string, latitude: number, longitude: number, zone: string): City => ({
  name,
  latitude,
  longitude,
  timeZone: new TimeZone(zone),
});

export const cities: readonly City[] = [
  city('Seattle', 47.6, -122.3, 'America/Los_Angeles'),
  city('Oakland', 37.8, -122.3, 'America/Los_Angeles'),
  city('Phoenix', 33.4, -112.1, 'America/Phoenix'),
  city('Austin', 30.3, -97.7, 'America/Chicago'),
  city('Burlington', 44.5, -73.2, 'America/New_York'),
  city('Rome', 41.9, 12.5, 'Europe/Rome'),
  city('Berlin', 52.5, 13.4, 'Europe/Berlin'),
  city('Adelaide', -34.9, 138.6, 'Australia/Adelaide'),
];

/** What does not change about a home: place, sizes, habits. Made of the seed and the home's number alone. */
export interface Home {
  readonly seed: number;
  readonly siteId: string;
  readonly powerwall: string;
  /** Serial of the roof's inverter, or null. */
  readonly inverter: string | null;
  readonly city: City;
  readonly panelW: number;
  readonly inverterW: number;
  readonly batteryWh: number;
  readonly batteryW: number;
  readonly reserveSoc: number;
  /** Household load that is always there, W. */
  readonly baseLoadW: number;
  /** Height of the evening's peak, W. */
  readonly eveningLoadW: number;
  /** The inverter tells a counter that restarts daily instead of one for its life. */
  readonly hasDailyCounter: boolean;
  /** Place of the home's readings inside the cadence, 0..1. */
  readonly phase: number;
  /** Days in service before the simulation starts. */
  readonly ageDays: number;
}

/** Home `number`, counted from 1. Seed 1 has plain serials, other seeds carry the seed in theirs. */
export function makeHome(seed: number, number: number, hasInverter: boolean): Home {
  const random = Random.of(seed, 'home', number);
  const suffix = `${seed === 1 ? '' : `${seed}-`}${String(number).padStart(6, '0')}`;
  const panelW = random.int(7, 22) * 500;
  return {
    seed,
    siteId: `SITE-${suffix}`,
    powerwall: `PW-${suffix}`,
    inverter: hasInverter ? `INV-${suffix}` : null,
    city: random.pick(cities),
    panelW: hasInverter ? panelW : 0,
    inverterW: panelW <= 4500 ? 3800 : 7600,
    batteryWh: random.int(127, 140) * 100,
    batteryW: random.pick([5000, 5400, 11_500]),
    reserveSoc: random.pick([0.1, 0.2, 0.2, 0.3]),
    baseLoadW: random.int(180, 600),
    eveningLoadW: random.int(600, 2600),
    hasDailyCounter: random.chance(0.5),
    phase: random.next(),
    ageDays: random.int(20, 900),
  };
}
