import { Random } from '../random.ts';
import { type LifecycleRecord, lifecycle, type TelemetryRecord, telemetry } from '../record.ts';
import type { Battery } from './battery.ts';
import { type Fault, stepFault } from './fault.ts';
import {
  type Dispatch,
  flowMegapack,
  type MegapackState,
  newMegapack,
  readMegapack,
  stepMegapack,
} from './megapack.ts';
import type { FleetRates } from './options.ts';
import { cities, type City } from './site.ts';
import { outsideTemperature } from './weather.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A pause of the simulation is not a time in which power flowed. */
const LONGEST_FLOW_MS = 900_000;
const UNITS_PER_PLANT = 4;
/** The market dispatches anew every five minutes. */
const DISPATCH_MS = 300_000;
/** Frequency that a reserve leaves alone, Hz. */
const DEAD_BAND_HZ = 0.02;
/** Share of the frequency by which a unit gives all its power. */
const DROOP = 0.05;

/** A battery plant: what does not change about it. */
export interface Plant {
  readonly seed: number;
  readonly siteId: string;
  readonly serials: readonly string[];
  readonly city: City;
  /** Each of its units. */
  readonly battery: Battery;
  /** Place of its readings inside the cadence, 0..1. */
  readonly phase: number;
  readonly ageDays: number;
}

/** Everything that changes about it. Plain data. */
export interface PlantState {
  readonly time: number;
  readonly units: readonly MegapackState[];
  /** While the site controller is cut off, its readings wait. */
  readonly silence: Fault | null;
}

/** Plant `number`, counted from 1, of a fleet of `megapacks` units; the last one may have fewer than four. */
export function makePlant(seed: number, number: number, megapacks: number): Plant {
  const random = Random.of(seed, 'plant', number);
  const prefix = seed === 1 ? '' : `${seed}-`;
  const digits = (n: number) => `${prefix}${String(n).padStart(6, '0')}`;
  const first = (number - 1) * UNITS_PER_PLANT + 1;
  const units = Math.min(UNITS_PER_PLANT, megapacks - first + 1);
  // Megapack 2 XL, for two hours or for four.
  const ratedW = random.pick([1.9e6, 1e6]);
  return {
    seed,
    siteId: `PLANT-${digits(number)}`,
    serials: Array.from({ length: units }, (_, i) => `MP-${digits(first + i)}`),
    city: random.pick(cities),
    battery: { capacityWh: 3.9e6, ratedW, reserveSoc: 0 },
    phase: random.next(),
    ageDays: random.int(20, 900),
  };
}

export function plantsOf(seed: number, megapacks: number): Plant[] {
  const count = Math.ceil(megapacks / UNITS_PER_PLANT);
  return Array.from({ length: count }, (_, i) => makePlant(seed, i + 1, megapacks));
}

export function newPlantState(plant: Plant, time: number): PlantState {
  const { seed, battery, ageDays } = plant;
  const units = plant.serials.map((serial) => newMegapack(battery, ageDays, Random.of(seed, serial, 'start')));
  return { time, units, silence: null };
}

/**
 * `(plant, state, time) -> state and readings`. All chance comes from seed, serial and time. `holdMs` is the time to the
 * step after.
 */
export function stepPlant(
  plant: Plant,
  before: PlantState,
  time: number,
  holdMs: number,
  rates: FleetRates,
): { readonly state: PlantState; readonly records: readonly TelemetryRecord[] } {
  const { seed, battery } = plant;
  const dtMs = Math.min(time - before.time, LONGEST_FLOW_MS);
  const silences = { ...rates, faultsPerDay: rates.silencesPerDay, faultMs: rates.silenceMs };
  const silence = stepFault(before.silence, time, dtMs, 1, silences, Random.of(seed, plant.siteId, time));
  const dispatch = dispatchAt(plant, time);
  const deviceTime = new Date(time).toISOString();
  const records: TelemetryRecord[] = [];
  const units = before.units.map((unit, i) => {
    const serial = plant.serials[i];
    const flown = flowMegapack(battery, unit, dtMs);
    const random = Random.of(seed, serial, time);
    const stepped = stepMegapack(battery, flown, dispatch, time, dtMs, holdMs / HOUR_MS, rates, random);
    const { state, fields } = readMegapack(battery, stepped, dispatch, time);
    const txid = `${time.toString(36)}-${i}`;
    records.push(telemetry({ serial, kind: 'megapack', deviceTime, txid, fields }));
    return state;
  });
  return { state: { time, units, silence }, records };
}

/** What the market wants: charge from the sun at noon, discharge in the evening, hold a frequency reserve between. */
export function dispatchAt(plant: Plant, time: number): Dispatch {
  const { seed, siteId, city, battery } = plant;
  const hour = ((time + city.timeZone.offsetAt(time)) / HOUR_MS) % 24;
  const interval = Random.of(seed, siteId, 'market', Math.floor(time / DISPATCH_MS));
  const share = Math.round(interval.between(0.3, 1) * 100) / 100;
  const nominal = city.longitude < -30 ? 60 : 50;
  const offset = interval.chance(0.1) ? interval.between(-0.15, 0.15) : 0;
  const flicker = Random.of(seed, siteId, 'frequency', time).between(-0.005, 0.005);
  const beyond = Math.sign(offset) * Math.max(0, Math.abs(offset) - DEAD_BAND_HZ);
  const grid = {
    droopW: Math.round((-beyond / (DROOP * nominal)) * battery.ratedW) + 0,
    frequencyHz: Math.round((nominal + offset + flicker) * 1000) / 1000,
    temperatureC: outsideTemperature(city, time),
  };
  if (hour >= 10 && hour < 15) return { ...grid, controlMode: 'RealPowerDispatch', setpointW: -share * battery.ratedW };
  if (hour >= 17 && hour < 21) return { ...grid, controlMode: 'RealPowerDispatch', setpointW: share * battery.ratedW };
  return { ...grid, controlMode: 'FCR', setpointW: 0 };
}

/** How the units of a plant came into service. */
export function* plantLifecycle(plant: Plant, startTime: number, cadenceSeconds: number): Generator<LifecycleRecord> {
  const { siteId, city, battery } = plant;
  const inService = startTime - plant.ageDays * DAY_MS;
  const made = { model: 'Megapack 2 XL', capacityWh: battery.capacityWh, ratedW: battery.ratedW };
  for (const [i, serial] of plant.serials.entries()) {
    const installed = {
      siteId,
      region: city.name,
      position: `unit-${i + 1}`,
      timeZone: city.timeZone.name,
      cadenceSeconds,
    };
    const steps: [type: string, time: number, source: string, data: Record<string, unknown>][] = [
      ['manufactured', inService - 90 * DAY_MS, 'factory', made],
      ['shipped', inService - 60 * DAY_MS, 'logistics', {}],
      ['delivered', inService - 30 * DAY_MS, 'logistics', {}],
      ['installed', inService - 14 * DAY_MS, 'installer-app', installed],
      ['commissioningStarted', inService - 5 * DAY_MS, 'installer-app', {}],
      ['commissioned', inService, 'installer-app', {}],
    ];
    for (const [type, time, source, data] of steps) {
      const eventTime = new Date(time).toISOString();
      const id = `${source}/${serial}/${type}`;
      yield lifecycle({ id, serial, kind: 'megapack', type, eventTime, recordTime: eventTime, source, data });
    }
  }
}
