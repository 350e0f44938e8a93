import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import type { ShardObserver } from '../shard/shard.ts';
import { homeOf } from './assets.ts';
import { lamp, openRig, type Rig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const serials = Array.from({ length: 64 }, (_, i) => `L${i}`);
const one = [0, 1].map((partition) => serials.find((serial) => homeOf(serial, 2).partition === partition)!);
/** So many records for each of the two partitions. */
const records = (from: number, count: number) =>
  one.flatMap((serial) => Array.from({ length: count }, (_, i) => lamp(serial, from + i)));

/** A runtime whose snapshots are heard of, and whose publications stand still while `isHeld`. */
class Place {
  readonly rig: Rig;
  /** Partitions in the order in which they took snapshots. */
  readonly took: number[];
  #release: () => void = () => {};

  private constructor(rig: Rig, took: number[]) {
    this.rig = rig;
    this.took = took;
  }

  static async open(snapshotRecords = 1_000_000): Promise<Place> {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-order-'));
    closers.push(async () => rmSync(dir, { recursive: true, force: true }));
    const took: number[] = [];
    const observer: ShardObserver = {
      phase() {},
      committed() {},
      snapshot: (partition) => void took.push(partition),
      folded() {},
      quarantined() {},
      failed() {},
    };
    const options = { mirror: true, snapshotRecords, observer: () => observer };
    return new Place(await openRig(dir, new ManualClock(START), options, closers), took);
  }

  /** Publications stand still until {@link release}. */
  hold(): void {
    const held = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    closers.push(async () => this.release());
    const { log } = this.rig.runtime.shards[0].options;
    const publish = log.publish.bind(log);
    log.publish = async (claim, rows) => {
      await held;
      await publish(claim, rows);
    };
  }

  release(): void {
    this.#release();
  }

  /** Resolves with the partition that took the n-th snapshot. */
  async nth(count: number): Promise<number> {
    await vi.waitFor(() => expect(this.took.length).toBeGreaterThanOrEqual(count));
    return this.took[count - 1];
  }
}

/** One partition is at work on a snapshot whose publication stands still; the other one's is due. */
async function oneAtWork(): Promise<{ place: Place; first: number }> {
  const place = await Place.open(80);
  place.hold();
  await place.rig.send(records(0, 70));
  return { place, first: await place.nth(1) };
}

test('partitions that began together take their snapshots half an interval apart', async () => {
  const { rig } = await Place.open();
  const begun: [second: number, partition: number][] = [];
  for (let second = 5; second <= 95; second += 5) {
    await rig.advance(5_000);
    await rig.send(records(second, 1));
    for (const { partition, snapshots } of rig.runtime.shards) {
      if (snapshots.takenAt === rig.clock.now()) begun.push([second, partition]);
    }
  }
  expect(begun).toEqual([15, 30, 45, 60, 75, 90].map((second, i) => [second, 1 - (i % 2)]));
});

test('while one is at work the other waits, and takes its own when it is its turn', async () => {
  const { place, first } = await oneAtWork();
  await place.rig.send(records(70, 1));
  expect(place.took).toEqual([first]);
  place.release();
  const { snapshots } = place.rig.runtime.shards[first];
  await vi.waitFor(() => expect(snapshots.positions).toHaveLength(1));
  await place.rig.send(records(71, 1));
  expect(await place.nth(2)).toBe(1 - first);
});

test('what bounds a replay waits for nobody', async () => {
  const { place, first } = await oneAtWork();
  await place.rig.send(records(70, 10));
  expect(await place.nth(2)).toBe(1 - first);
});

test('a partition that waits for its turn is let go at once', async () => {
  const { place, first } = await oneAtWork();
  const [stage] = place.rig.runtime.stages;
  const leaving = stage.release(1 - first);
  expect(await place.nth(2)).toBe(1 - first);
  place.release();
  await leaving;
});

test('a partition that is let go while it has the turn leaves it to the others', async () => {
  const { place, first } = await oneAtWork();
  await place.rig.runtime.shards[first].abandon();
  await place.rig.runtime.produce('telemetry', [
    { key: one[1 - first], value: Buffer.from(JSON.stringify(lamp(one[1 - first], 70))) },
  ]);
  await place.rig.runtime.settled();
  expect(await place.nth(2)).toBe(1 - first);
});
