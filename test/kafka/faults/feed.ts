import { setTimeout as pause } from 'node:timers/promises';
import kafkajs, { type Producer } from 'kafkajs';
import '../../../runtime/log/kafka/mend-kafkajs.ts';
import { homeOf } from '../../../runtime/system/assets.ts';
import { createFleet, defaultRates, type Fleet } from '../../../sim/fleet/index.ts';
import { Random } from '../../../sim/random.ts';
import type { SourceRecord } from '../../../sim/record.ts';

const START = Date.UTC(2026, 2, 1);
/** Time of the fleet between two rounds of readings. */
const CADENCE_MS = 300_000;
const PAUSE_MS = 250;
/** After so many rounds without a rest it slows down: a long fault needs no more of the same. */
const BRISK_ROUNDS = 16;
const LONG_PAUSE_MS = 1_000;

export interface FeedOptions {
  readonly bootstrap: string;
  readonly prefix: string;
  readonly partitions: number;
  readonly seed: number;
  /** Homes; cabinets and Megapacks come beside them. */
  readonly assets: number;
}

/** What nobody can take: each is to become one dead letter. */
const HOSTILE = [
  '',
  '{',
  '[]',
  '{"serial":"PW-000001"}',
  '{"serial":"X","kind":"toaster","deviceTime":"2026-03-01T00:00:00Z"}',
];

/**
 * The producer: a fleet of all kinds with late and doubled readings, faults, outages, silences, lifecycle records and
 * broken lines, written past all processes straight to the broker. It waits while the broker is away.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #producer: Producer;
  #now = START;
  #running: Promise<void> | null = null;
  #isStopping = false;
  /** Records that the broker confirmed. */
  confirmed = 0;

  constructor(options: FeedOptions) {
    const { bootstrap, seed, assets } = options;
    this.#options = options;
    this.#random = Random.of(seed, 'feed');
    const rates = {
      ...defaultRates,
      late: 0.05,
      duplicate: 0.05,
      faultsPerDay: 1,
      outagesPerDay: 1,
      updatesPerDay: 0.5,
    };
    const startTime = START;
    this.#fleet = createFleet({ seed, assets, cabinets: 1, megapacks: 2, cadenceMs: CADENCE_MS, startTime, rates });
    const retry = { retries: 1_000, initialRetryTime: 100, maxRetryTime: 1_000 };
    const kafka = new kafkajs.Kafka({ brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.NOTHING, retry });
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry });
  }

  /** Connects and tells how the fleet was installed. */
  async open(): Promise<void> {
    await this.#producer.connect();
    await this.#send([...this.#fleet.lifecycleRecords()]);
  }

  /** Goes on until {@link Feed.rest}. */
  run(): void {
    this.#isStopping = false;
    this.#running ??= this.#loop();
  }

  /** Resolves when the last record is confirmed. */
  async rest(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
    this.#running = null;
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#producer.disconnect();
  }

  async #loop(): Promise<void> {
    for (let round = 0; !this.#isStopping; round++) {
      await this.#send([...this.#fleet.tick(this.#now)]);
      this.#now += CADENCE_MS;
      await pause(round < BRISK_ROUNDS ? PAUSE_MS : LONG_PAUSE_MS);
    }
  }

  async #send(records: readonly SourceRecord[]): Promise<void> {
    const { prefix, partitions } = this.#options;
    const lines = records.map(({ topic, key, value }) => ({ topic, key, value: JSON.stringify(value) }));
    if (this.#random.chance(0.1)) {
      const topic = this.#random.chance(0.8) ? ('telemetry' as const) : ('lifecycle' as const);
      lines.push({ topic, key: 'PW-000001', value: HOSTILE[this.#random.int(0, HOSTILE.length - 1)] });
    }
    const placed = lines.map((line) => ({ ...line, partition: homeOf(line.key, partitions).partition }));
    // One partition at a time: of several, kafkajs 2.2.4 takes one for written that moved to a broker which had answered.
    for (const topic of ['lifecycle', 'telemetry'] as const) {
      const own = placed.filter((line) => line.topic === topic);
      for (const [partition, list] of Map.groupBy(own, (line) => line.partition)) {
        const messages = list.map(({ key, value }) => ({ key, value, partition }));
        await this.#producer.send({ topic: prefix + topic, messages });
      }
    }
    this.confirmed += lines.length;
  }
}
