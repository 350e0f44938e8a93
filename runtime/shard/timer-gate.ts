/**
 * Decides whether silence timers may fire: an outage of ours must not become ten thousand outages of theirs.
 *
 * When no partition of this process has had a record for `outageMs`, timers wait; once records flow again, everybody
 * gets `graceMs` to be heard. The decision is free to look at anything: the journal records its outcome.
 */
export class TimerGate {
  readonly #outageMs: number;
  readonly #graceMs: number;
  #lastHeard = 0;
  #graceUntil = 0;

  constructor(outageMs: number, graceMs: number) {
    this.#outageMs = outageMs;
    this.#graceMs = graceMs;
  }

  /** Records arrived at `now` by the wall clock (or, on recovery, the newest partition clock of the life before). */
  heard(now: number): void {
    if (this.#lastHeard !== 0 && now - this.#lastHeard > this.#outageMs) this.#graceUntil = now + this.#graceMs;
    if (now > this.#lastHeard) this.#lastHeard = now;
  }

  allows(now: number): boolean {
    return this.#lastHeard !== 0 && now - this.#lastHeard <= this.#outageMs && now >= this.#graceUntil;
  }
}
