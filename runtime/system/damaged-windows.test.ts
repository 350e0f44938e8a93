import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SegmentPlace } from '../../snapshots/keys.ts';
import { compacted } from '../shard/testing/compacted.ts';
import { toyType } from '../shard/testing/toy.ts';
import type { AssetView } from './engine.ts';
import { flipped, minutes, Places, serials } from './testing/places.ts';
import type { Rig } from './testing/rig.ts';

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
const codesOf = (rig: Rig) => rig.errors.map((error) => (error as { code: string }).code).toSorted();
const replayed = (rig: Rig) => rig.replayed.reduce((a, n) => a + n);

const everySegment = (places: readonly SegmentPlace[]) => places;
/** Of each block the newest. */
const newestSegments = (places: readonly SegmentPlace[]) =>
  places.filter(({ block, position }) => places.every((p) => p.block !== block || p.position <= position));

const olderSegments = (places: readonly SegmentPlace[]) => {
  const newest = new Set(newestSegments(places));
  return places.filter((place) => !newest.has(place));
};

/** Two snapshots, after five and eight minutes, on a disk that nobody uses now. */
async function twoSnapshots(mirror: boolean): Promise<Places> {
  const places = new Places(closers);
  for (const [from, to] of [
    [0, 5],
    [5, 8],
  ]) {
    const rig = await places.open('A', { mirror });
    await rig.send(minutes(from, to));
    await rig.stop();
  }
  return places;
}

/** Sends late readings to the damaged disk; resolves when both partitions failed with these codes and then came to `end`. */
async function sendLate(
  places: Places,
  mirror: boolean,
  codes: readonly string[],
  end: 'live' | 'failed' = 'live',
): Promise<Rig> {
  const rig = await places.open('A', { mirror }, (log) => compacted(log, WINDOWS));
  expect([rig.replayed, rig.errors]).toEqual([[0, 0], []]);
  await rig.runtime.produce(
    'telemetry',
    late(5, 7).map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) })),
  );
  await vi.waitFor(
    () => {
      rig.clock.advance(100);
      expect(codesOf(rig)).toEqual([...codes, ...codes].toSorted());
      expect(rig.runtime.shards.map(({ phase }) => phase)).toEqual([end, end]);
      if (end === 'live') expect(rig.runtime.shards.map((shard) => shard.lag('telemetry'))).toEqual([0, 0]);
    },
    { timeout: 10_000 },
  );
  return rig;
}

/** What a process holds whose disk is sound. */
async function sound(): Promise<unknown> {
  const rig = await new Places(closers).open('sound');
  for (const records of [minutes(0, 5), minutes(5, 8), late(5, 7)]) await rig.send(records);
  return viewsOf(rig);
}

describe('a window that turns out damaged when something late is read', () => {
  test('behind the snapshot before: the partition starts again from that', async () => {
    const places = await twoSnapshots(false);
    await places.damageDisk(newestSegments);
    const rig = await sendLate(places, false, ['window_corrupt']);
    expect(replayed(rig)).toBe(3 * serials.length);
    expect(viewsOf(rig)).toEqual(await sound());
  });

  test('in the snapshot before too: the log is folded again from its start, and the next snapshot is sound', async () => {
    const places = await twoSnapshots(false);
    await places.damageDisk(olderSegments);
    const rig = await sendLate(places, false, ['state_lost']);
    expect(replayed(rig)).toBe(8 * serials.length);
    expect(viewsOf(rig)).toEqual(await sound());
    await rig.stop();
    const next = await places.open('A', { mirror: false });
    await next.send(late(3, 4));
    expect([next.replayed, next.errors]).toEqual([[0, 0], []]);
  });

  test('in both snapshots, each in its own part: one after the other is given up', async () => {
    const places = await twoSnapshots(false);
    await places.damageDisk(everySegment);
    const rig = await sendLate(places, false, ['window_corrupt', 'state_lost']);
    expect(replayed(rig)).toBe((3 + 8) * serials.length);
    expect(viewsOf(rig)).toEqual(await sound());
  });

  test.each([
    ['the older one', olderSegments, 'state_lost'],
    ['both', everySegment, 'window_corrupt'],
  ])('in %s where the log was trimmed: the snapshot in the log is taken', async (_, which, code) => {
    const places = await twoSnapshots(true);
    await places.damageDisk(which);
    await places.trim();
    const rig = await sendLate(places, true, [code]);
    expect(replayed(rig)).toBe(0);
    expect(viewsOf(rig)).toEqual(await sound());
  });

  test('on disk and in the log: what was sent is folded again, and each way is tried once', async () => {
    const places = await twoSnapshots(true);
    await places.damageDisk(everySegment);
    await places.damage(WINDOWS, () => true, flipped);
    const rig = await sendLate(places, true, ['window_corrupt', 'state_lost', 'mirror_damaged', 'state_lost']);
    expect(viewsOf(rig)).toEqual(await sound());
  });

  test('everywhere, and the log was trimmed: the partition fails for good, and says that its state is lost', async () => {
    const places = await twoSnapshots(true);
    await places.damageDisk(olderSegments);
    await places.damage(WINDOWS, () => true, flipped);
    await places.trim();
    const rig = await sendLate(places, true, ['state_lost', 'mirror_damaged', 'state_lost'], 'failed');
    const causes = () => rig.runtime.shards.map(({ failure }) => failure?.cause);
    expect(causes()).toMatchObject([0, 1].map(() => ({ code: 'state_lost', reaction: 'stop' })));
    const [starts] = rig.runtime.stages.map((stage) => [...stage.starts]);
    for (let i = 0; i < 100; i++) {
      rig.clock.advance(10_000);
      await nextTurn();
    }
    expect(rig.runtime.stages[0].starts).toEqual(starts);
  });
});
