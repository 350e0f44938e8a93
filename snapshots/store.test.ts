import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PartitionState, PartitionStateOptions } from './contract.ts';
import { openPartitionState } from './open.ts';
import {
  metaOf,
  positionOf,
  readWindow,
  resolved,
  schemas,
  setColumn,
  tempDir,
  testOptions,
  touchAsset,
  windowEntry,
} from './testing/fixture.ts';

let dir: string;
let remove: () => void;
let state: PartitionState | null;

beforeEach(() => {
  ({ dir, remove } = tempDir());
  state = null;
});

afterEach(async () => {
  await state?.close();
  remove();
});

async function open(more: Partial<PartitionStateOptions> = {}): Promise<PartitionState> {
  await state?.close();
  state = null;
  state = await openPartitionState(testOptions(dir, more));
  return state;
}

describe('state of a partition', () => {
  it('starts empty, and comes back as its newest snapshot', async () => {
    let s = await open();
    expect(s.restored).toBeNull();
    const { block, slot } = touchAsset(s, 0, 'TG-1');
    setColumn(block, 'energy', slot, 12.5);
    s.write(block, slot, { site: 'Ulm', open: [['f', 1]] });
    s.writeLife(block, slot, [{ id: 'a' }]);
    s.appendWindow(block, windowEntry(20, 7), 20);
    s.due[block.id] = 99;
    s.unpublished[block.id] = 1;
    expect(s.intern('Europe/Berlin')).toBe(1);
    const figures = await s.snapshot(metaOf(5), resolved);
    expect(figures.blocks).toBe(1);
    setColumn(block, 'energy', slot, 13);

    s = await open();
    expect(positionOf(s.restored!)).toBe(5);
    expect(s.blockIds()).toEqual([block.id]);
    expect(s.assets).toBe(1);
    expect(s.due[block.id]).toBe(99);
    expect(s.unpublished[block.id]).toBe(1);
    expect(s.name(1)).toBe('Europe/Berlin');
    const again = s.block(block.id)!;
    expect(again.serial(0)).toBe('TG-1');
    expect(again.get(0, 0)).toBe(12.5);
    expect(again.get(1, 0)).toBeNaN();
    expect(again.get(3, 0)).toBe(255);
    expect(s.read(again, 0)).toEqual({ site: 'Ulm', open: [['f', 1]] });
    expect(s.readLife(again, 0)).toEqual([{ id: 'a' }]);
    expect(readWindow(s, again).entries).toEqual([[20, 7]]);
    expect(await s.verify()).toMatchObject({ blocks: 1, corrupt: [] });
  });

  it('keeps what is changed while a snapshot runs out of it', async () => {
    let s = await open();
    const { block, slot } = touchAsset(s, 0, 'TG-1');
    setColumn(block, 'energy', slot, 1);
    s.write(block, slot, { v: 1 });
    s.appendWindow(block, windowEntry(20, 1), 20);
    const running = s.snapshot(metaOf(1), resolved);
    s.change(block);
    setColumn(block, 'energy', slot, 2);
    s.write(block, slot, { v: 2 });
    s.appendWindow(block, windowEntry(20, 2), 20);
    s.due[block.id] = 5;
    s.intern('later');
    const fresh = touchAsset(s, 1, 'ROOF');
    expect(s.snapshotting).toBe(true);
    await running;
    expect(block.dirty).toBe(true);
    expect(s.read(block, slot)).toEqual({ v: 2 });

    s = await open();
    const restored = s.block(block.id)!;
    expect(restored.get(0, 0)).toBe(1);
    expect(s.read(restored, 0)).toEqual({ v: 1 });
    expect(readWindow(s, restored).entries).toEqual([[20, 1]]);
    expect(s.due[block.id]).toBe(Number.POSITIVE_INFINITY);
    expect(s.name(1)).toBeNull();
    expect(s.block(fresh.block.id)).toBeNull();
  });

  it('is as if no snapshot had been tried when its commit fails', async () => {
    let s = await open();
    const { block, slot } = touchAsset(s, 0, 'TG-1');
    s.write(block, slot, { v: 1 });
    await s.snapshot(metaOf(1), resolved);
    s.write(block, slot, { v: 2 });
    await expect(s.snapshot(metaOf(2), Promise.reject(new Error('fenced')))).rejects.toThrow('fenced');
    expect(block.dirty).toBe(true);
    expect(s.read(block, slot)).toEqual({ v: 2 });
    s = await open();
    expect(positionOf(s.restored!)).toBe(1);
    const restored = s.block(block.id)!;
    expect(s.read(restored, 0)).toEqual({ v: 1 });
    s.write(restored, 0, { v: 3 });
    await expect(s.snapshot(metaOf(3), Promise.reject(new Error('fenced')))).rejects.toThrow('fenced');
    await s.snapshot(metaOf(4), resolved);
    await s.snapshot(metaOf(5), resolved);
    expect(s.read(restored, 0)).toEqual({ v: 3 });
    expect((await s.verify()).corrupt).toEqual([]);
    s = await open({ skipNewest: true });
    expect(positionOf(s.restored!)).toBe(4);
    expect(s.read(s.block(block.id)!, 0)).toEqual({ v: 3 });
  });

  it('closes while a snapshot waits for its commit', async () => {
    const s = await open();
    touchAsset(s, 0, 'TG-1');
    const waiting = s.snapshot(metaOf(1), new Promise(() => {}));
    const refused = expect(waiting).rejects.toMatchObject({ code: 'snapshot_refused' });
    await s.close();
    await refused;
  });

  it('runs one snapshot at a time', async () => {
    const s = await open();
    const first = s.snapshot(metaOf(1), resolved);
    await expect(s.snapshot(metaOf(2), resolved)).rejects.toMatchObject({ code: 'snapshot_refused' });
    await first;
  });

  it('discards snapshots that the owner cannot use', async () => {
    let s = await open();
    for (const position of [1, 2, 3]) {
      setColumn(touchAsset(s, 0, 'TG-1').block, 'energy', 0, position);
      await s.snapshot(metaOf(position), resolved);
    }
    s = await open({ usable: (meta) => positionOf(meta) < 3 });
    expect(positionOf(s.restored!)).toBe(2);
    const { block } = touchAsset(s, 0, 'TG-1');
    expect(block.get(0, 0)).toBe(2);
    s = await open();
    expect(positionOf(s.restored!)).toBe(2);
    await expect(open({ usable: () => false })).rejects.toMatchObject({ code: 'state_lost' });
    s = await open({ usable: () => false, startEmpty: true });
    expect(s.restored).toBeNull();
    expect(s.blockIds()).toEqual([]);
  });

  it('lets the longest untouched clean blocks go, and brings them back', async () => {
    const s = await open({ maxResidentBytes: 0 });
    const blocks = new Set(Array.from({ length: 60 }, (_, i) => touchAsset(s, 0, `TG-${i}`).block));
    let n = 0;
    for (const block of blocks) block.touched = n++;
    expect(s.passivate()).toBe(0);
    const running = s.snapshot(metaOf(1), resolved);
    expect(s.passivate()).toBe(0);
    await running;
    const [kept] = blocks;
    s.change(kept);
    expect(s.passivate()).toBe(blocks.size - 1);
    expect(s.block(kept.id)).toBe(kept);
    expect(s.assets).toBe(60);
    const gone = [...blocks][1];
    expect(() => s.change(gone)).toThrow(/let go/);
    expect(s.block(gone.id)).not.toBe(gone);
    expect(s.block(gone.id)!.count).toBe(gone.count);
  });

  it('keeps hostile keys and odd values of side records', async () => {
    let s = await open();
    const { block, slot } = touchAsset(s, 0, 'TG-1');
    const value = {
      hostile: JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "toString": [{"__proto__": 2}]}') as object,
      odd: [Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53, 'ü\u0000😀', null, true],
      long: 'x'.repeat(100_000),
    };
    s.write(block, slot, value);
    await s.snapshot(metaOf(1), resolved);
    s = await open();
    const read = s.read(s.block(block.id)!, slot) as typeof value;
    expect(JSON.stringify(read)).toBe(JSON.stringify(value));
    expect(read.odd).toEqual(value.odd);
    expect(Object.getPrototypeOf(read.hostile)).toBe(Object.prototype);
    expect(Object.keys(read.hostile)).toContain('__proto__');
  });

  it('keeps the directory at the size of two snapshots', async () => {
    const s = await open({ windowBytesPerBlock: 4096, windowChunkBytes: 256 });
    for (let i = 0; i < 60; i++) {
      const { block, slot } = touchAsset(s, 0, 'TG-1');
      s.write(block, slot, { i });
      s.writeLife(block, slot, [i]);
      for (let k = 0; k < 20; k++) s.appendWindow(block, windowEntry(50, i), 50);
      await s.snapshot(metaOf(i), resolved);
    }
    await s.close();
    state = null;
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel<Buffer, Buffer>(`${dir}/level`, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    const keys: Record<string, number> = {};
    for await (const key of db.keys()) keys[String.fromCharCode(key[0])] = (keys[String.fromCharCode(key[0])] ?? 0) + 1;
    await db.close();
    expect(keys).toMatchObject({ M: 2, N: 6, O: 1 });
    expect(keys.W).toBeLessThan(60);
  });

  it('refuses a directory whose kinds moved, and takes one whose kinds grew', async () => {
    let s = await open({ schemas: [schemas[0]] });
    touchAsset(s, 0, 'TG-1');
    await s.snapshot(metaOf(1), resolved);
    await expect(open({ schemas: [schemas[1], schemas[0]] })).rejects.toMatchObject({ code: 'state_layout' });
    s = await open({ blocksPerKind: 32 });
    expect(s.blocksPerKind).toBe(16);
    touchAsset(s, 1, 'ROOF');
    expect(s.assets).toBe(2);
    await expect(openPartitionState(testOptions(dir))).rejects.toMatchObject({ code: 'state_locked' });
  });
});

describe('window', () => {
  it('reaches back as far as it is told, with chunks that depend on nothing but what was appended', async () => {
    const lengths = Array.from({ length: 400 }, (_, i) => 8 + ((i * 37) % 90) + (i % 97 === 0 ? 700 : 0));
    const seen: unknown[] = [];
    for (const snapshotEvery of [1000, 4, 17]) {
      const { dir: own, remove: removeOwn } = tempDir();
      const options = testOptions(own, { windowBytesPerBlock: 3000, windowChunkBytes: 500 });
      let s = await openPartitionState(options);
      let { block } = touchAsset(s, 0, 'TG-1');
      for (const [i, length] of lengths.entries()) {
        s.appendWindow(block, windowEntry(length, i), length);
        if (i % snapshotEvery !== snapshotEvery - 1) continue;
        await s.snapshot(metaOf(i), resolved);
        if (i % 3 === 0) continue;
        await s.close();
        s = await openPartitionState(options);
        block = s.block(block.id)!;
      }
      const window = readWindow(s, block);
      let bytes = 0;
      const expected: [number, number][] = [];
      for (let i = lengths.length - 1; i >= 0 && bytes + lengths[i] <= 3000; i--) {
        bytes += lengths[i];
        expected.unshift([lengths[i], i]);
      }
      expect(window.entries).toEqual(expected);
      seen.push(window.chunks);
      await s.close();
      removeOwn();
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });
});
