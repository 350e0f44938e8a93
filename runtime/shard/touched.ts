/** Assets that the commit in progress has changed, kept only while somebody watches. At most `MAX_TOUCHED` per commit are named. */
const MAX_TOUCHED = 200_000;

export class Touched {
  #open = new Set<number>();
  #confirmed: readonly number[] = [];

  readonly note = (blockId: number, slot: number): void => {
    if (this.#open.size < MAX_TOUCHED) this.#open.add(blockId * 65536 + slot);
  };

  take(): readonly number[] {
    if (this.#open.size === 0) return [];
    const taken = [...this.#open];
    this.#open.clear();
    return taken;
  }

  confirmed(ids: readonly number[]): void {
    this.#confirmed = ids;
  }

  /** Assets of the newest confirmed commit, as (block, slot). */
  each(use: (blockId: number, slot: number) => void): void {
    for (const id of this.#confirmed) use(Math.floor(id / 65536), id % 65536);
  }

  get count(): number {
    return this.#confirmed.length;
  }
}
