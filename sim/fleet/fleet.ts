import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type LifecycleRecord, lifecycle, type SourceKind, type SourceRecord } from '../record.ts';
import type { CabinetState } from './cabinet.ts';
import { Cabinets } from './cabinets.ts';
import { Delivery, type Pending } from './delivery.ts';
import { type HomeState, newHomeState, stepHome } from './home-step.ts';
import { checkCadence, checkFleetOptions, type FleetOptions } from './options.ts';
import type { PlantState } from './plant.ts';
import { Plants } from './plants.ts';
import { type Home, makeHome } from './site.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** What is told of the cadence: the slowest at which a fleet's past is filled in, or its own when that is slower. */
const EXPECTED_CADENCE_SECONDS = 300;
/** Readings of one asset that may be under way at once. */
const WAITING_PER_ASSET = 200;

/** What really happened to an asset since the simulation began, whatever reached the door. */
export interface AssetTruth {
  readonly outWh: number;
  readonly inWh: number;
}

/** A fleet between two runs: plain data. */
export interface SavedFleet {
  readonly format: 1;
  readonly seed: number;
  readonly startTime: number;
  readonly homes: readonly HomeState[];
  readonly cabinets?: readonly CabinetState[];
  readonly plants?: readonly PlantState[];
  readonly pending: readonly Pending[];
}

export interface Fleet {
  readonly serials: readonly string[];
  /** How every asset came into service, oldest first per asset; ids are the same every time. */
  lifecycleRecords(): Iterable<LifecycleRecord>;
  /**
   * Everything that reaches the door after the last tick and until `now` (epoch milliseconds), in order of delivery.
   * Throws when time runs backwards.
   */
  tick(now: number): SourceRecord[];
  /** Energy by serial, exact up to each asset's last step. */
  truth(): Map<string, AssetTruth>;
  /** Time of the last tick. */
  readonly time: number;
  cadenceMs: number;
  /** Records that were lost on the way because too many were under way. */
  readonly lost: number;
  /** Jumps over a time in which nothing is simulated, as if the fleet had been switched off. */
  skipTo(time: number): void;
  save(): SavedFleet;
}

/** Makes a fleet, or goes on with a saved one: homes that it does not hold are new. Throws GridfoldError `sim_option_invalid`. */
export function createFleet(options: FleetOptions, saved?: SavedFleet): Fleet {
  return new VirtualFleet(options, saved);
}

class VirtualFleet implements Fleet {
  readonly serials: readonly string[];
  #options: ReturnType<typeof checkFleetOptions>;
  #homes: Home[] = [];
  #states: HomeState[] = [];
  /** Inverter's and Powerwall's counters at the start, by home. */
  #origins: AssetTruth[] = [];
  #roofOrigins: number[] = [];
  #cabinets: Cabinets;
  #plants: Plants;
  #delivery: Delivery;
  #startTime: number;
  #time: number;
  #cadenceMs: number;

  constructor(options: FleetOptions, saved?: SavedFleet) {
    this.#options = checkFleetOptions(options);
    const { assets, cabinets, megapacks, seed, cadenceMs, startTime, rates } = this.#options;
    this.#cadenceMs = cadenceMs;
    this.#startTime = saved?.startTime ?? startTime;
    this.#time = startTime;
    this.#cabinets = new Cabinets(seed, cabinets, this.#startTime, startTime, saved?.cabinets ?? []);
    this.#plants = new Plants(seed, megapacks, this.#startTime, startTime, saved?.plants ?? []);
    const all = assets + this.#cabinets.serials.length + megapacks;
    this.#delivery = new Delivery(seed, rates, Math.max(1000, all * WAITING_PER_ASSET));
    for (let number = 1; 2 * number - 1 <= assets; number++) {
      this.#homes.push(makeHome(seed, number, 2 * number <= assets));
    }
    this.#states = this.#homes.map((home, i) => saved?.homes[i] ?? newHomeState(home, startTime));
    this.#restore(saved);
    const atHome = this.#homes.flatMap(({ powerwall, inverter }) =>
      inverter === null ? [powerwall] : [powerwall, inverter],
    );
    this.serials = [...atHome, ...this.#cabinets.serials, ...this.#plants.serials];
  }

  #restore(saved: SavedFleet | undefined): void {
    if (saved !== undefined) {
      if (saved.format !== 1 || saved.seed !== this.#options.seed) {
        throw new GridfoldError(
          'sim_option_invalid',
          'fix-configuration',
          'The saved fleet was made with another seed or release',
        );
      }
      this.#delivery.restore(saved.pending);
      const known = [...saved.homes, ...(saved.cabinets ?? []), ...(saved.plants ?? [])];
      this.#time = known.reduce((newest, { time }) => Math.max(newest, time), 0) || this.#time;
    }
    this.#homes.forEach((home, i) => {
      const { powerwall, inverter } = newHomeState(home, this.#startTime);
      this.#origins.push({ outWh: powerwall.outWh, inWh: powerwall.inWh });
      this.#roofOrigins.push(inverter.outWh);
      if (this.#states[i].time > this.#time) this.#time = this.#states[i].time;
    });
    this.#time = Math.max(this.#time, this.#cabinets.time, this.#plants.time);
  }

  get time(): number {
    return this.#time;
  }

  get lost(): number {
    return this.#delivery.lost;
  }

  get cadenceMs(): number {
    return this.#cadenceMs;
  }

  set cadenceMs(value: number) {
    checkCadence(value);
    this.#cadenceMs = value;
  }

  *lifecycleRecords(): Generator<LifecycleRecord> {
    const cadenceSeconds = Math.max(EXPECTED_CADENCE_SECONDS, Math.ceil(this.#options.cadenceMs / 1000));
    for (const home of this.#homes) {
      yield* bornRecords(home, home.powerwall, 'powerwall', this.#startTime, cadenceSeconds);
      if (home.inverter !== null) yield* bornRecords(home, home.inverter, 'inverter', this.#startTime, cadenceSeconds);
    }
    yield* this.#cabinets.lifecycleRecords(cadenceSeconds);
    yield* this.#plants.lifecycleRecords(cadenceSeconds);
  }

  tick(now: number): SourceRecord[] {
    if (now < this.#time) throw new RangeError(`tick(${now}) is before the last one at ${this.#time}`);
    const arrived: SourceRecord[] = [];
    while (this.#time < now) {
      this.#time = Math.min(now, this.#time + this.#cadenceMs);
      for (let i = 0; i < this.#homes.length; i++) this.#stepHomeUntil(i, this.#time);
      this.#cabinets.stepUntil(this.#time, this.#cadenceMs, this.#options.rates, this.#delivery);
      this.#plants.stepUntil(this.#time, this.#cadenceMs, this.#options.rates, this.#delivery);
      for (const record of this.#delivery.drain(this.#time)) arrived.push(record);
    }
    return arrived;
  }

  #stepHomeUntil(i: number, now: number): void {
    const home = this.#homes[i];
    const cadence = this.#cadenceMs;
    const phase = Math.floor(home.phase * cadence);
    for (;;) {
      const time = (Math.floor((this.#states[i].time - phase) / cadence) + 1) * cadence + phase;
      if (time > now) return;
      const { state, records } = stepHome(home, this.#states[i], time, cadence, this.#options.rates);
      this.#states[i] = state;
      for (const record of records) this.#delivery.send(record, time, state.silence);
    }
  }

  skipTo(time: number): void {
    if (time <= this.#time) return;
    this.#time = time;
    this.#states = this.#states.map((state) => ({
      ...state,
      time: Math.max(state.time, time),
      powerwall: { ...state.powerwall, powerW: 0 },
      inverter: { ...state.inverter, powerW: 0 },
    }));
    this.#cabinets.skipTo(time);
    this.#plants.skipTo(time);
  }

  truth(): Map<string, AssetTruth> {
    const truth = new Map<string, AssetTruth>();
    this.#homes.forEach((home, i) => {
      const { powerwall, inverter } = this.#states[i];
      const origin = this.#origins[i];
      truth.set(home.powerwall, { outWh: powerwall.outWh - origin.outWh, inWh: powerwall.inWh - origin.inWh });
      if (home.inverter !== null) truth.set(home.inverter, { outWh: inverter.outWh - this.#roofOrigins[i], inWh: 0 });
    });
    for (const [serial, energy] of this.#cabinets.truth()) truth.set(serial, energy);
    for (const [serial, energy] of this.#plants.truth()) truth.set(serial, energy);
    return truth;
  }

  save(): SavedFleet {
    return {
      format: 1,
      seed: this.#options.seed,
      startTime: this.#startTime,
      homes: [...this.#states],
      cabinets: this.#cabinets.save(),
      plants: this.#plants.save(),
      pending: this.#delivery.pending(),
    };
  }
}

function* bornRecords(
  home: Home,
  serial: string,
  kind: SourceKind,
  startTime: number,
  cadenceSeconds: number,
): Generator<LifecycleRecord> {
  const inService = startTime - home.ageDays * DAY_MS;
  const isBattery = kind === 'powerwall';
  const made = isBattery
    ? { model: home.batteryW > 6000 ? 'Powerwall 3' : 'Powerwall 2', capacityWh: home.batteryWh, ratedW: home.batteryW }
    : { model: 'Solar Inverter', ratedW: home.inverterW };
  const installed = {
    siteId: home.siteId,
    region: home.city.name,
    position: isBattery ? 'battery-1' : 'solar-1',
    timeZone: home.city.timeZone.name,
    cadenceSeconds,
  };
  const steps: [type: string, time: number, source: string, data: Record<string, unknown>][] = [
    ['manufactured', inService - 60 * DAY_MS, 'factory', made],
    ['shipped', inService - 40 * DAY_MS, 'logistics', {}],
    ['delivered', inService - 12 * DAY_MS, 'logistics', {}],
    ['installed', inService - 6 * HOUR_MS, 'installer-app', installed],
    ['commissioningStarted', inService - HOUR_MS, 'installer-app', {}],
    ['commissioned', inService, 'installer-app', {}],
  ];
  for (const [type, time, source, data] of steps) {
    const eventTime = new Date(time).toISOString();
    yield lifecycle({
      id: `${source}/${serial}/${type}`,
      serial,
      kind,
      type,
      eventTime,
      recordTime: eventTime,
      source,
      data,
    });
  }
}
