import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openPartitionState } from './open.ts';
import { positionOf, resolved, metaOf, tempDir, testOptions } from './testing/fixture.ts';
import { killOptions, stepAt } from './testing/killed-snapshots.ts';
import { apply, comparable, contentOf, emptyModel, type StateModel } from './testing/model.ts';

const child = fileURLToPath(new URL('./testing/killed-snapshots.ts', import.meta.url));
const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const reach = killOptions.windowBytesPerBlock;

describe('a process killed inside a snapshot', () => {
  for (const step of ['snapshot.1', 'snapshot.2', 'snapshot.3', 'snapshot.4', 'snapshot.5']) {
    for (const passage of [1, 4]) {
      it(`at passage ${passage} of ${step} comes back as its newest durable snapshot`, async () => {
        const { dir, remove } = tempDir();
        const env = { ...process.env, GRIDFOLD_CRASH_AT: `${step}:${passage}` };
        const { signal, stdout, stderr } = spawnSync(node, [child, dir], { env, encoding: 'utf8' });
        expect(signal, stderr).toBe('SIGKILL');
        const told = stdout.trim().split('\n').filter(Boolean).map(Number);
        const state = await openPartitionState(testOptions(dir, killOptions));
        const position = state.restored === null ? 0 : positionOf(state.restored);
        const durable = step === 'snapshot.4' || step === 'snapshot.5' ? 50 + (passage - 1) * 70 : (told.at(-1) ?? 0);
        expect(position).toBe(durable);
        const again = await replay(position);
        expect(comparable(contentOf(state, position), reach)).toEqual(comparable(again, reach));

        for (let n = 0; n < 60; n++) apply(state, again, stepAt(again.position));
        await state.snapshot(metaOf(again.position), resolved);
        await state.close();
        const reopened = await openPartitionState(testOptions(dir, killOptions));
        expect(comparable(contentOf(reopened, again.position), reach)).toEqual(comparable(again, reach));
        expect((await reopened.verify()).corrupt).toEqual([]);
        await reopened.close();
        remove();
      });
    }
  }
});

/** The model after `position` steps, made with a state of its own that is thrown away. */
async function replay(position: number): Promise<StateModel> {
  const model = emptyModel();
  const { dir, remove } = tempDir();
  const state = await openPartitionState(testOptions(dir, killOptions));
  while (model.position < position) apply(state, model, stepAt(model.position));
  await state.close();
  remove();
  return model;
}
