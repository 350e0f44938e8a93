import { expect, test } from 'vitest';
import { GridfoldError } from '../kernel/errors.ts';
import { fallback } from './recovery.ts';

const failure = (code: string) => new GridfoldError(code, 'stop', code);

test.each([
  ['block_corrupt', 'newest', true, 'older'],
  ['block_corrupt', 'newest', false, 'older'],
  ['block_corrupt', 'older', true, 'empty'],
  ['block_corrupt', 'older', false, null],
  ['state_lost', 'newest', true, 'empty'],
  ['state_lost', 'older', true, 'empty'],
  ['state_lost', 'newest', false, null],
  ['state_lost', 'empty', true, null],
  ['log_corrupt', 'newest', true, null],
  ['machine_version_changed', 'newest', true, null],
] as const)('%s after trying %s, log reaches back %s: %s', (code, tried, back, next) => {
  expect(fallback(failure(code), tried, back)).toBe(next);
});
