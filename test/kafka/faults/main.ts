/**
 * The fault suite as a script, for nights: prints a line per run, a table of the faults at the end, and writes all of it
 * as JSON.
 *
 *   npm run test:faults -- --runs 500 [--seed N] [--only "kill,empty disk"] [--out faults.json] [--dir DIR]
 *
 * Exit code 1 when anything was lost, doubled or changed; then the folders of the processes are kept.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FaultRun, runFaults } from './run-faults.ts';
import { faultTable } from './table.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
    only: { type: 'string' },
    out: { type: 'string' },
    dir: { type: 'string' },
    'session-timeout-ms': { type: 'string', default: '6000' },
    'runs-per-cluster': { type: 'string', default: '10' },
  },
});
const dir = values.dir ?? mkdtempSync(join(tmpdir(), 'gridfold-faults-'));
// The processes of the cluster end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
console.log(`seed ${values.seed}; logs and data in ${dir}`);
const result = await runFaults({
  runs: Number(values.runs),
  seed: Number(values.seed),
  dir,
  only: values.only?.split(',').map((name) => name.trim()),
  sessionTimeoutMs: Number(values['session-timeout-ms']),
  runsPerCluster: Number(values['runs-per-cluster']),
  tell,
});
console.log(faultTable(result));
for (const failure of result.failures) console.log(`FAILED ${failure}`);
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, null, 1)}\n`);
process.exitCode = result.failures.length === 0 && result.runs.length === Number(values.runs) ? 0 : 1;

function tell({ run, fault, what, settledMs, report }: FaultRun): void {
  const { records, events, owners, differences } = report;
  console.log(
    `${run} ${fault}: ${what}; settled in ${settledMs} ms; ${records} records, ${events} events, ${owners} owners; ${differences.length} differences`,
  );
}
