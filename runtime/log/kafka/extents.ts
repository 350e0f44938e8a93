import type { Extent } from '../contract.ts';

interface Known {
  start: number;
  end: number;
  /** Raised by each observation. */
  version: number;
  /** Monotonic ms. */
  observedAt: number;
  askedAt: number;
  readonly listeners: Set<() => void>;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** The extents of partitions as far as answers of the broker have told them, and who wants to hear that one grew. */
export class Extents {
  readonly #known = new Map<string, Known>();
  readonly #failed: (topic: string, error: unknown) => void;

  /** `failed` is told of a listener that throws. */
  constructor(failed: (topic: string, error: unknown) => void) {
    this.#failed = failed;
  }

  get(topic: string, partition: number): Extent {
    const known = this.#of(topic, partition);
    known.askedAt = performance.now();
    return { start: known.start, end: known.end };
  }

  /** True once an answer told it. */
  has(topic: string, partition: number): boolean {
    return this.#of(topic, partition).observedAt !== NEVER;
  }

  version(topic: string, partition: number): number {
    return this.#of(topic, partition).version;
  }

  /** Of an answer that may be older than what is known: neither end goes back. Tells the listeners when `end` grew. */
  observe(topic: string, partition: number, start: number, end: number): void {
    const known = this.#of(topic, partition);
    const hasGrown = end > known.end;
    known.start = Math.max(known.start, start);
    known.end = Math.max(known.end, end);
    known.version += 1;
    known.observedAt = performance.now();
    if (hasGrown) this.notify(topic, partition);
  }

  /** Of an answer that was asked for at `version`: where nothing came in between it is the truth, even if it goes back. */
  correct(topic: string, partition: number, version: number, extent: Extent): void {
    const known = this.#of(topic, partition);
    if (known.version === version) known.end = Math.min(known.end, extent.end);
    this.observe(topic, partition, extent.start, extent.end);
  }

  listen(topic: string, partition: number, listener: () => void): () => void {
    const { listeners } = this.#of(topic, partition);
    // Wrapped, so that the same function can be registered twice and each unsubscribe ends its own.
    const own = () => listener();
    listeners.add(own);
    return () => listeners.delete(own);
  }

  isHeard(topic: string, partition: number): boolean {
    return this.#of(topic, partition).listeners.size > 0;
  }

  notify(topic: string, partition: number): void {
    for (const listener of this.#of(topic, partition).listeners) {
      try {
        listener();
      } catch (error) {
        this.#failed(topic, error);
      }
    }
  }

  /** Partitions that somebody asked for within `withinMs` and of which no answer told anything for `silentMs`. */
  stale(withinMs: number, silentMs: number): { topic: string; partition: number }[] {
    const now = performance.now();
    const stale: { topic: string; partition: number }[] = [];
    for (const [key, { askedAt, observedAt, listeners }] of this.#known) {
      if (now - observedAt < silentMs || (now - askedAt > withinMs && listeners.size === 0)) continue;
      const slash = key.lastIndexOf('/');
      stale.push({ topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) });
    }
    return stale;
  }

  #of(topic: string, partition: number): Known {
    const key = `${topic}/${partition}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made: Known = { start: 0, end: 0, version: 0, observedAt: NEVER, askedAt: NEVER, listeners: new Set() };
    this.#known.set(key, made);
    return made;
  }
}
