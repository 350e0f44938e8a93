import type { LifecycleRecord } from '../record.ts';
import {
  type Cabinet,
  cabinetLifecycle,
  type CabinetState,
  makeCabinet,
  newCabinetState,
  stepCabinet,
} from './cabinet.ts';
import type { Delivery } from './delivery.ts';
import type { FleetRates } from './options.ts';

/** The charging sites of a fleet: cabinets with four stalls each. */
export class Cabinets {
  readonly #cabinets: readonly Cabinet[];
  readonly #origins: readonly CabinetState[];
  readonly #startTime: number;
  #states: CabinetState[];

  constructor(seed: number, count: number, originTime: number, startTime: number, saved: readonly CabinetState[]) {
    this.#startTime = originTime;
    this.#cabinets = Array.from({ length: count }, (_, i) => makeCabinet(seed, i + 1));
    this.#origins = this.#cabinets.map((cabinet) => newCabinetState(cabinet, originTime));
    this.#states = this.#cabinets.map((cabinet, i) => saved[i] ?? newCabinetState(cabinet, startTime));
  }

  get serials(): string[] {
    return this.#cabinets.flatMap(({ serials }) => serials);
  }

  /** Time of the newest step; 0 where there are none. */
  get time(): number {
    return this.#states.reduce((newest, { time }) => Math.max(newest, time), 0);
  }

  *lifecycleRecords(cadenceSeconds: number): Generator<LifecycleRecord> {
    for (const cabinet of this.#cabinets) yield* cabinetLifecycle(cabinet, this.#startTime, cadenceSeconds);
  }

  /** Steps every cabinet up to `now` and sends what its stalls tell. */
  stepUntil(now: number, cadenceMs: number, rates: FleetRates, delivery: Delivery): void {
    this.#cabinets.forEach((cabinet, i) => {
      const phase = Math.floor(cabinet.phase * cadenceMs);
      for (;;) {
        const time = (Math.floor((this.#states[i].time - phase) / cadenceMs) + 1) * cadenceMs + phase;
        if (time > now) return;
        const { state, records } = stepCabinet(cabinet, this.#states[i], time, cadenceMs, rates);
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
      stalls: state.stalls.map((stall) => ({ ...stall, powerW: 0 })),
    }));
  }

  /** Energy by serial since the beginning. */
  *truth(): Generator<[serial: string, { outWh: number; inWh: number }]> {
    for (const [i, { serials }] of this.#cabinets.entries()) {
      for (const [k, serial] of serials.entries()) {
        const inWh = this.#states[i].stalls[k].deliveredWh - this.#origins[i].stalls[k].deliveredWh;
        yield [serial, { outWh: 0, inWh }];
      }
    }
  }

  save(): CabinetState[] {
    return [...this.#states];
  }
}
