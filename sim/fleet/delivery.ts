import { MinHeap } from '../heap.ts';
import { Random } from '../random.ts';
import { isTelemetry, type SourceRecord, telemetry } from '../record.ts';
import type { Fault } from './fault.ts';
import type { FleetRates } from './options.ts';

export interface Pending {
  /** Epoch milliseconds at which the record reaches the door. */
  readonly at: number;
  readonly order: number;
  readonly record: SourceRecord;
}

/**
 * The way from the assets to the door: on time, late, twice, or after a silence. Everything passes through one queue that is
 * ordered by delivery; it holds at most `limit` records, and when it is full the newest are lost, as in a device's memory.
 */
export class Delivery {
  readonly #rates: FleetRates;
  readonly #seed: number;
  readonly #limit: number;
  #queue = new MinHeap<Pending>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #order = 0;
  /** Records for which there was no room. */
  lost = 0;

  constructor(seed: number, rates: FleetRates, limit: number) {
    this.#seed = seed;
    this.#rates = rates;
    this.#limit = limit;
  }

  /** Takes what an asset measured at `time`. */
  send(record: SourceRecord, time: number, silence: Fault | null): void {
    if (!isTelemetry(record)) {
      this.#push(record, time);
      return;
    }
    if (silence !== null) {
      this.#push(telemetry({ ...record.value, resend: true }), Math.ceil(silence.until));
      return;
    }
    const random = Random.of(this.#seed, record.key, time, 'way');
    const at = random.chance(this.#rates.late) ? time + Math.ceil(random.between(0, this.#rates.maxLateMs)) : time;
    this.#push(record, at);
    if (random.chance(this.#rates.duplicate)) {
      this.#push(record, at + Math.floor(random.between(0, this.#rates.maxLateMs / 10)));
    }
  }

  /** What has reached the door by `now`, in order. */
  drain(now: number): SourceRecord[] {
    const arrived: SourceRecord[] = [];
    for (let next = this.#queue.peek(); next !== undefined && next.at <= now; next = this.#queue.peek()) {
      arrived.push(next.record);
      this.#queue.pop();
    }
    return arrived;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  pending(): Pending[] {
    return [...this.#queue.items()];
  }

  restore(pending: readonly Pending[]): void {
    for (const item of pending) {
      this.#queue.push(item);
      this.#order = Math.max(this.#order, item.order + 1);
    }
  }

  #push(record: SourceRecord, at: number): void {
    if (this.#queue.size >= this.#limit) {
      this.lost += 1;
      return;
    }
    this.#queue.push({ at, order: this.#order++, record });
  }
}
