import { type AppendRecord, topics } from '../../runtime/log/contract.ts';
import type { KafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { referenceLoad, serialOf, setDeviceTime } from '../reference-load.ts';

const TICK_MS = 20;
const PERIOD_MS = 120_000;

export interface FeedOptions {
  readonly log: KafkaLog;
  readonly assets: number;
  /** Records per second over all assets, one asset after the other. */
  readonly perSecond: number;
  /** Assets whose records {@link FleetFeed.sent} is told of. */
  readonly watched: ReadonlySet<string>;
  readonly sent: (serial: string, at: number) => void;
}

/** A stretch of offsets that was sent at one time, epoch milliseconds. */
interface Stretch {
  readonly start: number;
  readonly at: number;
}

/**
 * The reference load at the pace of the clock: each reading is of the moment at which it is sent; none late, none twice.
 * Batteries change their direction every minute, so that there are events.
 */
export class FleetFeed {
  records = 0;
  readonly #options: FeedOptions;
  readonly #stretches: Stretch[][];
  readonly #homes: readonly ReturnType<typeof homeOf>[];
  #isStopping = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { log, assets } = options;
    this.#homes = Array.from({ length: assets }, (_, a) => homeOf(serialOf(a), log.partitions));
    this.#stretches = this.#homes.slice(0, log.partitions).map(() => []);
  }

  /** When the record at `offset` was sent, or null. */
  sentAt(partition: number, offset: number): number | null {
    const stretches = this.#stretches[partition];
    let [low, high] = [0, stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (stretches[middle].start <= offset) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : stretches[low - 1].at;
  }

  /** For so long, ms, or until {@link stop}; resolves when all is in the log. A feed that falls behind its pace is an error. */
  async run(ms: number): Promise<void> {
    const { assets, perSecond } = this.#options;
    // Whole milliseconds: the time is written over digit by digit.
    const cadenceMs = Math.max(1, Math.round((1000 * assets) / perSecond));
    const records = referenceLoad({ assets, steps: 1_000_000, cadenceMs, late: 0, duplicate: 0, periodMs: PERIOD_MS });
    const appends: Promise<void>[] = [];
    const began = performance.now();
    let made = 0;
    while (!this.#isStopping && performance.now() - began < ms) {
      const due = Math.floor(((performance.now() - began) * perSecond) / 1000);
      if (due - made > 5 * perSecond) throw new Error(`${perSecond} records a second are more than can be made here`);
      if (due > made) appends.push(this.#send(records, due - made));
      made = due;
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(appends);
  }

  stop(): void {
    this.#isStopping = true;
  }

  async #send(records: Iterator<{ readonly key: string; readonly value: Buffer }>, count: number): Promise<void> {
    const { log, watched, sent, assets } = this.#options;
    const now = Date.now();
    const byPartition: AppendRecord[][] = this.#stretches.map(() => []);
    for (let i = 0; i < count; i++) {
      const { key: serial, value } = records.next().value as { key: string; value: Buffer };
      const { key, partition } = this.#homes[(this.records + i) % assets];
      setDeviceTime(value, now);
      byPartition[partition].push({ key, value });
      if (watched.has(serial)) sent(serial, now);
    }
    this.records += count;
    await Promise.all(
      byPartition.map(async (list, p) => {
        if (list.length === 0) return;
        const { start } = await log.append(topics.telemetry, p, list);
        this.#stretches[p].push({ start, at: now });
      }),
    );
  }
}
