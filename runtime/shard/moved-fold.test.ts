import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareStates } from '../../test/crash/states.ts';
import type { PartitionState } from '../../snapshots/contract.ts';
import { moveFold } from './testing/moved-fold.ts';
import { batchOf, openTestFold, type TestFold } from './testing/test-fold.ts';
import { type LampRecord, toyType } from './testing/toy.ts';
import { fireTimers, publishOpen } from './timers.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const options = { windowChunkBytes: 64, blocksPerKind: 16 };

interface Turn {
  readonly topic: 'telemetry' | 'lifecycle';
  readonly records: readonly object[];
  readonly advanceMs: number;
}

const reading = fc
  .record({
    lamp: fc.nat(4),
    minute: fc.nat(600),
    level: fc.option(fc.nat(900), { nil: null }),
    mode: fc.constantFrom('off', 'dim', 'bright'),
    note: fc.option(fc.constantFrom('a', 'poison'), { nil: undefined, freq: 12 }),
  })
  .map(
    ({ lamp, minute, ...rest }): LampRecord => ({
      serial: `LAMP-${lamp}`,
      deviceTime: START + minute * 60_000,
      txid: `${lamp}-${minute}-${rest.level}`,
      ...rest,
    }),
  );
const told = fc
  .record({
    lamp: fc.nat(5),
    id: fc.nat(20),
    siteId: fc.option(fc.constantFrom('S1', 'S2'), { nil: undefined }),
    cadenceSeconds: fc.option(fc.constantFrom(30, 300), { nil: undefined }),
  })
  .map(({ lamp, id, ...data }) => ({
    serial: `LAMP-${lamp}`,
    id: `i${id}`,
    type: 'installed',
    eventTime: START + id * HOUR,
    data,
  }));
const advanceMs = fc.nat(HOUR / 4);
const heard: fc.Arbitrary<Turn> = fc.record({
  topic: fc.constant('telemetry' as const),
  records: fc.array(reading, { minLength: 1, maxLength: 12 }),
  advanceMs,
});
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 4, arbitrary: heard },
  {
    weight: 1,
    arbitrary: fc.record({
      topic: fc.constant('lifecycle' as const),
      records: fc.array(told, { minLength: 1, maxLength: 2 }),
      advanceMs,
    }),
  },
);
const story = fc.record({
  before: fc.array(heard, { minLength: 4, maxLength: 30 }),
  after: fc.array(fc.tuple(turn, fc.boolean()), { minLength: 1, maxLength: 15 }),
  segments: fc.integer({ min: 1, max: 6 }),
});

/** Every window as it was appended, by block. */
function windowsOf(state: PartitionState): string[] {
  return state.blockIds().map((id) => {
    const chunks: string[] = [];
    const block = state.block(id);
    if (block === null) return '';
    state.scanWindow(block, (bytes, from, to) => {
      chunks.push(Buffer.from(bytes.subarray(from, to)).toString('hex'));
      return true;
    });
    return `${id}: ${chunks.join(' ')}`;
  });
}

function expectSame(stayed: TestFold, moved: TestFold, said: readonly unknown[]): void {
  expect(moved.events()).toEqual(said);
  const differences: string[] = [];
  compareStates(stayed.fold.state, moved.fold.state, (text) => differences.push(text));
  expect(differences).toEqual([]);
  expect(windowsOf(moved.fold.state)).toEqual(windowsOf(stayed.fold.state));
  expect(moved.fold.position).toEqual(stayed.fold.position);
}

test('a fold that moved, and is fed at once, says and holds what one does that stayed, however its windows come', async () => {
  let stops = 0;
  await fc.assert(
    fc.asyncProperty(story, async ({ before, after, segments }) => {
      const stayed = await openTestFold(toyType, options);
      let clock = START + 12 * HOUR;
      const rest = (test: TestFold) => {
        fireTimers(test.fold, clock, 100);
        publishOpen(test.fold, clock, 3);
      };
      for (const { topic, records, advanceMs } of before) {
        stayed.feed(topic, records, clock);
        clock += advanceMs;
        rest(stayed);
      }
      const known = stayed.events().length;
      const moved = await moveFold(stayed, segments, options);
      try {
        for (const [{ topic, records, advanceMs }, more] of after) {
          stayed.feed(topic, records, clock);
          stops += await moved.feedAll(topic, records, clock);
          clock += advanceMs;
          for (const test of [stayed, moved]) rest(test);
          if (more) await moved.letOneCome();
        }
        await moved.letAllCome();
        expectSame(stayed, moved, stayed.events().slice(known));
      } finally {
        await stayed.close();
        await moved.close();
      }
    }),
    { numRuns: Number(process.env.GRIDFOLD_RUNS ?? 150), seed: Number(process.env.GRIDFOLD_SEED ?? 20_261_127) },
  );
  expect(stops).toBeGreaterThan(50);
}, 240_000);

test('readings in order do not wait for windows; no snapshot is taken without them', async () => {
  const stayed = await openTestFold(toyType, options);
  const minutes = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ serial: 'L', deviceTime: START + (from + i) * 60_000, level: 1 }));
  stayed.feed('telemetry', minutes(0, 60), START);
  const moved = await moveFold(stayed, 1, options);
  expect(await moved.feedAll('telemetry', minutes(60, 120), START)).toBe(0);
  const meta = { position: new Uint8Array(), versions: {} };
  await expect(moved.fold.state.snapshot(meta, Promise.resolve())).rejects.toMatchObject({ code: 'snapshot_refused' });
  await moved.letAllCome();
  expect(await moved.fold.state.snapshot(meta, Promise.resolve())).toMatchObject({ blocks: 1 });
  await stayed.close();
  await moved.close();
});

test('a reading whose fold throws is undone once, when its window is there', async () => {
  const stayed = await openTestFold(toyType, options);
  const minutes = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ serial: 'L', deviceTime: START + (from + i) * 60_000, level: 1 }));
  stayed.feed('telemetry', minutes(0, 60), START);
  const known = stayed.events().length;
  const moved = await moveFold(stayed, 1, options);
  const turn = [...minutes(60, 61), { ...minutes(61, 62)[0], note: 'poison' }, ...minutes(62, 63)];
  stayed.feed('telemetry', turn, START);
  const batch = batchOf(turn, moved.fold.position.telemetry, START);
  expect(moved.fold.telemetry(batch, 0, batch.count, START)).toBe(1);
  await moved.letAllCome();
  // All windows are there now, but the reading is folded by half.
  expect(moved.fold.isWhole).toBe(false);
  expect(moved.fold.telemetry(batch, 1, batch.count, START)).toBe(batch.count);
  expect(moved.fold.isWhole).toBe(true);
  expectSame(stayed, moved, stayed.events().slice(known));
  expect(moved.fold.outputs.take()).toEqual(stayed.fold.outputs.take());
  await stayed.close();
  await moved.close();
});
