/** The partitions of a process have their places within so long; longer intervals are divided into such stretches. */
const LONGEST_SPREAD_MS = 30_000;
/** Part of the spread by which a snapshot is taken early to come back to its place, and for which it waits for its turn. */
const LEEWAY = 1 / 8;

/**
 * Who of a process takes a snapshot when: each partition of each actor type has its place in the interval, and one is
 * at work at a time, in the order in which they asked. Nobody waits for long: what bounds a replay goes before what
 * is smooth.
 */
export class SnapshotTurns {
  readonly #intervalMs: number;
  readonly #seats: number;
  readonly #spreadMs: number;
  /** Who waits, since when. */
  readonly #waiting = new Map<Seat, number>();
  #holder: Seat | null = null;

  /** `seats` is how many partitions take snapshots, over all actor types. */
  constructor(intervalMs: number, seats: number) {
    this.#intervalMs = intervalMs;
    this.#seats = seats;
    this.#spreadMs = Math.floor(intervalMs / Math.ceil(intervalMs / LONGEST_SPREAD_MS));
  }

  seat(index: number): Seat {
    return new Seat(this, Math.floor((this.#spreadMs * index) / this.#seats));
  }

  /** See {@link Seat.dueAfter}. */
  dueAfter(from: number, placeMs: number, isFirst: boolean): number {
    const regular = from + this.#intervalMs;
    const pastPlace = (regular - placeMs) % this.#spreadMs;
    return regular - (isFirst ? pastPlace : Math.min(pastPlace, Math.floor(this.#spreadMs * LEEWAY)));
  }

  /** See {@link Seat.take}. */
  take(seat: Seat, now: number): boolean {
    const since = this.#waiting.get(seat) ?? now;
    this.#waiting.set(seat, since);
    if (this.#isInTime(since, now) && !this.#isNext(seat, now)) return false;
    this.#waiting.delete(seat);
    this.#holder ??= seat;
    return true;
  }

  leave(seat: Seat): void {
    this.#waiting.delete(seat);
    if (this.#holder === seat) this.#holder = null;
  }

  /** Whoever has waited too long has gone without a turn, or does not come any more: nobody waits for it. */
  #isNext(seat: Seat, now: number): boolean {
    if (this.#holder !== null) return false;
    for (const [other, since] of this.#waiting) if (this.#isInTime(since, now)) return other === seat;
    return true;
  }

  #isInTime(since: number, now: number): boolean {
    return now >= since && now - since < this.#spreadMs * LEEWAY;
  }
}

/** One partition's part in the turns. */
export class Seat {
  readonly #turns: SnapshotTurns;
  readonly #placeMs: number;

  constructor(turns: SnapshotTurns, placeMs: number) {
    this.#turns = turns;
    this.#placeMs = placeMs;
  }

  /**
   * When the next snapshot is due after one at `from`, epoch ms: an interval later, or earlier by as much as brings it
   * nearer to its place; after the start (`isFirst`) at its place at once.
   */
  dueAfter(from: number, isFirst: boolean): number {
    return this.#turns.dueAfter(from, this.#placeMs, isFirst);
  }

  /** Whether a snapshot may begin; ask again until it may. True too where the turn was waited for long enough. */
  take(now: number): boolean {
    return this.#turns.take(this, now);
  }

  /** Ends a turn, or the waiting for one. */
  leave(): void {
    this.#turns.leave(this);
  }
}
