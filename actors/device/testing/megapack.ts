import { Fed } from './harness.ts';

export const MINUTE = 60_000;
export const START = Date.UTC(2022, 6, 8, 12);

/** A unit of a megawatt that speaks once a minute. */
export class Unit extends Fed {
  #n = 0;

  constructor() {
    super('megapack');
  }

  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(START + this.#n++ * MINUTE, fields);
    return this;
  }

  /** Lets minutes pass in which nothing is told. */
  skip(minutes: number): this {
    this.#n += minutes;
    return this;
  }

  power(...watts: number[]): this {
    return this.say(...watts.map((powerW) => ({ powerW })));
  }

  get now(): string {
    return this.state('operation');
  }
}

/** Connected at rest, with room in both directions. */
export const connected = () =>
  new Unit().say({ state: 'CONNECTED', powerW: 0, soc: 0.5, availableChargeW: 1e6, availableDischargeW: 1e6 });
