import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeKafka } from '../describe-kafka.ts';
import { runFaults } from './run-faults.ts';
import { faultTable } from './table.ts';

const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261127);
/** One of each kind; `npm run test:faults -- --brokers 3` does all. */
const HANDFUL = [
  'kill the broker that leads most',
  'kill the coordinator of transactions',
  'move the leaders',
  'a broker stands still',
  'a process takes over when a broker wakes',
];

describeKafka('three processes on three brokers', () => {
  test('one broker is killed, stands still or leads no more: nothing is lost, nothing doubled', {
    timeout: 900_000,
  }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-brokers-'));
    const runs = HANDFUL.length;
    const result = await runFaults({ runs, seed: SEED, dir, only: HANDFUL, brokers: 3, sessionTimeoutMs: 2_000 });
    process.stdout.write(`seed ${SEED}\n${faultTable(result.runs)}\n`);
    expect(result.failures, `seed ${SEED}; logs and data in ${dir}`).toEqual([]);
    expect(result.runs).toHaveLength(runs);
  });
});
