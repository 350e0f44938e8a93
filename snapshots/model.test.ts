import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { PartitionState } from './contract.ts';
import { openPartitionState } from './open.ts';
import { metaOf, positionOf, resolved, tempDir, testOptions } from './testing/fixture.ts';
import { apply, comparable, contentOf, copyModel, emptyModel, type StateModel, type Step } from './testing/model.ts';

const REACH = 600;
const options = (dir: string) =>
  testOptions(dir, { windowBytesPerBlock: REACH, windowChunkBytes: 128, maxResidentBytes: 0, sideCacheBytes: 4096 });

const asset = fc.nat(30);
const change: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('change' as const),
    asset,
    value: fc.double({ noNaN: true }).filter((v) => !Object.is(v, -0)),
  }),
  fc.record({ type: fc.constantFrom('side' as const, 'life' as const), asset, value: fc.option(fc.nat(1000)) }),
  fc.record({
    type: fc.constant('append' as const),
    asset,
    length: fc.oneof(fc.integer({ min: 8, max: 60 }), fc.constant(200)),
  }),
  fc.record({ type: fc.constant('intern' as const), value: fc.nat(8) }),
);

type Command =
  | { readonly type: 'steps'; readonly steps: Step[] }
  | { readonly type: 'snapshot'; readonly during: Step[]; readonly commit: boolean }
  | { readonly type: 'reopen' | 'fallBack' | 'passivate' };

const steps = fc.array(change, { minLength: 1, maxLength: 12 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('steps' as const), steps }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('snapshot' as const),
      during: steps,
      commit: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('reopen' as const, 'fallBack' as const, 'passivate' as const) }),
  },
);

describe('state of a partition against plain objects', () => {
  it('reads as what was written, over snapshots, restarts, fallbacks and passivation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 3, maxLength: 25 }), async (commands) => {
        const { dir, remove } = tempDir();
        let state = await openPartitionState(options(dir));
        try {
          let model = emptyModel();
          /** Newest durable snapshot first. */
          let durable: StateModel[] = [];
          for (const c of commands) {
            if (c.type === 'steps') for (const step of c.steps) apply(state, model, step);
            else if (c.type === 'passivate') state.passivate();
            else if (c.type === 'snapshot') {
              const cut = copyModel(model);
              const commit = c.commit ? resolved : Promise.reject(new Error('fenced'));
              commit.catch(() => {});
              const running = state.snapshot(metaOf(model.position), commit);
              running.catch(() => {});
              const half = c.during.length >> 1;
              for (const step of c.during.slice(0, half)) apply(state, model, step);
              await new Promise((next) => setImmediate(next));
              state.passivate();
              for (const step of c.during.slice(half)) apply(state, model, step);
              if (c.commit) {
                await running;
                durable = [cut, ...durable.slice(0, 1)];
              } else await expect(running).rejects.toThrow('fenced');
            } else {
              await state.close();
              const skipNewest = c.type === 'fallBack' && durable.length === 2;
              if (skipNewest) durable.shift();
              state = await openPartitionState({ ...options(dir), skipNewest });
              model = durable.length > 0 ? copyModel(durable[0]) : emptyModel();
              expect(state.restored === null ? 0 : positionOf(state.restored)).toBe(model.position);
              expect((await state.verify()).corrupt).toEqual([]);
            }
            expect(state.assets).toBe(model.assets.size);
          }
          expect(comparable(contentOf(state, model.position), REACH)).toEqual(comparable(model, REACH));
        } finally {
          await state.close();
          remove();
        }
      }),
      { numRuns: Number(process.env.GRIDFOLD_RUNS ?? 60), seed: Number(process.env.GRIDFOLD_SEED ?? 20_261_124) },
    );
  });
});

describe('damaged directories', () => {
  it('are recovered from an older snapshot or refused, never read as something that was not there', async () => {
    const outcomes: Record<string, number> = {};
    for (let seed = 1; seed <= Number(process.env.GRIDFOLD_DAMAGES ?? 80); seed++) {
      const { dir, remove } = tempDir();
      const outcome = await damagedRun(dir, seed);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      remove();
    }
    expect(outcomes.untouched ?? 0).toBeGreaterThan(0);
    expect(Object.keys(outcomes).length).toBeGreaterThan(2);
  });
});

/** Writes some snapshots, damages a file, and reads everything back. Returns what came of it; throws if it is wrong. */
async function damagedRun(dir: string, seed: number): Promise<string> {
  const random = randomFrom(seed);
  const durable: StateModel[] = [];
  let state = await openPartitionState(options(dir));
  const model = emptyModel();
  const [some] = fc.sample(
    fc.array(fc.array(change, { minLength: 5, maxLength: 40 }), { minLength: 3, maxLength: 6 }),
    {
      seed,
      numRuns: 1,
    },
  );
  for (const [i, batch] of some.entries()) {
    for (const step of batch) apply(state, model, step);
    await state.snapshot(metaOf(model.position), resolved);
    durable.unshift(copyModel(model));
    if (i % 2 === 0) continue;
    await state.close();
    state = await openPartitionState(options(dir));
  }
  await state.close();
  damage(join(dir, 'level'), random);
  // As after two ends that the damage may have caused: LevelDB itself may end the process on it.
  writeFileSync(join(dir, 'open'), '2\n');
  for (const skipNewest of [false, true]) {
    let opened: PartitionState | null = null;
    try {
      opened = await openPartitionState({ ...options(dir), skipNewest });
      const position = opened.restored === null ? 0 : positionOf(opened.restored);
      const expected = durable.find((m) => m.position === position) ?? emptyModel();
      expect(opened.restored).not.toBeNull();
      expect(comparable(contentOf(opened, position), REACH)).toEqual(comparable(expected, REACH));
      if (skipNewest) return 'fell back';
      return position === durable[0].position ? 'untouched' : 'older manifest';
    } catch (error) {
      if (!(error instanceof GridfoldError)) throw error;
      if (error.code === 'state_lost') return error.code;
      if ((error.code !== 'block_corrupt' && error.code !== 'window_corrupt') || skipNewest) throw error;
    } finally {
      await opened?.close();
    }
  }
  throw new Error('unreachable');
}

/** Flips some bits of one file, or cuts it. */
function damage(level: string, random: () => number): void {
  const files = readdirSync(level).filter((name) => /\.(ldb|log)$|^MANIFEST|^CURRENT/.test(name));
  const name = files.filter((file) => readFileSync(join(level, file)).length > 0)[Math.floor(random() * files.length)];
  if (name === undefined) return;
  const bytes = readFileSync(join(level, name));
  if (random() < 0.25) {
    writeFileSync(join(level, name), bytes.subarray(0, Math.floor(random() * bytes.length)));
    return;
  }
  for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) {
    bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
  }
  writeFileSync(join(level, name), bytes);
}

function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
