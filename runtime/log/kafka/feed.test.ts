import { describe, expect, it } from 'vitest';
import { Feed, pushBatch, within } from './feed.ts';
import { Segment } from './segment.ts';
import { encodeBatch, encodeBody } from './wire/record-set.ts';

const identity = { producerId: 1, producerEpoch: 0, sequence: 0, isTransactional: false };

/** A segment of batches of two records each, the first at `from`. */
async function segment(from: number, batches: number): Promise<Segment> {
  const stored: Buffer[] = [];
  for (let i = 0; i < batches; i++) {
    const records = [0, 1].map((r) => ({ key: null, value: Buffer.from(`value ${from + 2 * i + r}`) }));
    const batch = encodeBatch(await encodeBody(records, 0, 2, 'none'), identity, 0);
    batch.writeUInt32BE(from + 2 * i, 4);
    stored.push(batch);
  }
  return new Segment(Buffer.concat(stored), from, []);
}

const feedAt = (position: number) => new Feed('t', 0, position, (s) => s.next());

describe('a feed', () => {
  it('holds what was fetched until it is read on behind it', async () => {
    const feed = feedAt(10);
    expect(feed.holds(10)).toBe(false);
    feed.add(await segment(10, 3));
    expect([9, 10, 15, 16].map((from) => feed.holds(from))).toEqual([false, true, true, false]);
    expect((await feed.read(10, 1)).map((b) => b.baseOffset)).toEqual([10]);
    expect((await feed.read(11, 1)).map((b) => b.baseOffset)).toEqual([10]);
    expect((await feed.read(12, 1 << 20)).map((b) => b.baseOffset)).toEqual([12, 14]);
    expect(feed.holds(11)).toBe(false);
    feed.add(await segment(16, 1));
    expect((await feed.read(16, 1)).map((b) => b.baseOffset)).toEqual([16]);
  });

  it('serves readers that come together one after the other, each from its place', async () => {
    const feed = feedAt(0);
    feed.add(await segment(0, 20));
    const reads = await Promise.all([0, 4, 4, 30].map((from) => feed.read(from, 1)));
    expect(reads.map(([batch]) => batch.baseOffset)).toEqual([0, 4, 4, 30]);
  });

  it('gives a reader what it asked for though it moves elsewhere meanwhile', async () => {
    const feed = feedAt(0);
    feed.add(await segment(0, 5));
    const reading = feed.read(0, 1 << 20);
    feed.moveTo(100, await segment(100, 1));
    expect((await reading).map((b) => b.baseOffset)).toEqual([0, 2, 4, 6, 8]);
    expect((await feed.read(100, 1)).map((b) => b.baseOffset)).toEqual([100]);
    expect(feed.position).toBe(102);
  });

  it('counts what waits', async () => {
    const feed = feedAt(0);
    expect(feed.bytes).toBe(0);
    feed.add(await segment(0, 5));
    expect(feed.bytes).toBeGreaterThan(100);
    await feed.read(0, 1 << 20);
    expect(feed.bytes).toBeGreaterThan(50);
    await feed.read(8, 1);
    expect(feed.bytes).toBeLessThan(50);
  });
});

describe('batches', () => {
  it('stop before the one that goes beyond the bytes asked for, but never before the first', async () => {
    const batches = await feedWith(4);
    expect(within(batches, 1)).toHaveLength(1);
    expect(within(batches, 50)).toHaveLength(2);
    expect(within(batches, 1000)).toHaveLength(4);
    expect(within([], 1000)).toEqual([]);
  });

  it('say where reading goes on only at their end', async () => {
    const [first, second] = await feedWith(2);
    const empty = { ...first, count: 0 };
    const list = [first];
    pushBatch(list, { ...empty, baseOffset: 5 });
    pushBatch(list, { ...empty, baseOffset: 7 });
    expect(list.map((b) => [b.baseOffset, b.count])).toEqual([
      [0, 2],
      [7, 0],
    ]);
    pushBatch(list, second);
    expect(list).toEqual([first, second]);
  });

  async function feedWith(batches: number) {
    const feed = feedAt(0);
    feed.add(await segment(0, batches));
    return feed.read(0, 1 << 20);
  }
});
