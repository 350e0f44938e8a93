/**
 * Counts of positive values in bins of equal relative width (DDSketch, Masson, Rim and Lee, VLDB 2019): a quantile comes
 * back within {@link SKETCH_ERROR} of the true one, whatever the order of the values.
 */
export type Sketch = readonly (readonly [bin: number, count: number])[];

/** Relative error of a quantile. */
export const SKETCH_ERROR = 0.0005;
/** A wider sketch loses its lowest bins: quantiles above them stay as good. 64 bins span 6.6 %. */
const MAX_BINS = 64;
const GAMMA = (1 + SKETCH_ERROR) / (1 - SKETCH_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

/** The sketch with one more value, which must be above zero. Bins are in ascending order. */
export function withValue(sketch: Sketch, value: number): Sketch {
  const bin = Math.ceil(Math.log(value) / LOG_GAMMA);
  const i = sketch.findIndex((b) => b[0] >= bin);
  const at = i < 0 ? sketch.length : i;
  const known = sketch[at]?.[0] === bin;
  const entry = [bin, known ? sketch[at][1] + 1 : 1] as const;
  const bins = [...sketch.slice(0, at), entry, ...sketch.slice(known ? at + 1 : at)];
  if (bins.length <= MAX_BINS) return bins;
  const [[, lost], [next, count], ...rest] = bins;
  return [[next, count + lost], ...rest];
}

/** The median (the lower one of an even number), or NaN of no values. */
export function medianOf(sketch: Sketch): number {
  const count = sketch.reduce((sum, b) => sum + b[1], 0);
  let below = 0;
  for (const [bin, n] of sketch) {
    below += n;
    if (below * 2 >= count) return (2 * GAMMA ** bin) / (GAMMA + 1);
  }
  return Number.NaN;
}
