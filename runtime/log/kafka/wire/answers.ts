/** What no answer exceeds: the bounds of a fetch stay far below it. */
const MAX_BYTES = 1 << 30;
const SIZE_BYTES = 4;

/**
 * Puts the answers of one connection together from what its socket brings. Each gets a buffer of its own size that is
 * filled once; what is pushed may be overwritten afterwards.
 */
export class Answers {
  readonly #deliver: (answer: Buffer) => void;
  readonly #size = Buffer.alloc(SIZE_BYTES);
  #sizeBytes = 0;
  #answer: Buffer | null = null;
  #filled = 0;

  /** `deliver` gets each answer as it stood on the wire, its size in front. */
  constructor(deliver: (answer: Buffer) => void) {
    this.#deliver = deliver;
  }

  /** Throws an Error where a size cannot be one: what follows it makes no sense. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      at += this.#answer === null ? this.#readSize(chunk, at) : this.#fill(this.#answer, chunk, at);
    }
  }

  #readSize(chunk: Uint8Array, at: number): number {
    const bytes = Math.min(SIZE_BYTES - this.#sizeBytes, chunk.length - at);
    this.#size.set(chunk.subarray(at, at + bytes), this.#sizeBytes);
    this.#sizeBytes += bytes;
    if (this.#sizeBytes < SIZE_BYTES) return bytes;
    const size = this.#size.readInt32BE(0);
    if (size < 0 || size > MAX_BYTES) throw new Error(`the broker begins an answer of ${size} bytes`);
    this.#answer = Buffer.allocUnsafe(SIZE_BYTES + size);
    this.#answer.set(this.#size);
    this.#filled = SIZE_BYTES;
    if (size === 0) this.#finish(this.#answer);
    return bytes;
  }

  #fill(answer: Buffer, chunk: Uint8Array, at: number): number {
    const bytes = Math.min(answer.length - this.#filled, chunk.length - at);
    answer.set(bytes === chunk.length ? chunk : chunk.subarray(at, at + bytes), this.#filled);
    this.#filled += bytes;
    if (this.#filled === answer.length) this.#finish(answer);
    return bytes;
  }

  #finish(answer: Buffer): void {
    this.#answer = null;
    this.#sizeBytes = 0;
    this.#deliver(answer);
  }
}
