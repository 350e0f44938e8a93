const STEP_MS = 500;
/** A half second with a longer wait in it counts as a stall. */
const STALL_MS = 250;

/** The longest wait of what was sent in each half second: what a quantile over all waits hides. */
export class HalfSeconds {
  readonly #worst = new Map<number, number>();

  /** What was sent at `sentAt`, epoch ms, was seen `waitedMs` later. */
  note(sentAt: number, waitedMs: number): void {
    const step = Math.floor(sentAt / STEP_MS);
    this.#worst.set(step, Math.max(this.#worst.get(step) ?? 0, waitedMs));
  }

  /** One number by half second that something was sent in, in order, ms. */
  get worst(): number[] {
    return this.#inOrder().map(([, ms]) => ms);
  }

  /** Half seconds over 250 ms in a row are one stall. `halfSeconds`: in all stalls; `longestMs`: the longest wait. */
  get stalls(): { overMs: number; count: number; halfSeconds: number; longestMs: number } {
    const stalled = this.#inOrder().filter(([, ms]) => ms > STALL_MS);
    const count = stalled.filter(([step], i) => step !== (stalled[i - 1]?.[0] ?? Number.NaN) + 1).length;
    const longestMs = Math.max(0, ...stalled.map(([, ms]) => ms));
    return { overMs: STALL_MS, count, halfSeconds: stalled.length, longestMs };
  }

  #inOrder(): [step: number, ms: number][] {
    return [...this.#worst].sort(([a], [b]) => a - b);
  }
}
