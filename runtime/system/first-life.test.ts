import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { topics } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { lamp, openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A log that others filled long before: its first records are gone. */
async function openUsedLog(dir: string, gone: number): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2 });
  for (const partition of [0, 1]) {
    const records = Array.from({ length: gone }, () => ({ key: null, value: Buffer.from('{}') }));
    const { end } = await log.append(topics.telemetry, partition, records);
    await log.trim(topics.telemetry, partition, { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 0 }, end);
  }
  await log.close();
}

it('a partition whose log does not begin at 0 can end before its first snapshot, and is replayed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-first-life-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  await openUsedLog(dir, 3);
  const open = (minute: number) => openRig(dir, new ManualClock(START + minute * 60_000), {}, closers);

  const first = await open(1);
  await first.send([lamp('A', 0), lamp('A', 1, { mode: 'bright' }), lamp('B', 1)]);
  const [view, said] = [first.runtime.asset('A'), await first.derived()];
  await first.drop();

  const second = await open(2);
  expect(second.replayed.reduce((a, b) => a + b)).toBe(3);
  expect(second.runtime.asset('A')).toEqual(view);
  expect(await second.derived()).toEqual(said);
});
