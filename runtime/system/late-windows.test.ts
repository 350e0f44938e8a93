import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Log } from '../log/contract.ts';
import type { LampRecord } from '../shard/testing/toy.ts';
import { committedPosition } from '../shard/recovery.ts';
import { compacted } from '../shard/testing/compacted.ts';
import { toyType } from '../shard/testing/toy.ts';
import { flipped, minutes, Places, serials } from './testing/places.ts';
import type { Rig } from './testing/rig.ts';
import type { AssetView } from './engine.ts';

const WINDOWS = toyType.topics.windows as string;
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Half a minute after each of the readings, which were folded long ago. */
const late = (from: number, to: number) =>
  minutes(from, to).map((r) => ({ ...r, txid: `late-${r.txid}`, deviceTime: r.deviceTime + 30_000, mode: 'off' }));
/** Without what tells how often facts were published. */
const viewsOf = (rig: Rig) =>
  serials.map((serial) => {
    const { recordTime, revision, position, ...view } = rig.runtime.asset(serial) as AssetView;
    return view;
  });
const produce = (rig: Rig, records: readonly LampRecord[]) =>
  rig.runtime.produce(
    'telemetry',
    records.map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) })),
  );
const isFilled = (rig: Rig) => rig.runtime.shards.map(({ fold }) => fold.state.filling === null);

/** A log of which the windows are compacted, and not answered before `letCome`. */
function holdWindows(): { seen: (log: Log) => Log; letCome: () => void } {
  const held = Promise.withResolvers<void>();
  const seen = (raw: Log): Log => {
    const log = compacted(raw, WINDOWS);
    return new Proxy(log, {
      get(target, name) {
        const member = target[name as keyof Log];
        if (name !== 'read') return typeof member === 'function' ? member.bind(target) : member;
        return async (...[topic, ...place]: Parameters<Log['read']>) => {
          if (topic === WINDOWS) await held.promise;
          return log.read(topic, ...place);
        };
      },
    });
  };
  return { seen, letCome: held.resolve };
}

/** Where the input stands that is committed, by partition. */
const committedOf = (places: Places) =>
  places.log((log) =>
    Promise.all([0, 1].map(async (p) => (await committedPosition(log, toyType.topics.journal, p)).telemetry)),
  );

/** What a process says and holds that never had to move. */
async function alone(...rounds: readonly (readonly LampRecord[])[]): Promise<ReturnType<typeof viewsOf>> {
  const rig = await new Places(closers).open('alone');
  for (const records of rounds) await rig.send(records);
  return viewsOf(rig);
}

async function movedWithoutWindows() {
  const places = new Places(closers);
  const a = await places.open('A');
  await a.send(minutes(0, 5));
  await a.stop();
  const { seen, letCome } = holdWindows();
  const b = await places.open('B', { snapshotIntervalMs: 100 }, seen);
  expect([b.replayed, isFilled(b)]).toEqual([
    [0, 0],
    [false, false],
  ]);
  return { places, b, letCome };
}

describe('a partition whose windows are still to come', () => {
  test('folds what is in order, and waits at what is late', async () => {
    const { b, letCome } = await movedWithoutWindows();
    await b.send(minutes(5, 8));
    await produce(b, [...minutes(8, 9), ...late(1, 3), ...minutes(9, 10)]);
    await Promise.all(b.runtime.shards.map((shard) => shard.reached('telemetry', shard.committed.telemetry + 1)));
    expect([isFilled(b), b.errors]).toEqual([[false, false], []]);
    letCome();
    await b.runtime.settled();
    expect(viewsOf(b)).toEqual(await alone(minutes(0, 8), minutes(8, 9), late(1, 3), minutes(9, 10)));
  });

  test('is let go without them: no snapshot is taken, and the next owner need not wait for one', async () => {
    const { places, b } = await movedWithoutWindows();
    await b.send(minutes(5, 8));
    await produce(b, late(1, 3));
    await b.stop();
    expect([b.errors, await places.releases()]).toEqual([[], [true, true]]);
    const c = await places.open('C');
    await c.runtime.settled();
    expect(viewsOf(c)).toEqual(await alone(minutes(0, 8), late(1, 3)));
  });

  test('is let go at a reading that waits for them: nothing behind it is folded before its next owner folds it', async () => {
    const { places, b } = await movedWithoutWindows();
    await produce(b, [...minutes(5, 6), ...late(1, 3)]);
    await produce(b, minutes(6, 8));
    const ends = () => b.runtime.shards.map(({ fold }) => fold.position.telemetry);
    const waits = minutes(0, 6).length;
    await vi.waitFor(() => expect(ends().reduce((a, n) => a + n)).toBe(waits));
    // Room for the run behind it to come to the shard.
    for (let i = 0; i < 100; i++) await nextTurn();
    const committed = ends();
    await b.stop();
    expect(await committedOf(places)).toEqual(committed);
    const c = await places.open('C');
    await c.runtime.settled();
    expect(c.errors).toEqual([]);
    expect(viewsOf(c)).toEqual(await alone(minutes(0, 5), minutes(5, 6), late(1, 3), minutes(6, 8)));
  });

  test('ends without them: whoever comes next on its disk begins anew', async () => {
    const { places, b } = await movedWithoutWindows();
    await b.send(minutes(5, 8));
    await produce(b, late(1, 3));
    await b.drop();
    const again = await places.open('B');
    await again.runtime.settled();
    expect(again.replayed.reduce((a, n) => a + n)).toBe(3 * serials.length);
    expect(viewsOf(again)).toEqual(await alone(minutes(0, 8), late(1, 3)));
  });

  test('replays what is late once they are there', async () => {
    const { places, b, letCome } = await movedWithoutWindows();
    await b.send(minutes(5, 6));
    letCome();
    await b.send(late(1, 3));
    await b.drop();
    const { seen, letCome: letComeToC } = holdWindows();
    const opening = places.open('C', {}, seen);
    letComeToC();
    const c = await opening;
    expect(viewsOf(c)).toEqual(await alone(minutes(0, 6), late(1, 3)));
  });
});

describe('windows in the log that cannot be used', () => {
  /** Resolves when the process has found that out, and what it does then is done. */
  async function openDamaged(places: Places): Promise<Rig> {
    const { seen, letCome } = holdWindows();
    const rig = await places.open('B', {}, seen);
    const filled = rig.runtime.shards.map((shard) => shard.fold.state.filling?.done);
    letCome();
    await Promise.allSettled(filled);
    expect(codesOf(rig)).toEqual(['mirror_damaged', 'mirror_damaged']);
    while (rig.replayed.length + rig.errors.length < 6) await new Promise((resolve) => setImmediate(resolve));
    return rig;
  }
  const codesOf = (rig: Rig) => rig.errors.map((error) => (error as { code: string }).code).toSorted();

  test.each([
    ['damaged', flipped],
    ['missing', () => null],
  ])('%s: the log is folded again, and the next snapshot is published whole', async (_, flip) => {
    const places = new Places(closers);
    const a = await places.open('A');
    await a.send(minutes(0, 5));
    await a.stop();
    await places.damage(WINDOWS, () => true, flip);
    const b = await openDamaged(places);
    await b.stop();
    expect(b.replayed.reduce((a, n) => a + n)).toBe(5 * serials.length);
    const { seen, letCome } = holdWindows();
    letCome();
    const c = await places.open('C', {}, seen);
    await c.send(late(1, 3));
    expect([c.replayed, c.errors]).toEqual([[0, 0], []]);
    expect(viewsOf(c)).toEqual(await alone(minutes(0, 5), late(1, 3)));
  });

  test('where the log was trimmed, the partition says that its state is lost', async () => {
    const places = new Places(closers);
    const a = await places.open('A');
    await a.send(minutes(0, 5));
    await a.stop();
    await places.damage(WINDOWS, () => true, flipped);
    await places.trim();
    const b = await openDamaged(places);
    await b.stop();
    expect(codesOf(b)).toEqual(['mirror_damaged', 'mirror_damaged', 'state_lost', 'state_lost']);
  });

  test('a disk that had a snapshot of its own takes it again', async () => {
    const places = new Places(closers);
    const a = await places.open('A');
    await a.send(minutes(0, 5));
    await a.drop();
    const again = await places.open('A');
    await again.send(minutes(5, 6));
    await again.stop();
    const c = await places.open('C');
    await c.send(minutes(6, 8));
    await c.stop();
    await places.damage(WINDOWS, () => true, flipped);
    const last = await places.open('A');
    await last.send(late(1, 3));
    expect(viewsOf(last)).toEqual(await alone(minutes(0, 5), minutes(5, 6), minutes(6, 8), late(1, 3)));
  });
});
