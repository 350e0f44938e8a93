import type { LifecycleRecord } from '../record.ts';
import type { Delivery } from './delivery.ts';
import type { FleetRates } from './options.ts';
import { newPlantState, type Plant, plantLifecycle, plantsOf, type PlantState, stepPlant } from './plant.ts';

/** The battery plants of a fleet. */
export class Plants {
  readonly #plants: readonly Plant[];
  readonly #origins: readonly PlantState[];
  readonly #startTime: number;
  #states: PlantState[];

  constructor(seed: number, megapacks: number, originTime: number, startTime: number, saved: readonly PlantState[]) {
    this.#startTime = originTime;
    this.#plants = plantsOf(seed, megapacks);
    this.#origins = this.#plants.map((plant) => newPlantState(plant, originTime));
    this.#states = this.#plants.map((plant, i) => withUnits(plant, saved[i], startTime));
  }

  get serials(): string[] {
    return this.#plants.flatMap(({ serials }) => serials);
  }

  /** Time of the newest step; 0 where there are none. */
  get time(): number {
    return this.#states.reduce((newest, { time }) => Math.max(newest, time), 0);
  }

  *lifecycleRecords(cadenceSeconds: number): Generator<LifecycleRecord> {
    for (const plant of this.#plants) yield* plantLifecycle(plant, this.#startTime, cadenceSeconds);
  }

  /** Steps every plant up to `now` and sends what its units tell. */
  stepUntil(now: number, cadenceMs: number, rates: FleetRates, delivery: Delivery): void {
    this.#plants.forEach((plant, i) => {
      const phase = Math.floor(plant.phase * cadenceMs);
      for (;;) {
        const time = (Math.floor((this.#states[i].time - phase) / cadenceMs) + 1) * cadenceMs + phase;
        if (time > now) return;
        const { state, records } = stepPlant(plant, this.#states[i], time, cadenceMs, rates);
        this.#states[i] = state;
        for (const record of records) delivery.send(record, time, state.silence);
      }
    });
  }

  /** Over a time in which nothing is simulated no power flows. */
  skipTo(time: number): void {
    this.#states = this.#states.map((state) => ({
      ...state,
      time: Math.max(state.time, time),
      units: state.units.map((unit) => ({ ...unit, powerW: 0 })),
    }));
  }

  /** Energy by serial since the beginning. */
  *truth(): Generator<[serial: string, { outWh: number; inWh: number }]> {
    for (const [i, { serials }] of this.#plants.entries()) {
      for (const [k, serial] of serials.entries()) {
        const unit = this.#states[i].units[k];
        const origin = this.#origins[i].units[k];
        yield [serial, { outWh: unit.outWh - origin.outWh, inWh: unit.inWh - origin.inWh }];
      }
    }
  }

  save(): PlantState[] {
    return [...this.#states];
  }
}

/** A plant that was saved with fewer units gets the others new; one saved with more loses them. */
function withUnits(plant: Plant, saved: PlantState | undefined, startTime: number): PlantState {
  const fresh = newPlantState(plant, startTime);
  return saved === undefined ? fresh : { ...saved, units: fresh.units.map((unit, k) => saved.units[k] ?? unit) };
}
