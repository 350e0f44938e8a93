import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packRows, unpackRows } from './packing.ts';

const number = fc.oneof(
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.integer().map((n) => n / 1000),
  fc.double({ noDefaultInfinity: true }).map((n) => n + 0),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, -(2 ** 53), 1e300, 5e-324),
);

test('rows come back as they were', () => {
  const rows = fc.integer({ min: 1, max: 12 }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      rows: fc.array(fc.array(number, { minLength: width, maxLength: width }), { maxLength: 60 }),
    }),
  );
  fc.assert(
    fc.property(rows, ({ width, rows }) => {
      const flat = rows.flat();
      const back = unpackRows(packRows(flat, width), width);
      expect(back).toHaveLength(flat.length);
      back.forEach((value, i) => {
        expect(Object.is(value, flat[i]) || value === flat[i]).toBe(true);
      });
    }),
    { numRuns: 1000 },
  );
});

test('readings of a home take a few bytes a value', () => {
  const rows = Array.from({ length: 36 }, (_, i) => [
    28_620_000 + i * 5,
    100 + i * 2,
    0,
    900_000,
    1000 + i * 37,
    0.5 + i / 1000,
  ]);
  expect(packRows(rows.flat(), 6).length).toBeLessThan(36 * 12);
});
