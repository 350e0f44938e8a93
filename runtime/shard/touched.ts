/** Assets that changed since somebody was last told, kept only while somebody watches. At most `MAX_TOUCHED` are named. */
const MAX_TOUCHED = 200_000;

export class Touched {
  readonly #open = new Set<number>();

  readonly note = (blockId: number, slot: number): void => {
    if (this.#open.size < MAX_TOUCHED) this.#open.add(blockId * 65536 + slot);
  };

  get count(): number {
    return this.#open.size;
  }

  /** Names each of them once, as (block, slot), and forgets them. */
  drain(use: (blockId: number, slot: number) => void): void {
    for (const id of this.#open) use(Math.floor(id / 65536), id % 65536);
    this.#open.clear();
  }
}
