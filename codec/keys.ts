import { endOfPlain, skipSpace } from './ascii.ts';

/** Finds the key of an object's next member where no guess fits. */
export class KeyFinder {
  /** The key that was found last is bytes [start, end), without its quotes. */
  start = 0;
  end = 0;

  /** Finds the key at `at` or behind white space there; position behind its colon, -1 when there is no plain one. */
  find(bytes: Uint8Array, at: number, last: number): number {
    const quote = skipSpace(bytes, at);
    if (bytes[quote] !== 0x22) return -1;
    const close = endOfPlain(bytes, quote + 1, last);
    if (close < 0) return -1;
    this.start = quote + 1;
    this.end = close;
    const colon = skipSpace(bytes, close + 1);
    return bytes[colon] === 0x3a ? colon + 1 : -1;
  }
}
