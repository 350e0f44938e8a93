/**
 * Minutes of load with a sink that takes nothing and live clients that read nothing: memory must stay flat, and
 * nothing may be lost when the sink goes on.
 *
 *   node test/soak/run.ts [SECONDS = 300] [RECORDS_PER_SECOND = 1000] [flowing]
 *
 * With `flowing` the sink takes its rows and no client is there: what memory does anyway, to compare with.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { slope, soak } from './soak.ts';

const seconds = Number(process.argv[2] ?? 300);
const recordsPerSecond = Number(process.argv[3] ?? 1_000);
const flowing = process.argv[4] === 'flowing';
const dir = mkdtempSync(join(tmpdir(), 'gridfold-soak-'));
const report = await soak({
  dir,
  seconds,
  recordsPerSecond,
  assets: 1_000,
  clients: flowing ? 0 : 3,
  flowing,
  sampleMs: 10_000,
  tell: (sample) => console.log(JSON.stringify(sample)),
});
rmSync(dir, { recursive: true });
const { samples, ...figures } = report;
const growth = {
  rssMbPerMinute: slope(samples, (s) => s.rssMb).toFixed(1),
  heapMbPerMinute: slope(samples, (s) => s.heapMb).toFixed(2),
};
console.log(JSON.stringify({ ...figures, ...growth }));
process.exitCode = report.auditOk && report.rows === report.logEnd && report.errors.length === 0 ? 0 : 1;
