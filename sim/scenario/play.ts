import { deviceType } from '../../actors/device/index.ts';
import { siteType } from '../../actors/site/index.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { Partition } from './partition.ts';
import type { Arrival, Scenario } from './script.ts';

/** A fact as the `_current` tables show it. */
export interface CurrentFact {
  readonly type: string;
  readonly key: string;
  readonly serial: string;
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Refusal {
  readonly reason: string;
  /** Index of the arrival that was set aside, in the order in which they were told. */
  readonly told: number;
}

/** The runtime with nobody but the scenario's assets in it, and the places that they tell of where somebody asks. */
export class Stage {
  readonly #devices: Partition;
  readonly #places: Partition | null;
  readonly #newest = new Map<string, DerivedEvent>();
  readonly #refused: Refusal[] = [];
  /** Which arrival each offset of the two topics was. */
  readonly #told = { telemetry: [] as number[], lifecycle: [] as number[] };
  #count = 0;
  #clock = 0;

  private constructor(devices: Partition, places: Partition | null) {
    this.#devices = devices;
    this.#places = places;
  }

  static async open(scenario: Scenario): Promise<Stage> {
    const devices = await Partition.open(configured(scenario));
    const asksPlaces = scenario.expectations.some((e) => e.place);
    return new Stage(devices, asksPlaces ? await Partition.open(siteType) : null);
  }

  /** The partition clock reads `clock`: silences that have lasted long enough are announced. */
  advance(clock: number): void {
    this.#clock = clock;
    this.#devices.advance(clock);
    this.#collect();
  }

  /** The log accepts a record at `accepted`; it is folded while the partition clock reads `clock`. */
  tell({ topic, serial, record }: Arrival, clock: number, accepted = clock): void {
    this.#clock = clock;
    this.#told[topic].push(this.#count++);
    this.#devices.tell(topic, Buffer.from(serial), Buffer.from(JSON.stringify(record)), clock, accepted);
    this.#collect();
  }

  /** The input idles: what is open is published too. */
  publish(): void {
    this.#devices.publish();
    this.#collect();
    // What a site publishes is news to its region.
    while (this.#places?.publish() === true) this.#collect();
  }

  /** Newest version of each fact that is not retracted, by type and key. */
  current(): ReadonlyMap<string, CurrentFact> {
    const current = new Map<string, CurrentFact>();
    for (const id of [...this.#newest.keys()].sort()) {
      const { type, key, serial, eventTime, data, op } = this.#newest.get(id) as DerivedEvent;
      if (op === 'upsert') current.set(id, { type, key, serial, eventTime, data });
    }
    return current;
  }

  get refused(): readonly Refusal[] {
    return this.#refused;
  }

  /** Folds that threw. */
  get failures(): readonly string[] {
    return [...this.#devices.failures, ...(this.#places?.failures ?? [])];
  }

  /** The asset as the doors show it; null where nobody told of it. */
  view(serial: string): AssetView | null {
    return this.#devices.view(serial);
  }

  async close(): Promise<void> {
    await this.#devices.close();
    await this.#places?.close();
  }

  #collect(): void {
    const { events, deadLetters, contributions } = this.#devices.take();
    this.#keep(events);
    for (const { topic, offset, reason } of deadLetters) {
      const told = this.#told[topic === deviceType.topics.lifecycle ? 'lifecycle' : 'telemetry'][offset];
      this.#refused.push({ reason, told });
    }
    if (this.#places === null) return;
    // Places tell places: a site its region.
    for (let more = contributions; ; ) {
      for (const { key, value } of more) this.#places.tell('telemetry', key, value, this.#clock, this.#clock);
      const said = this.#places.take();
      this.#keep(said.events);
      if (said.deadLetters.length > 0)
        throw new Error(`a place refused what it was told: ${said.deadLetters[0].reason}`);
      more = said.contributions;
      if (more.length === 0) return;
    }
  }

  #keep(events: readonly DerivedEvent[]): void {
    for (const event of events) {
      const id = `${event.type} ${event.key}`;
      const known = this.#newest.get(id);
      if (known === undefined || event.version >= known.version) this.#newest.set(id, event);
    }
  }
}

/** The device type with the cadence and the zone that the scenario gives its kinds, as a configuration file would. */
function configured({ assets }: Scenario): ActorType {
  const kinds = deviceType.kinds.map((kind) => {
    const asset = assets.find((a) => a.kind === kind.name);
    if (asset === undefined) return kind;
    const cadenceMs = asset.cadenceMs ?? kind.defaults.cadenceMs;
    return { ...kind, defaults: { cadenceMs, timeZone: asset.timeZone ?? kind.defaults.timeZone } };
  });
  return { ...deviceType, kinds };
}
