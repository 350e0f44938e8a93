import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeKafka } from '../describe-kafka.ts';
import { runFaults } from './run-faults.ts';
import { faultTable } from './table.ts';

const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261126);
const RUNS = Number(process.env.GRIDFOLD_TEST_FAULTS ?? 50);

describeKafka('three processes on one broker', () => {
  test(`${RUNS} faults: nothing is lost, nothing doubled, state and tables are those of one fold`, {
    timeout: 1_800_000,
  }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-faults-'));
    const result = await runFaults({ runs: RUNS, seed: SEED, dir, runsPerCluster: 25, sessionTimeoutMs: 2_000 });
    process.stdout.write(`seed ${SEED}\n${faultTable(result.runs)}\n`);
    expect(result.failures, `seed ${SEED}; logs and data in ${dir}`).toEqual([]);
    expect(result.runs).toHaveLength(RUNS);
  });
});
