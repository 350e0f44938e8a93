import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PartitionState, PartitionStateOptions } from './contract.ts';
import { segmentKey, segmentPlaceOf } from './keys.ts';
import type { ExportedSnapshot, MirroredSnapshot, StateRow } from './mirrored.ts';
import { openPartitionState } from './open.ts';
import { defineState, type StateSchema } from './schema.ts';
import {
  meterState,
  metaOf,
  readWindow,
  resolved,
  schemas,
  tempDir,
  testOptions,
  touchAsset,
  windowEntry,
} from './testing/fixture.ts';
import { goldenDirectory, goldenOptions, importDirectory } from './testing/golden.ts';
import { segmentMatches } from './window.ts';

let dir: string;
let remove: () => void;
let state: PartitionState | null = null;

beforeEach(async () => {
  ({ dir, remove } = tempDir());
  await importDirectory(readFileSync(join(goldenDirectory, '0.1.0.bin')), dir);
});

afterEach(async () => {
  await state?.close();
  remove();
});

async function open(at: string, more: Partial<PartitionStateOptions> = {}): Promise<PartitionState> {
  await state?.close();
  state = await openPartitionState(testOptions(at, { ...goldenOptions, ...more }));
  return state;
}

/** By block, the entries of its window. */
function windowsOf(of: PartitionState): Map<number, [number, number][]> {
  return new Map(of.blockIds().map((id) => [id, readWindow(of, of.block(id)!).entries]));
}

/** The newest snapshot as it stands in the log, and the segments in it. */
async function mirrorOf(of: PartitionState): Promise<{ mirrored: MirroredSnapshot; segments: readonly StateRow[] }> {
  const exported = (await of.export(null)) as ExportedSnapshot;
  const all: StateRow[] = [];
  for await (const list of exported.rows()) all.push(...list.map(({ key, value }) => ({ key, value })));
  const segments = all.filter(({ key }) => segmentPlaceOf(key) !== null);
  const rows = async function* () {
    yield all.filter(({ key }) => segmentPlaceOf(key) === null);
  };
  const windows = async function* () {
    yield [...segments].reverse();
  };
  const { layout, manifest, name } = exported;
  return { segments, mirrored: { number: name.number, layout, manifest, rows, windows } };
}

test('windows of 0.1.0 end where the release did, and go on from there', async () => {
  const old = await open(dir);
  const ids = old.blockIds();
  expect([...windowsOf(old).values()].flat()).toEqual([]);
  const { block } = touchAsset(old, 0, 'S-0');
  const end = block.window.end;
  expect(end, 'bytes of the window that was cut off').toBeGreaterThan(0);
  old.appendWindow(block, windowEntry(20, 7), 20);
  old.appendWindow(block, windowEntry(300, 8), 300);
  await old.snapshot(metaOf(9), resolved);
  const again = await open(dir);
  const expected = ids.map((id) => [
    id,
    id === block.id
      ? [
          [20, 7],
          [300, 8],
        ]
      : [],
  ]);
  expect([...windowsOf(again)]).toEqual(expected);
  expect(again.block(block.id)?.window.end).toBe(end + 320);
});

test('columns that tell of a window are set as for a state of another version', async () => {
  const sinceBase = { type: 'u8', scope: 'engine', upgraded: 255, doc: 'Readings since the newest base' } as const;
  const meter = defineState('meter', meterState.version, { ...meterState.columns, sinceBase });
  const old = await open(dir, { schemas: [meter as unknown as StateSchema, schemas[1]] });
  const { block, slot } = touchAsset(old, 0, 'S-0');
  expect(block.get(meter.index('sinceBase'), slot)).toBe(255);
});

test('a mirrored snapshot with windows of 0.1.0 among others is filled with the others', async () => {
  const old = await open(dir);
  const { block } = touchAsset(old, 0, 'S-0');
  old.appendWindow(block, windowEntry(20, 7), 20);
  await old.snapshot(metaOf(9), resolved);
  const expected = windowsOf(old);
  const { mirrored, segments } = await mirrorOf(old);
  const isOld = ({ key, value }: StateRow) => value !== null && !segmentMatches(key, value);
  expect([segments.filter(isOld).length > 3, segments.length - segments.filter(isOld).length]).toEqual([true, 1]);
  const moved = await open(`${dir}-moved`, { replaceWith: mirrored });
  expect(await moved.filling?.done).toMatchObject({ segments: 1 });
  expect(windowsOf(moved)).toEqual(expected);
});

test('a segment of another version is refused, sound as it is', async () => {
  const s = await open(`${dir}-new`);
  const { block } = touchAsset(s, 0, 'S-0');
  s.appendWindow(block, windowEntry(20, 7), 20);
  await s.snapshot(metaOf(1), resolved);
  const { segments } = await mirrorOf(s);
  const key = segmentKey(block.id, 0);
  const segment = Buffer.from(segments[0].value as Buffer);
  expect(segmentMatches(key, segment)).toBe(true);
  segment[0] -= 1;
  segment.writeUInt32LE(crc32(segment.subarray(32), crc32(segment.subarray(0, 28), crc32(key))), 28);
  expect(segmentMatches(key, segment)).toBe(false);
});
