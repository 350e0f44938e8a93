import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ManualClock } from '../../../runtime/kernel/clock.ts';
import { sampleEvent, sampleTypes } from '../testing/samples.ts';
import { openDuckDbSink } from './sink.ts';

const child = fileURLToPath(new URL('../testing/write-samples.ts', import.meta.url));
const total = 600;
const batch = 40;

it('rows are there exactly once after kill -9 at every step of a commit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gridfold-kill-'));
  const file = join(folder, 'olap.duckdb');
  let reached = 0;
  for (const step of ['sink.1', 'sink.2', 'sink.3', 'sink.4']) {
    expect(await run(file, `${step}:3`), step).toBe('SIGKILL');
    const next = await checkWhole(file);
    // Two commits before the one that was hit, which counts from its COMMIT on.
    reached = Math.min(total, reached + (step === 'sink.4' ? 3 : 2) * batch);
    expect(next, step).toBe(reached);
  }
  expect(await run(file, '')).toBe(0);
  expect(await checkWhole(file)).toBe(total);
  await rm(folder, { recursive: true });
});

/** Every row up to the ledger once, none beyond; returns where the ledger of both partitions stands. */
async function checkWhole(file: string): Promise<number> {
  const sink = await openDuckDbSink({ file, types: sampleTypes, clock: new ManualClock() });
  try {
    const ledger = await sink.ledger();
    const { next } = ledger[0];
    expect(ledger).toEqual([0, 1].map((partition) => ({ partition, next, rows: next })));
    expect(await sink.audit()).toEqual(ledger.map((entry) => ({ ...entry, doubled: 0, missing: 0 })));
    const tables = sampleTypes.map(({ table }) => `SELECT event_id FROM ${table}`).join(' UNION ALL ');
    const { rows } = await sink.query(`SELECT event_id FROM (${tables}) ORDER BY 1`, [], 100_000);
    const ids = [0, 1].flatMap((p) => Array.from({ length: next }, (_, offset) => sampleEvent(p, offset).id));
    expect(rows.map((row) => row[0])).toEqual(ids.sort());
    return next;
  } finally {
    await sink.close();
  }
}

async function run(file: string, crashAt: string): Promise<string | number> {
  const env = { ...process.env, GRIDFOLD_CRASH_AT: crashAt };
  const writer = spawn(process.execPath, [child, file, String(total), String(batch)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = await once(writer, 'exit');
  return signal ?? code;
}
