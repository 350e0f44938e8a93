/** ASCII without control characters, quotes and backslashes: what looks in JSON bytes as it is. */
export const isPlain = (word: string) => /^[\x20-\x7e]*$/.test(word) && !/["\\]/.test(word);

/** Finds which of a fixed list of plain words stands at a place in the bytes, without making a string. */
export class WordTable {
  /** All words one after the other; word i is [starts[i], starts[i + 1]). */
  private readonly text: Uint8Array;
  private readonly starts: Int32Array;
  private readonly slots: Int16Array;
  private readonly mask: number;
  private readonly emptyWord: number;

  constructor(words: readonly string[]) {
    this.text = new Uint8Array(Buffer.from(words.join('')));
    this.starts = new Int32Array(words.length + 1);
    this.emptyWord = words.indexOf('');
    let size = 16;
    while (size < words.length * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int16Array(size).fill(-1);
    words.forEach((word, i) => {
      this.starts[i + 1] = this.starts[i] + word.length;
      if (word !== '') this.place(i);
    });
  }

  private place(i: number): void {
    let slot = slotOf(this.text, this.starts[i], this.starts[i + 1]) & this.mask;
    while (this.slots[slot] >= 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = i;
  }

  /** Index of the word in bytes [start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return this.emptyWord;
    const mask = this.mask;
    let slot = slotOf(bytes, start, end) & mask;
    for (let i = this.slots[slot]; i >= 0; i = this.slots[slot]) {
      if (this.starts[i + 1] - this.starts[i] === end - start && this.sameAt(bytes, start, i)) return i;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** End of word `i` when it, and a quote behind it, stand at `at`; else -1. `stop` bounds the look ahead. */
  matches(bytes: Uint8Array, at: number, stop: number, i: number): number {
    const end = at + this.starts[i + 1] - this.starts[i];
    return end < stop && bytes[end] === 0x22 && this.sameAt(bytes, at, i) ? end : -1;
  }

  private sameAt(bytes: Uint8Array, at: number, i: number): boolean {
    const text = this.text;
    let p = at;
    for (let t = this.starts[i], stop = this.starts[i + 1]; t < stop; t++, p++) if (text[t] !== bytes[p]) return false;
    return true;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  return (end - start) * 7 + bytes[start] * 31 + bytes[(start + end) >> 1] * 57 + bytes[end - 1] * 131;
}
