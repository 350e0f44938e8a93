import { afterEach, expect, test } from 'vitest';
import { toyType } from '../shard/testing/toy.ts';
import { flipped, minutes, Places, serials } from './testing/places.ts';
import { type Rig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const viewsOf = (rig: Rig) => serials.map((serial) => rig.runtime.asset(serial));
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

test('after a clean stop an empty disk takes over without replaying, and the release can be seen', async () => {
  const places = new Places(closers);
  const a = await places.open('A');
  await a.send(minutes(0, 5));
  await a.tell([{ serial: 'L1', id: 'i1', type: 'installed', eventTime: START, data: {} }]);
  const views = viewsOf(a);
  await a.stop();
  expect(await places.releases()).toEqual([true, true]);
  const b = await places.open('B');
  expect(b.replayed).toEqual([0, 0]);
  expect(viewsOf(b)).toEqual(views);
  await b.send(minutes(5, 6));
  await b.drop();
  expect(await places.releases()).toEqual([false, false]);
});

test('A, B and A again: each goes on where the other ended, late readings included', async () => {
  const places = new Places(closers);
  const alone = await new Places(closers).open('alone');
  let rig: Rig | null = null;
  for (const [i, name] of ['A', 'B', 'A', 'C', 'B', 'A'].entries()) {
    rig = await places.open(name);
    for (const each of [rig, alone]) {
      await each.send(minutes(i * 4, i * 4 + 3));
      await each.send(
        minutes(i * 4 - 2, i * 4 - 1).map((r) => ({ ...r, txid: `late-${r.txid}`, deviceTime: r.deviceTime + 1 })),
      );
    }
    const timeless = (each: Rig) => viewsOf(each).map((view) => ({ ...view, freshness: null, recordTime: null }));
    expect(timeless(rig)).toEqual(timeless(alone));
    if (i % 2 === 0) await rig.stop();
    else await rig.drop();
  }
});

test('an empty disk after a crash replays only what was committed after the mirrored snapshot', async () => {
  const places = new Places(closers);
  const a = await places.open('A');
  await a.send(minutes(0, 5));
  await a.stop();
  const again = await places.open('A');
  await again.send(minutes(5, 7));
  const views = viewsOf(again);
  await again.drop();
  const b = await places.open('B');
  expect(sum(b.replayed)).toBe(2 * serials.length);
  expect(viewsOf(b)).toEqual(views);
});

/** Images and records. */
const damage = (places: Places) => places.damage(toyType.topics.snapshots, (key) => key[0] === 0x4e, flipped);

test('damaged rows are refused: the log is folded again, and the next snapshot is published whole', async () => {
  const places = new Places(closers);
  const a = await places.open('A');
  await a.send(minutes(0, 5));
  const views = viewsOf(a);
  await a.stop();
  await damage(places);
  const b = await places.open('B');
  expect(sum(b.replayed)).toBe(5 * serials.length);
  expect(viewsOf(b)).toEqual(views);
  await b.stop();
  const c = await places.open('C');
  expect(c.replayed).toEqual([0, 0]);
  expect(viewsOf(c)).toEqual(views);
});

test('damaged rows and a log that was trimmed: the partition says that its state is lost', async () => {
  const places = new Places(closers);
  const a = await places.open('A');
  await a.send(minutes(0, 5));
  await a.stop();
  await damage(places);
  await places.trim();
  await expect(places.open('B')).rejects.toMatchObject({ code: 'state_lost' });
});

test('a partition that is let go does not wait for a publication that the log does not take', async () => {
  const places = new Places(closers);
  const rig = await places.open('A', { snapshotIntervalMs: 100 });
  let asked = () => {};
  const publishing = new Promise<void>((resolve) => {
    asked = resolve;
  });
  for (const shard of rig.runtime.shards) {
    shard.options.log.publish = () => {
      asked();
      return new Promise(() => {});
    };
  }
  await rig.send(minutes(0, 5));
  await rig.advance(10_000);
  await publishing;
  await rig.drop();
  const b = await places.open('B');
  expect(sum(b.replayed)).toBe(5 * serials.length);
});
