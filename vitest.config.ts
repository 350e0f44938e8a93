import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.gridfold/**', 'web/**'],
    // Real files, real processes: forks, and few, because the fault tests measure nothing but need their turn.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ['default', './scripts/closing-line.ts'],
    passWithNoTests: false,
  },
});
