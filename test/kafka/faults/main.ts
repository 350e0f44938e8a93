/**
 * The fault suite as a script, for nights: prints a line per run, a table of the faults at the end, and writes all of it
 * as JSON.
 *
 *   npm run test:faults -- --runs 500 [--seed N] [--brokers 3] [--parallel 2] [--only "kill,empty disk"] [--out faults.json] [--dir DIR]
 *
 * With `--brokers 3` the log stands on a cluster of three, one of which may go: there are faults of its own for that.
 * `--parallel` shares the runs out over so many clusters at once, each with processes and a seed of its own (N, N + 1, …).
 * Exit code 1 when anything was lost, doubled or changed; then the folders of the processes are kept.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FaultRun, type FaultRunResult, runFaults } from './run-faults.ts';
import { faultTable } from './table.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 1e9)) },
    brokers: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '1' },
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
const parallel = Number(values.parallel);
const results = await Promise.all(Array.from({ length: parallel }, (_, i) => campaign(i)));
const runs = results.flatMap((result) => result.runs);
const failures = results.flatMap(({ seed, failures }) => failures.map((failure) => `seed ${seed}: ${failure}`));
console.log(faultTable(runs));
for (const failure of failures) console.log(`FAILED ${failure}`);
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`);
if (failures.length === 0) rmSync(dir, { recursive: true, force: true });
process.exitCode = failures.length === 0 && runs.length === Number(values.runs) ? 0 : 1;

/** The `index`-th of those that run at once. */
function campaign(index: number): Promise<FaultRunResult> {
  const seed = Number(values.seed) + index;
  return runFaults({
    runs: share(Number(values.runs), index),
    seed,
    brokers: Number(values.brokers),
    dir: join(dir, String(seed)),
    only: values.only?.split(',').map((name) => name.trim()),
    sessionTimeoutMs: Number(values['session-timeout-ms']),
    runsPerCluster: Number(values['runs-per-cluster']),
    tell: (run) => tell(seed, run),
  });
}

function share(total: number, index: number): number {
  return Math.floor(total / parallel) + (index < total % parallel ? 1 : 0);
}

function tell(seed: number, { run, fault, what, settledMs, report }: FaultRun): void {
  const { records, events, owners, differences } = report;
  console.log(
    `${seed} ${run} ${fault}: ${what}; settled in ${settledMs} ms; ${records} records, ${events} events, ${owners} owners; ${differences.length} differences`,
  );
}
