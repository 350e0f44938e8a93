import { hasPassed } from './elapsed.ts';

/** What was seen of the log longer ago says nothing of who is silent now. */
const SIGHT_MS = 15_000;

/**
 * Whether what stood in the log moments ago is folded. Until then nobody is silent: the sign of life that a timer waits
 * for may be among what is not read yet.
 */
export class Sight {
  readonly #endOfReadings: () => number;
  /** Where the input ended when it was last looked at, and when that was. */
  #end: number;
  #at: number;

  constructor(endOfReadings: () => number, now: number) {
    this.#endOfReadings = endOfReadings;
    this.#end = endOfReadings();
    this.#at = now;
  }

  /** `next`: offset of the next reading to fold; `now`: wall time, ms. */
  hasCaughtUp(next: number, now: number): boolean {
    if (next < this.#end) return false;
    const isRecent = !hasPassed(SIGHT_MS, this.#at, now);
    this.#end = this.#endOfReadings();
    this.#at = now;
    return next >= this.#end || isRecent;
  }
}
