import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { soak } from './soak.ts';

test('a sink that hangs and clients that never read lose nothing', { timeout: 120_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-soak-'));
  const load = { seconds: 15, assets: 300, recordsPerSecond: 300, clients: 3, sampleMs: 5_000 };
  const report = await soak({ dir, ...load });
  expect(report.errors).toEqual([]);
  expect(report.waited).toBeGreaterThan(1_000);
  expect(report.samples.every(({ subscriptions }) => subscriptions <= load.clients)).toBe(true);
  expect(report.samples.some(({ subscriptions }) => subscriptions > 0)).toBe(true);
  expect(report).toMatchObject({ auditOk: true, rows: report.logEnd });
  rmSync(dir, { recursive: true });
});
