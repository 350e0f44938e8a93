import { expect, test } from 'vitest';
import { GridfoldError } from '../kernel/errors.ts';
import { fallback } from './recovery.ts';

const failure = (code: string) => new GridfoldError(code, 'stop', code);

const neither = { logReachesBack: false, isMirrored: false };
const log = { logReachesBack: true, isMirrored: false };
const mirror = { logReachesBack: false, isMirrored: true };
const both = { logReachesBack: true, isMirrored: true };

test.each([
  ['block_corrupt', 'newest', log, 'older'],
  ['block_corrupt', 'newest', neither, 'older'],
  ['block_corrupt', 'newest', both, 'older'],
  ['block_corrupt', 'older', log, 'empty'],
  ['block_corrupt', 'older', both, 'mirror'],
  ['block_corrupt', 'older', neither, null],
  ['window_corrupt', 'newest', neither, 'older'],
  ['window_corrupt', 'older', both, 'mirror'],
  ['window_corrupt', 'local', both, 'empty'],
  ['window_corrupt', 'mirror', mirror, null],
  ['state_lost', 'newest', log, 'empty'],
  ['state_lost', 'older', log, 'empty'],
  ['state_lost', 'newest', mirror, 'mirror'],
  ['state_lost', 'mirror', mirror, null],
  ['state_lost', 'mirror', both, 'empty'],
  ['state_lost', 'newest', neither, null],
  ['state_lost', 'empty', both, null],
  ['log_trimmed', 'newest', both, null],
  ['log_trimmed', 'older', mirror, 'mirror'],
  ['log_trimmed', 'older', neither, null],
  ['log_corrupt', 'newest', both, null],
  ['machine_version_changed', 'newest', both, null],
] as const)('%s after trying %s, backed by %o: %s', (code, tried, backing, next) => {
  expect(fallback(failure(code), tried, backing)).toBe(next);
});
