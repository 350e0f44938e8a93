/** Wall time and timers behind one door, so that tests drive time by hand. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls `run` once, `delayMs` from now; returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A clock that moves only when told to. Due timers run inside `advance`, in order of their due time. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { due: number; run: () => void }[] = [];

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { due: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  advance(byMs: number): void {
    const target = this.#now + byMs;
    for (;;) {
      const next = this.#timers.filter((t) => t.due <= target).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#now = Math.max(this.#now, next.due);
      next.run();
    }
    this.#now = target;
  }
}
