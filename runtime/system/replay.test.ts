import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { replay } from '../shard/recovery.ts';
import { openTestFold } from '../shard/testing/test-fold.ts';
import { toyType } from '../shard/testing/toy.ts';
import { homeOf } from './assets.ts';
import { lamp, openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const serial = ['A', 'B', 'C', 'D'].find((one) => homeOf(one, 2).partition === 0) as string;

test('an owner that was overtaken replays what was committed when it claimed, and nothing of the owner after it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-replay-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  const clock = new ManualClock(START);
  const rig = await openRig(dir, clock, {}, closers);
  await rig.send([lamp(serial, 1), lamp(serial, 2, { mode: 'bright' })]);
  const claimed = { ...rig.runtime.shards[0].committed };
  await rig.send([lamp(serial, 3), lamp(serial, 4)]);
  await rig.drop();
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2, clock });
  closers.push(() => log.close());
  const overtaken = await openTestFold(toyType);
  closers.push(() => overtaken.close());
  expect(await replay(log, overtaken.fold, claimed)).toBe(2);
  expect(overtaken.fold.position).toEqual(claimed);
});
