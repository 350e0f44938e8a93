/**
 * Sends damaged and hostile lines through the whole app: nothing may crash, every line must be found again in the log
 * or among the dead letters with its bytes, and every accepted one must have been applied, known, or set aside.
 *
 *   node scripts/fuzz-ingest.ts [COUNT = 1000000] [SEED = 1]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzzIngest, unaccounted } from '../test/acceptance/fuzz.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: fuzz-ingest.ts [COUNT] [SEED], both whole numbers');
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'gridfold-fuzz-'));
const began = performance.now();
const report = await fuzzIngest(join(dir, 'data'), count, seed);
rmSync(dir, { recursive: true });
const { letters, ...figures } = report;
console.log(JSON.stringify(figures));
for (const [what, n] of Object.entries(letters).sort((a, b) => b[1] - a[1]))
  console.log(`${String(n).padStart(9)}  ${what}`);
const wrong = unaccounted(report);
const seconds = ((performance.now() - began) / 1_000).toFixed(0);
console.log(
  wrong.length === 0 ? `every line accounted for, no crash, ${seconds} s` : `NOT accounted for:\n${wrong.join('\n')}`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;
