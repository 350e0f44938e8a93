import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { STEPS, steps } from './testing/killed-filling.ts';
import { MirrorWorld } from './testing/mirror-world.ts';

const child = fileURLToPath(new URL('./testing/killed-filling.ts', import.meta.url));
const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

/** What A folded and published, in five snapshots; B has an early one of its own where `bHasOne`. */
async function publish(dir: string, bHasOne: boolean): Promise<void> {
  const world = await MirrorWorld.open(dir);
  await world.take(bHasOne ? 'B' : 'A');
  world.fold(steps(0, 10));
  await world.snapshot();
  await world.take('A');
  for (let at = 10; at < STEPS; at += 46) {
    world.fold(steps(at, at + 46));
    await world.snapshot();
  }
  await world.owner.state.close();
  await world.log.close();
}

describe('a process killed while it restores from the snapshots topic', () => {
  test.each([
    ['fill.0', 1, false, 1],
    ['fill.1', 1, false, 1],
    ['fill.1', 1, true, 1],
    ['fill.2', 1, true, 1],
    ['fill.3', 1, false, 1],
    ['fill.3', 1, true, 1],
    ['fill.4', 1, true, 0],
    ['fill.5', 1, true, 0],
  ] as const)('at %s, passage %i, with a directory of its own: %s, begins anew or has it all', async (...row) => {
    const [step, passage, bHasOne, restoredAgain] = row;
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-fill-kill-'));
    try {
      await publish(dir, bHasOne);
      const env = { ...process.env, GRIDFOLD_CRASH_AT: `${step}:${passage}` };
      const { signal, stderr } = spawnSync(node, [child, dir], { env, encoding: 'utf8' });
      expect(signal, stderr).toBe('SIGKILL');
      const world = await MirrorWorld.open(dir);
      try {
        await world.remember(steps(0, STEPS));
        await world.take('B');
        expect(world.said).toEqual(restoredAgain === 0 ? {} : { restored_from: 1 });
        world.fold(steps(STEPS, STEPS + 20));
        await world.snapshot();
        await world.take('A');
      } finally {
        await world.close();
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
