import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineState, type StateSchema } from './schema.ts';
import { openPartitionState } from './open.ts';
import { meterState, positionOf, schemas, tempDir, testOptions } from './testing/fixture.ts';
import { goldenDirectory, goldenOptions, importDirectory } from './testing/golden.ts';
import { comparable, contentOf } from './testing/model.ts';

const versions = readdirSync(goldenDirectory).flatMap((name) => (name.endsWith('.bin') ? [name.slice(0, -4)] : []));
const reach = goldenOptions.windowBytesPerBlock;
/** Releases that wrote the entries of windows in a way that is read no more. */
const WITHOUT_WINDOWS = ['0.1.0'];

async function imported(version: string): Promise<{ dir: string; remove: () => void }> {
  const temp = tempDir();
  await importDirectory(readFileSync(join(goldenDirectory, `${version}.bin`)), temp.dir);
  return temp;
}

describe('golden snapshots', () => {
  it.each(versions)('of release %s are read', async (version) => {
    const { dir, remove } = await imported(version);
    const expected = JSON.parse(readFileSync(join(goldenDirectory, `${version}.json`), 'utf8'));
    const state = await openPartitionState(testOptions(dir, goldenOptions));
    const position = positionOf(state.restored!);
    if (WITHOUT_WINDOWS.includes(version)) expected.windows = [];
    expect(JSON.parse(JSON.stringify(comparable(contentOf(state, position), reach)))).toEqual(expected);
    expect((await state.verify()).corrupt).toEqual([]);
    await state.close();
    remove();
  });

  it('of narrow whole numbers are read by a schema with wider ones', async () => {
    const { columns } = meterState;
    const narrow = Object.entries(columns).find(([, { type }]) => type === 'u8')?.[0] as keyof typeof columns;
    const wide = defineState('meter', 2, { ...columns, [narrow]: { ...columns[narrow], type: 'u32' } });
    const { dir, remove } = await imported(versions[0]);
    const options = testOptions(dir, goldenOptions);
    const [before, after] = [
      await openPartitionState(options),
      await openPartitionState(
        testOptions((await imported(versions[0])).dir, {
          ...goldenOptions,
          schemas: [wide as unknown as StateSchema, schemas[1]],
        }),
      ),
    ];
    let assets = 0;
    for (const id of after.blockIds().filter((n) => n < after.blocksPerKind)) {
      const [a, b] = [before.block(id)!, after.block(id)!];
      for (let slot = 0; slot < b.count; slot++, assets++) {
        for (const name of wide.names) expect(b.get(wide.index(name), slot)).toBe(a.get(meterState.index(name), slot));
      }
      let seen = 0;
      after.scanWindow(b, () => ++seen > 0);
      expect(seen, 'entries of a window that another version packed').toBe(0);
    }
    expect(assets).toBeGreaterThan(5);
    await before.close();
    await after.close();
    remove();
  });

  it('are read by a schema that gained and lost columns, and refused by one that changed a type', async () => {
    const { count, energy, ...rest } = meterState.columns;
    const grown = defineState('meter', 2, { added: { type: 'f64', default: 7, doc: 'New' }, ...rest, energy });
    const retyped = defineState('meter', 2, { ...meterState.columns, count: { ...count, type: 'f64' } });
    const { dir, remove } = await imported(versions[0]);
    const expected = JSON.parse(readFileSync(join(goldenDirectory, `${versions[0]}.json`), 'utf8'));
    const told: string[] = [];
    const open = (schema: unknown) =>
      openPartitionState(
        testOptions(dir, {
          ...goldenOptions,
          schemas: [schema as StateSchema, schemas[1]],
          message: (_, text) => told.push(text),
        }),
      );
    let state = await open(grown);
    let assets = 0;
    for (const id of state.blockIds().filter((n) => n < state.blocksPerKind)) {
      const block = state.block(id)!;
      for (let slot = 0; slot < block.count; slot++, assets++) {
        expect(block.get(grown.index('added'), slot)).toBe(7);
        expect(block.get(grown.index('energy'), slot)).toBe(expected.assets[`0/${block.serial(slot)}`].energy);
        expect(state.read(block, slot)).toEqual(expected.assets[`0/${block.serial(slot)}`].side);
      }
    }
    expect(assets).toBeGreaterThan(5);
    expect(told).toEqual(['column count of state meter is no longer declared: its values are dropped']);
    await state.close();
    state = await open(retyped);
    const [first] = state.blockIds();
    expect(() => state.block(first)).toThrow(/column count of state meter was u32/);
    await state.close();
    remove();
  });
});
