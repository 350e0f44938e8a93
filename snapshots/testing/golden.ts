/**
 * Golden snapshots: the database of a small partition as one file per release, so that the next release proves that it
 * reads it. Made once for a release, and never changed:
 *
 *   node snapshots/testing/golden.ts 0.1.0
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClassicLevel } from 'classic-level';
import { openPartitionState } from '../open.ts';
import { metaOf, resolved, tempDir, testOptions } from './fixture.ts';
import { stepAt } from './killed-snapshots.ts';
import { apply, comparable, emptyModel } from './model.ts';

export const goldenDirectory = fileURLToPath(new URL('../golden', import.meta.url));
export const goldenOptions = { windowBytesPerBlock: 600, windowChunkBytes: 128 };

const encoding = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
const STEPS_BEFORE = 150;
const STEPS = 250;

/** Writes the file and what it must read as. */
async function make(version: string): Promise<void> {
  const { dir, remove } = tempDir();
  const state = await openPartitionState(testOptions(dir, goldenOptions));
  const model = emptyModel();
  while (model.position < STEPS_BEFORE) apply(state, model, stepAt(model.position));
  await state.snapshot(metaOf(model.position), resolved);
  while (model.position < STEPS) apply(state, model, stepAt(model.position));
  await state.snapshot(metaOf(model.position), resolved);
  await state.close();
  const base = join(goldenDirectory, version);
  mkdirSync(goldenDirectory, { recursive: true });
  writeFileSync(`${base}.bin`, await exportDirectory(dir), { flag: 'wx' });
  const content = comparable(model, goldenOptions.windowBytesPerBlock);
  writeFileSync(`${base}.json`, `${JSON.stringify(content, null, 1)}\n`, { flag: 'wx' });
  remove();
}

/** Layout file, then keys and values, each with its length before it. */
async function exportDirectory(dir: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  };
  add(readFileSync(join(dir, 'partition.json')));
  const db = new ClassicLevel<Buffer, Buffer>(join(dir, 'level'), encoding);
  for await (const [key, value] of db.iterator()) {
    add(key);
    add(value);
  }
  await db.close();
  return Buffer.concat(parts);
}

/** Makes the directory that an exported file was made from. */
export async function importDirectory(bytes: Buffer, dir: string): Promise<void> {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  writeFileSync(join(dir, 'partition.json'), parts[0]);
  const db = new ClassicLevel<Buffer, Buffer>(join(dir, 'level'), encoding);
  for (let i = 1; i < parts.length; i += 2) await db.put(parts[i], parts[i + 1]);
  await db.close();
}

if (process.argv[1]?.endsWith('golden.ts')) await make(process.argv[2]);
