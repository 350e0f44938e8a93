const SLOTS = 1024;
const MAX_SLICE_BYTES = 1024;

/**
 * Remembers what slices of bytes meant, so that texts and lists that come again and again are not made anew: one place per
 * hash, the newest wins. Holds at most 1024 slices of 1 KiB. What it gives out is shared by many readings.
 */
export class SliceCache<T> {
  private readonly slices: (Uint8Array | null)[] = new Array(SLOTS).fill(null);
  private readonly meanings: (T | null)[] = new Array(SLOTS).fill(null);

  /** What bytes [start, end) meant, or null. */
  get(bytes: Uint8Array, start: number, end: number): T | null {
    const slot = slotOf(bytes, start, end);
    const slice = this.slices[slot];
    if (slice === null || slice.length !== end - start) return null;
    for (let i = 0, p = start; p < end; i++, p++) if (slice[i] !== bytes[p]) return null;
    return this.meanings[slot];
  }

  put(bytes: Uint8Array, start: number, end: number, meaning: T): void {
    if (end - start > MAX_SLICE_BYTES) return;
    const slot = slotOf(bytes, start, end);
    this.slices[slot] = Uint8Array.from(bytes.subarray(start, end));
    this.meanings[slot] = meaning;
  }
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let h = end - start;
  for (let p = start; p < end; p++) h = (Math.imul(h, 31) + bytes[p]) | 0;
  return (h ^ (h >>> 15)) & (SLOTS - 1);
}
