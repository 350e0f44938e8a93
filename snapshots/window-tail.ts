/** Room for what its segment begins with. */
export const SEGMENT_HEAD = 32;

const FIRST_BYTES = 256;

/**
 * What the window of a block was given since its newest segment, laid out as the segment that it becomes. Bytes that
 * were appended stay where they are: views of them hold.
 */
export class WindowTail {
  /** Head and entries; with room behind them. */
  bytes: Buffer;
  /** Of the entries. */
  length = 0;

  /** `isBusy`: as much as `limit` bytes will probably come, so that growing towards it would only leave garbage. */
  constructor(limit: number, isBusy: boolean) {
    this.bytes = Buffer.allocUnsafeSlow(SEGMENT_HEAD + (isBusy ? limit : Math.min(limit, FIRST_BYTES)));
    this.bytes.fill(0, 0, SEGMENT_HEAD);
  }

  get end(): number {
    return SEGMENT_HEAD + this.length;
  }

  /** `limit`: what entries there can be before the tail is closed. An entry may be larger. */
  append(entry: Uint8Array, length: number, limit: number): void {
    const end = this.end + length;
    if (end > this.bytes.length) this.#grow(end, SEGMENT_HEAD + limit);
    copyTo(this.bytes, this.end, entry, length);
    this.length += length;
  }

  /** The segment, its head not filled in yet. The tail is not to be used any more. */
  toSegment(): Buffer {
    const segment = this.bytes.subarray(0, this.end);
    const isFull = this.end >= this.bytes.length * 0.75;
    return isFull ? segment : Buffer.from(segment);
  }

  #grow(needed: number, limit: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(limit, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.end));
    this.bytes = grown;
  }
}

/** Entries are short: a view of one, made for each reading, would cost more than its bytes. */
function copyTo(into: Uint8Array, at: number, bytes: Uint8Array, length: number): void {
  for (let i = 0; i < length; i++) into[at + i] = bytes[i];
}
