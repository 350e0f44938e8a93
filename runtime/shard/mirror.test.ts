import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { ExportedSnapshot } from '../../snapshots/mirrored.ts';
import { resolved } from '../../snapshots/testing/fixture.ts';
import type { Step } from '../../snapshots/testing/model.ts';
import { encodePosition } from './position.ts';
import { MirrorWorld, positionAt, TOPIC, WINDOWS } from './testing/mirror-world.ts';

const asset = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('change' as const), asset, value: fc.nat(1e6) }),
  fc.record({ type: fc.constantFrom('side' as const, 'life' as const), asset, value: fc.option(fc.nat(1000)) }),
  fc.record({ type: fc.constant('append' as const), asset, length: fc.integer({ min: 8, max: 150 }) }),
  fc.record({ type: fc.constant('intern' as const), value: fc.nat(8) }),
);

type Command =
  | { readonly do: 'fold'; readonly steps: readonly Step[] }
  | { readonly do: 'snapshot'; readonly pieces: number }
  | { readonly do: 'move'; readonly to: 'A' | 'B' | 'empty'; readonly holdWindows: boolean };

const all = Number.POSITIVE_INFINITY;
const fold = fc.record({ do: fc.constant('fold' as const), steps: fc.array(step, { minLength: 1, maxLength: 6 }) });
const snapshot = fc.record({
  do: fc.constant('snapshot' as const),
  pieces: fc.oneof({ weight: 3, arbitrary: fc.constant(all) }, { weight: 2, arbitrary: fc.nat(6) }),
});
const move = fc.record({
  do: fc.constant('move' as const),
  to: fc.constantFrom('A' as const, 'B' as const, 'empty' as const),
  holdWindows: fc.boolean(),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fold },
  { weight: 4, arbitrary: snapshot },
  { weight: 3, arbitrary: move },
);

const worlds: MirrorWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function worldOf(first: 'A' | 'B'): Promise<MirrorWorld> {
  const world = await MirrorWorld.open();
  worlds.push(world);
  await world.take(first);
  return world;
}

/** Some of every kind of change, different for each `seed`. */
const some = (seed: number, count = 12): Step[] => fc.sample(step, { seed, numRuns: count });

/** The topic holds no row that its newest snapshot does not need. */
async function expectNoLitter(world: MirrorWorld): Promise<void> {
  const named = await ((await world.owner.state.export(null)) as ExportedSnapshot).named();
  for (const key of await world.keys()) expect(named.has(key), key.toString('hex')).toBe(true);
}

test('whoever takes a partition over has the state that was folded, whatever was published of it', async () => {
  const runs = Number(process.env.GRIDFOLD_RUNS ?? 60);
  let restored = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 30 }), async (commands) => {
      const world = await MirrorWorld.open();
      try {
        await world.take('A');
        for (const c of commands) {
          if (c.do === 'fold') world.fold(c.steps);
          else if (c.do === 'snapshot') await world.snapshot(c.pieces);
          else await world.take(c.to, c.holdWindows);
        }
        await world.letWindowsCome();
        world.fold([{ type: 'change', asset: 1, value: 1 }]);
        await world.snapshot();
        await expectNoLitter(world);
        await world.take('empty');
        expect(world.owner.mirror.position).toEqual(positionAt(world.steps.length));
        expect(world.said.mirror, 'a mirrored snapshot was damaged').toBeUndefined();
        restored += world.said.restored_from ?? 0;
      } finally {
        await world.close();
      }
    }),
    { numRuns: runs, seed: Number(process.env.GRIDFOLD_SEED ?? 20_261_126) },
  );
  expect(restored).toBeGreaterThan(runs);
}, 120_000);

test('A, then B, then A again: what A had is not taken for what B went on to', async () => {
  const world = await worldOf('A');
  world.fold(some(1));
  await world.snapshot();
  await world.take('B');
  for (const seed of [2, 3, 4]) {
    world.fold(some(seed, 4));
    await world.snapshot();
  }
  await world.take('A');
  expect(world.said).toEqual({ restored_from: 2 });
  world.fold(some(5));
  await world.snapshot();
  await world.take('empty');
  expect(world.said).toEqual({ restored_from: 3 });
});

test('A comes back soon: it folds again what B folded, and what it publishes until it ends harms nothing of B', async () => {
  for (let pieces = 0; pieces < 8; pieces++) {
    const world = await worldOf('A');
    world.fold(some(1, 40));
    await world.snapshot();
    await world.take('B');
    world.fold(some(2, 3));
    await world.snapshot();
    await world.take('A');
    expect(world.said).toEqual({ restored_from: 1 });
    world.fold(some(3, 30));
    await world.snapshot(pieces === 7 ? all : pieces);
    if (pieces === 7) await expectNoLitter(world);
    await world.take('empty');
    expect(world.said).toEqual({ restored_from: 2 });
  }
});

test('what a snapshot replaced that was never published is found and removed', async () => {
  const world = await worldOf('A');
  world.fold(some(1, 40));
  await world.snapshot();
  world.fold(some(2, 40));
  await world.snapshot(0);
  await world.take('A');
  world.fold(some(3, 40));
  await world.snapshot();
  await expectNoLitter(world);
});

test('a snapshot that A could not publish is not built upon once B went on from the one before', async () => {
  for (let pieces = 0; pieces < 8; pieces++) {
    const world = await worldOf('A');
    world.fold(some(1));
    await world.snapshot();
    world.fold(some(2, 20));
    await world.snapshot(pieces % 3);
    await world.take('B');
    world.fold(some(3, 20));
    await world.snapshot();
    await world.take('A');
    world.fold(some(4, 30));
    await world.snapshot(pieces);
    await world.take('empty');
    expect(world.said.mirror).toBeUndefined();
  }
});

test('an owner that was fenced publishes nothing more', async () => {
  const world = await worldOf('A');
  world.fold(some(1));
  await world.snapshot();
  const { claim, mirror } = world.owner;
  await world.take('B');
  world.fold(some(2));
  const { state } = world.owner;
  await state.snapshot({ position: encodePosition(positionAt(24)), versions: {} }, resolved);
  const before = await world.log.latest(TOPIC, 0);
  await expect(mirror.publish(claim, state, positionAt(24))).rejects.toMatchObject({ code: 'log_fenced' });
  await expect(mirror.release(claim, positionAt(12))).rejects.toMatchObject({ code: 'log_fenced' });
  expect(await world.log.latest(TOPIC, 0)).toEqual(before);
});

test('a snapshot of an earlier release, whose windows stand among its rows, is restored and then published anew', async () => {
  const world = await MirrorWorld.open(undefined, undefined, { snapshots: TOPIC });
  worlds.push(world);
  await world.take('A');
  world.fold(some(1, 60));
  await world.snapshot();
  world.topics = { snapshots: TOPIC, windows: WINDOWS };
  await world.take('B');
  world.fold(some(2));
  await world.snapshot();
  await expectNoLitter(world);
  await world.take('empty');
  expect(world.said).toEqual({ restored_from: 2 });
});
