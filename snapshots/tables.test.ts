import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openPartitionState } from './open.ts';
import { tableSound } from './tables.ts';
import { metaOf, positionOf, resolved, tempDir, testOptions } from './testing/fixture.ts';
import { stepAt } from './testing/killed-snapshots.ts';
import { apply, emptyModel } from './testing/model.ts';

it('finds any flipped byte of a table, and opens without it after unclean ends', async () => {
  const { dir, remove } = tempDir();
  const model = emptyModel();
  for (let round = 0; round < 2; round++) {
    const state = await openPartitionState(testOptions(dir));
    for (let n = 0; n < 80; n++) apply(state, model, stepAt(model.position));
    await state.snapshot(metaOf(model.position), resolved);
    await state.close();
  }
  await (await openPartitionState(testOptions(dir))).close();
  const level = join(dir, 'level');
  const tables = readdirSync(level).filter((name) => name.endsWith('.ldb'));
  expect(tables.length).toBeGreaterThan(0);
  for (const name of tables) {
    const bytes = readFileSync(join(level, name));
    expect(tableSound(bytes)).toBe(true);
    // The footer is padded; what is padding bears no checksum.
    for (let at = 0; at < bytes.length - 48; at += 13) {
      bytes[at] ^= 4;
      expect(tableSound(bytes), `byte ${at}`).toBe(false);
      bytes[at] ^= 4;
    }
    expect(tableSound(bytes.subarray(0, -1))).toBe(false);
  }
  const newest = join(level, tables.sort().at(-1)!);
  const bytes = readFileSync(newest);
  bytes[5] ^= 255;
  writeFileSync(newest, bytes);
  writeFileSync(join(dir, 'open'), '2\n');
  const told: unknown[] = [];
  const state = await openPartitionState(
    testOptions(dir, { message: (level, text, fields) => level === 'error' && told.push(text, fields) }),
  );
  expect(positionOf(state.restored!)).toBe(80);
  expect(told[0]).toMatch(/its tables were checked/);
  await state.close();
  remove();
});
