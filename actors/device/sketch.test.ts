import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { medianOf, type Sketch, SKETCH_ERROR, withValue } from './sketch.ts';

const sketchOf = (values: readonly number[]) => values.reduce<Sketch>(withValue, []);

describe('sketch of a distribution', () => {
  it('knows the median within its error, in any order of the values', () => {
    const values = fc.array(fc.double({ min: 13_000, max: 13_800, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, (list) => {
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(list.length / 2) - 1];
        expect(Math.abs(medianOf(sketchOf(list)) / exact - 1)).toBeLessThanOrEqual(SKETCH_ERROR * (1 + 1e-9));
        expect(sketchOf(sorted)).toEqual(sketchOf(list));
      }),
    );
  });

  it('stays small, and good above the values that it gave up', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i < 300 ? 1 + i : 13_500));
    const sketch = sketchOf(values);
    expect(sketch.length).toBeLessThanOrEqual(64);
    expect(sketch.reduce((n, b) => n + b[1], 0)).toBe(1000);
    expect(Math.abs(medianOf(sketch) / 13_500 - 1)).toBeLessThanOrEqual(SKETCH_ERROR);
  });

  it('has no median of nothing', () => {
    expect(medianOf([])).toBeNaN();
  });
});
