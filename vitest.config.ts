import { defineConfig } from 'vitest/config';
import { LongFirst } from './scripts/long-first.ts';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.gridfold/**', '**/.gridfold-kafka/**', 'web/**'],
    // Real files, real processes: forks, and few, because the fault tests measure nothing but need their turn.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    globalSetup: ['./test/kafka/shared-broker.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
    reporters: ['default', './scripts/closing-line.ts'],
    passWithNoTests: false,
  },
});
