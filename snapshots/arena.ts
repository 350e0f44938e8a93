const SLAB_BYTES = 1024 * 1024;
/**
 * Free slabs kept, by all partitions of the process together: enough to copy a cut of some 250,000 assets in one turn.
 * Memory that the system has to hand out anew costs seven times the copy itself.
 */
const KEPT_SLABS = 40;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  live: number;
}

const free: Slab[] = [];

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
    if (slab !== this.#current && slab.bytes.length === SLAB_BYTES && free.length < KEPT_SLABS) {
      free.push(slab);
    }
  };

  #next(size: number): void {
    const kept = size <= SLAB_BYTES ? free.pop() : undefined;
    this.#current = kept ?? { bytes: Buffer.allocUnsafeSlow(Math.max(size, SLAB_BYTES)), used: 0, live: 0 };
  }
}
