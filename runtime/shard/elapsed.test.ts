import { expect, test } from 'vitest';
import { hasPassed } from './elapsed.ts';

test.each([
  [100, 1_000, 1_099, false],
  [100, 1_000, 1_100, true],
  [0, 1_000, 1_000, true],
  [100, 1_000, 400, true],
])('%i ms since %i at %i: %s', (ms, since, now, passed) => {
  expect(hasPassed(ms, since, now)).toBe(passed);
});
