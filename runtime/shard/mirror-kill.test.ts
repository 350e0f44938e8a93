import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stepAt } from '../../snapshots/testing/killed-snapshots.ts';
import { MirrorWorld } from './testing/mirror-world.ts';

const child = fileURLToPath(new URL('./testing/killed-mirror.ts', import.meta.url));
const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

describe('a process killed while it publishes a snapshot', () => {
  /** By step and passage: the rounds of which the log holds a snapshot then. */
  test.each([
    ['mirror.1', 1, 0],
    ['mirror.1', 4, 3],
    ['mirror.2', 1, 0],
    ['mirror.2', 20, null],
    ['mirror.2', 60, null],
    ['mirror.3', 1, 1],
    ['mirror.3', 5, 5],
    ['mirror.4', 1, 1],
    ['mirror.4', 5, 5],
  ] as const)('at %s, passage %i, leaves the one before or the new one', async (step, passage, rounds) => {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-mirror-kill-'));
    const env = { ...process.env, GRIDFOLD_CRASH_AT: `${step}:${passage}` };
    const { signal, stderr } = spawnSync(node, [child, dir], { env, encoding: 'utf8' });
    expect(signal, stderr).toBe('SIGKILL');
    const world = await MirrorWorld.open(dir);
    try {
      await world.remember(Array.from({ length: 480 }, (_, n) => stepAt(n)));
      await world.take('empty');
      const found = (world.owner.mirror.position?.commit ?? 0) / 60;
      if (rounds === null) expect(Number.isInteger(found)).toBe(true);
      else expect(found).toBe(rounds);
      expect(world.said.mirror).toBeUndefined();
      await world.take('A');
      world.fold([stepAt(480)]);
      await world.snapshot();
      await world.take('empty');
      expect(world.owner.mirror.position?.commit).toBe(481);
      expect(world.said.mirror).toBeUndefined();
    } finally {
      await world.close();
    }
  });
});
