/** ASCII without control characters, quotes and backslashes: what looks in JSON bytes as it is. */
export const isPlain = (word: string) => /^[\x20-\x7e]*$/.test(word) && !/["\\]/.test(word);

/**
 * Finds which of a fixed list of plain words stands at a place in JSON bytes, without making a string. `behind` is what
 * follows the closing quote where a guess shall match: ':' for keys, nothing for values.
 */
export class WordTable {
  /** All words, each in its quotes and with what follows, one after the other; word i is [starts[i], starts[i + 1]). */
  private readonly text: Uint8Array;
  private readonly starts: Int32Array;
  private readonly view: DataView;
  private readonly tail: number;
  private readonly slots: Int16Array;
  private readonly mask: number;
  private readonly emptyWord: number;

  constructor(words: readonly string[], behind: ':' | '') {
    this.text = new Uint8Array(Buffer.from(words.map((word) => `"${word}"${behind}`).join('')));
    this.view = new DataView(this.text.buffer, this.text.byteOffset, this.text.byteLength);
    this.starts = new Int32Array(words.length + 1);
    this.tail = 1 + behind.length;
    this.emptyWord = words.indexOf('');
    let size = 16;
    while (size < words.length * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int16Array(size).fill(-1);
    words.forEach((word, i) => {
      this.starts[i + 1] = this.starts[i] + 1 + word.length + this.tail;
      if (word !== '') this.place(i);
    });
  }

  private place(i: number): void {
    let slot = slotOf(this.text, this.starts[i] + 1, this.starts[i + 1] - this.tail) & this.mask;
    while (this.slots[slot] >= 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = i;
  }

  /** Index of the word in bytes [start, end), which lie between two quotes; -1 when it is none of the list. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return this.emptyWord;
    const mask = this.mask;
    let slot = slotOf(bytes, start, end) & mask;
    for (let i = this.slots[slot]; i >= 0; i = this.slots[slot]) {
      if (this.sameAt(bytes, start, end, i)) return i;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  private sameAt(bytes: Uint8Array, start: number, end: number, i: number): boolean {
    const from = this.starts[i] + 1;
    if (this.starts[i + 1] - this.tail - from !== end - start) return false;
    const text = this.text;
    for (let p = start, t = from; p < end; p++, t++) if (bytes[p] !== text[t]) return false;
    return true;
  }

  /**
   * Checks a guess, four bytes at a time: the position behind word `i` in its quotes, with what follows them, when exactly
   * that stands at `at`; else -1. Only words that end before `stop` count, and not those of under two letters.
   */
  behind(bytes: DataView, at: number, stop: number, i: number): number {
    const from = this.starts[i];
    const to = this.starts[i + 1];
    const end = at + to - from;
    if (!(end <= stop && to - from >= 4)) return -1;
    const text = this.view;
    if (text.getInt32(to - 4, true) !== bytes.getInt32(end - 4, true)) return -1;
    for (let t = from, p = at; t < to - 4; t += 4, p += 4) {
      if (text.getInt32(t, true) !== bytes.getInt32(p, true)) return -1;
    }
    return end;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  return (end - start) * 7 + bytes[start] * 31 + bytes[(start + end) >> 1] * 57 + bytes[end - 1] * 131;
}
