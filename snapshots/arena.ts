const SLAB_BYTES = 1024 * 1024;
/** Free slabs kept between batches; a cut that is copied at once takes more and gives them back. */
const KEPT_SLABS = 4;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  live: number;
}

/** A piece of a slab; `release` it once. */
export class Piece {
  readonly bytes: Buffer;
  readonly #slab: Slab;
  readonly #release: (slab: Slab) => void;

  constructor(bytes: Buffer, slab: Slab, release: (slab: Slab) => void) {
    this.bytes = bytes;
    this.#slab = slab;
    this.#release = release;
  }

  release(): void {
    this.#release(this.#slab);
  }
}

/** Short-lived buffers cut from a few large ones, so that a snapshot neither strews nor zeroes memory. */
export class Arena {
  readonly #free: Slab[] = [];
  #current: Slab | null = null;

  /** `size` bytes with undefined content. */
  take(size: number): Piece {
    if (this.#current === null || this.#current.used + size > this.#current.bytes.length) this.#next(size);
    const slab = this.#current!;
    const bytes = slab.bytes.subarray(slab.used, slab.used + size);
    slab.used += size;
    slab.live++;
    return new Piece(bytes, slab, this.#release);
  }

  readonly #release = (slab: Slab): void => {
    if (--slab.live > 0) return;
    slab.used = 0;
    if (slab !== this.#current && slab.bytes.length === SLAB_BYTES && this.#free.length < KEPT_SLABS) {
      this.#free.push(slab);
    }
  };

  #next(size: number): void {
    const kept = size <= SLAB_BYTES ? this.#free.pop() : undefined;
    this.#current = kept ?? { bytes: Buffer.allocUnsafeSlow(Math.max(size, SLAB_BYTES)), used: 0, live: 0 };
  }
}
