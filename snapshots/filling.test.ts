import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PartitionState } from './contract.ts';
import { segmentPlaceOf } from './keys.ts';
import type { ExportedSnapshot, MirroredSnapshot, StateRow } from './mirrored.ts';
import { openPartitionState } from './open.ts';
import {
  metaOf,
  positionOf,
  readWindow,
  resolved,
  tempDir,
  testOptions,
  touchAsset,
  windowEntry,
} from './testing/fixture.ts';
import { apply, comparable, contentOf, emptyModel, type StateModel } from './testing/model.ts';
import { stepAt } from './testing/killed-snapshots.ts';

const REACH = 600;
const more = { windowBytesPerBlock: REACH, windowChunkBytes: 64 };
const STEPS = 400;

let root: string;
let remove: () => void;
let model: StateModel;
let rows: StateRow[];
let segments: StateRow[];
let snapshot: MirroredSnapshot;
let state: PartitionState | null = null;

/** A snapshot of many steps, of which some segments were closed by earlier snapshots. */
beforeEach(async () => {
  ({ dir: root, remove } = tempDir());
  const source = await openPartitionState(testOptions(join(root, 'source'), more));
  model = emptyModel();
  while (model.position < STEPS) {
    apply(source, model, stepAt(model.position));
    if (model.position % 60 === 0 || model.position === STEPS) await source.snapshot(metaOf(model.position), resolved);
  }
  const exported = (await source.export(null)) as ExportedSnapshot;
  const all: StateRow[] = [];
  for await (const list of exported.rows()) all.push(...list.map(({ key, value }) => ({ key, value })));
  await source.close();
  rows = all.filter(({ key }) => segmentPlaceOf(key) === null);
  segments = all.filter(({ key }) => segmentPlaceOf(key) !== null);
  snapshot = mirroredOf(exported, segments);
});

afterEach(async () => {
  await state?.close();
  state = null;
  remove();
});

function mirroredOf(
  { name, layout, manifest }: Pick<ExportedSnapshot, 'name' | 'layout' | 'manifest'>,
  windows: readonly StateRow[],
): MirroredSnapshot {
  const inPieces = async function* (list: readonly StateRow[]) {
    for (let at = 0; at < list.length; at += 5) yield list.slice(at, at + 5);
  };
  const { number } = name;
  return { number, layout, manifest, rows: () => inPieces(rows), windows: () => inPieces([...windows].reverse()) };
}

const withSegments = (windows: readonly StateRow[]) =>
  mirroredOf({ ...snapshot, name: { number: snapshot.number, crc: 0 } }, windows);
const dir = () => join(root, 'own');

async function open(replaceWith?: MirroredSnapshot): Promise<PartitionState> {
  state = await openPartitionState(testOptions(dir(), { ...more, replaceWith }));
  return state;
}

async function reopen(): Promise<PartitionState> {
  await state?.close();
  return open();
}

const content = (of: PartitionState) => comparable(contentOf(of, model.position), REACH);
/** The middle segment of the block that has most. */
const middle = () => {
  const byBlock = Map.groupBy(segments, ({ key }) => segmentPlaceOf(key)?.block);
  const [most] = [...byBlock.values()].sort((a, b) => b.length - a.length);
  return most[most.length >> 1];
};

describe('the windows of a mirrored snapshot', () => {
  test('come behind it, and then the directory counts', async () => {
    const opened = await open(snapshot);
    expect(await opened.filling?.done).toMatchObject({ segments: segments.length });
    expect(opened.filling).toBeNull();
    expect(content(opened)).toEqual(comparable(model, REACH));
    expect(content(await reopen())).toEqual(comparable(model, REACH));
  });

  test('are followed by what is appended meanwhile', async () => {
    const opened = await open(snapshot);
    for (let n = 0; n < 60; n++) apply(opened, model, stepAt(model.position));
    await opened.filling?.done;
    expect(content(opened)).toEqual(comparable(model, REACH));
    await opened.snapshot(metaOf(model.position), resolved);
    expect(content(await reopen())).toEqual(comparable(model, REACH));
  });

  test('come in any order, with rows of snapshots that never became whole among them', async () => {
    const litter = segments.map(({ key, value }) => ({ key, value: Buffer.from(value as Buffer).fill(7, 40) }));
    const opened = await open(withSegments([...litter, ...segments.toReversed()]));
    await opened.filling?.done;
    expect(content(opened)).toEqual(comparable(model, REACH));
  });

  test('that are not there yet are not taken for lost', async () => {
    const held = {
      ...snapshot,
      windows: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
    };
    const opened = await open(held);
    const { block } = touchAsset(opened, 0, 'S-0');
    expect(() => readWindow(opened, block)).toThrow(expect.objectContaining({ code: 'window_pending' }));
    const waiting = expect(opened.filling?.more()).rejects.toMatchObject({ code: 'window_pending' });
    await opened.close();
    await waiting;
    state = null;
  });

  test.each([
    ['a segment in the middle is missing', () => segments.filter((row) => row !== middle())],
    [
      'a segment is damaged',
      () =>
        segments.map((row) =>
          row === middle() ? { ...row, value: Buffer.from(row.value as Buffer).fill(1, 40) } : row,
        ),
    ],
    ['all are missing', () => []],
  ])('%s: they are refused, and the directory before it takes its place again', async (_, windows) => {
    const before = await open();
    const old = emptyModel();
    while (old.position < 30) apply(before, old, stepAt(old.position));
    await before.snapshot(metaOf(30), resolved);
    await before.close();
    const opened = await open(withSegments(windows()));
    await expect(opened.filling?.done).rejects.toMatchObject({ code: 'mirror_damaged' });
    const again = await reopen();
    expect(again.restored && positionOf(again.restored)).toBe(30);
    expect(comparable(contentOf(again, 30), REACH)).toEqual(comparable(old, REACH));
    expect(existsSync(`${dir()}.old`)).toBe(false);
  });

  test.each(['gone', 'deleted'])(
    'that their owner had cut off shorter are taken as they are, the rest %s',
    async (how) => {
      const byBlock = [...Map.groupBy(segments, ({ key }) => segmentPlaceOf(key)?.block).values()];
      const kept = byBlock.flatMap((list) => list.slice(list.length >> 1));
      const deleted = byBlock
        .flatMap((list) => list.slice(0, list.length >> 1))
        .map(({ key }) => ({ key, value: null }));
      const opened = await open(withSegments(how === 'gone' ? kept : [...kept, ...deleted]));
      await opened.filling?.done;
      expect(opened.filling).toBeNull();
    },
  );

  test('are not lost to another process that opens the directory meanwhile', async () => {
    const go = Promise.withResolvers<void>();
    const held: MirroredSnapshot = {
      ...snapshot,
      async *windows() {
        await go.promise;
        yield* snapshot.windows();
      },
    };
    const opened = await open(held);
    const second = openPartitionState(testOptions(dir(), more));
    await expect(second).rejects.toMatchObject({ code: 'state_locked' });
    go.resolve();
    await opened.filling?.done;
    expect(content(await reopen())).toEqual(comparable(model, REACH));
  });

  test('are published whole where their segments are large', async () => {
    const source = await openPartitionState(testOptions(join(root, 'large'), { windowBytesPerBlock: 1 << 20 }));
    const { block } = touchAsset(source, 0, 'S-0');
    for (let n = 0; n < 400; n++) source.appendWindow(block, windowEntry(1000, n), 1000);
    await source.snapshot(metaOf(1), resolved);
    const exported = (await source.export(null)) as ExportedSnapshot;
    let bytes = 0;
    for await (const list of exported.rows()) {
      for (const { key, value } of list) if (segmentPlaceOf(key) !== null) bytes += (value as Buffer).length - 32;
    }
    expect(bytes).toBe(400_000);
    await source.close();
  });
});
