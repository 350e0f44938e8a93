const SLOTS = 1024;
const times = new Float64Array(SLOTS).fill(Number.NaN);
const texts = new Array<string>(SLOTS).fill('');

/**
 * RFC 3339 in UTC with milliseconds, as `Date.toISOString` writes it. The facts of one turn name the same few times
 * again and again, and making the text is the dearest part of a derived event: the last ones are remembered.
 */
export function isoTime(ms: number): string {
  const slot = (Math.imul((ms % 4294967296) | 0, 0x9e3779b1) >>> 22) & (SLOTS - 1);
  if (times[slot] === ms) return texts[slot];
  const text = new Date(ms).toISOString();
  times[slot] = ms;
  texts[slot] = text;
  return text;
}
