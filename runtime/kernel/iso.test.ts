import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from './iso.ts';

test('writes every time as Date does, remembered or not', () => {
  const time = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });
  fc.assert(
    fc.property(fc.array(time, { maxLength: 50 }), (list) => {
      for (const ms of [...list, ...list]) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
  );
});

test('refuses what is no time', () => {
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
});
