import type { KafkaConnection } from './connection.ts';

/** Whether the cluster answers. */
export interface KafkaHealth {
  readonly ok: boolean;
  /** Since when it is so, epoch milliseconds. */
  readonly since: number;
  /** Why not; empty while all is well. */
  readonly reason: string;
}

/** Collects what parts of the log fail at; says the beginning and the end of an outage once. */
export class Health {
  readonly #message: KafkaConnection['message'];
  readonly #now: () => number;
  /** By part of the log, what it last failed with. */
  readonly #failing = new Map<string, string>();
  #since: number;
  /** Attempts that were repeated, in all. */
  retries = 0;

  constructor(message: KafkaConnection['message'], now: () => number) {
    this.#message = message;
    this.#now = now;
    this.#since = now();
  }

  get state(): KafkaHealth {
    const [reason = ''] = this.#failing.values();
    return { ok: this.#failing.size === 0, since: this.#since, reason };
  }

  /** An attempt that is going to be repeated. */
  failed(part: string, reason: string): void {
    this.retries += 1;
    this.waits(part, reason);
  }

  /** Something is not done yet that should be. */
  waits(part: string, reason: string): void {
    if (this.#failing.size === 0) {
      this.#since = this.#now();
      this.#message('warn', 'Kafka does not answer as it should; waiting', { part, reason });
    }
    this.#failing.set(part, reason);
  }

  worked(part: string): void {
    if (!this.#failing.delete(part) || this.#failing.size > 0) return;
    const seconds = (this.#now() - this.#since) / 1000;
    this.#since = this.#now();
    this.#message('info', 'Kafka answers again', { after_seconds: seconds });
  }
}
