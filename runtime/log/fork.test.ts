import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { topics } from './contract.ts';
import { type EmbeddedLog, openEmbeddedLog } from './embedded/embedded.ts';
import { ForkedLog } from './fork.ts';
import { offsetAt } from './offset-at.ts';

const clock = new ManualClock(1_000);
let dir: string;
let source: EmbeddedLog;
let own: EmbeddedLog;
const records = (...values: string[]) => values.map((value) => ({ key: null, value: Buffer.from(value) }));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gridfold-fork-'));
  source = await openEmbeddedLog({ dir: join(dir, 'source'), partitions: 2, clock });
  own = await openEmbeddedLog({ dir: join(dir, 'own'), partitions: 2, clock });
  for (const value of ['a', 'b', 'c']) {
    await source.append(topics.telemetry, 0, records(value, value.toUpperCase()));
    clock.advance(1_000);
  }
});

afterEach(async () => {
  await source.close();
  await own.close();
  await rm(dir, { recursive: true });
});

const fork = (first: number) => new ForkedLog({ source, own, inputs: new Map([[topics.telemetry, [first, 0]]]) });

it('finds the first batch of a time', async () => {
  const began = clock.now() - 3_000;
  const at = (offsetMs: number) => offsetAt(source, topics.telemetry, 0, began + offsetMs);
  expect(await Promise.all([-1, 0, 1, 1_000, 1_001, 2_000, 2_001].map(at))).toEqual([0, 0, 2, 2, 4, 4, 6]);
  expect(await offsetAt(source, topics.telemetry, 1, began)).toBe(0);
});

it('reads the input of another log from an offset on, as if a hole lay before it', async () => {
  const log = fork(2);
  expect(log.extent(topics.telemetry, 0)).toEqual({ start: 0, end: 6 });
  const [hole] = await log.read(topics.telemetry, 0, 0, 1 << 20);
  expect([hole.baseOffset, hole.count]).toEqual([2, 0]);
  const found = await log.read(topics.telemetry, 0, 2, 1 << 20);
  expect(found.map(({ baseOffset, count }) => [baseOffset, count])).toEqual([
    [2, 2],
    [4, 2],
  ]);
});

it('hears of what is appended to its input, and says what is gone from it', async () => {
  const log = fork(0);
  let heard = 0;
  const unsubscribe = log.onAppend(topics.telemetry, 0, () => void heard++);
  await source.append(topics.telemetry, 0, records('d'));
  expect(heard).toBe(1);
  unsubscribe();
  await source.trim(topics.telemetry, 0, { maxAgeMs: 0, maxBytes: 0 }, 4);
  expect(log.extent(topics.telemetry, 0)).toEqual({ start: 4, end: 7 });
  await expect(log.read(topics.telemetry, 0, 0, 1)).rejects.toMatchObject({ code: 'log_offset_out_of_range' });
});

it('writes beside its input only', async () => {
  const log = fork(0);
  await expect(log.append(topics.telemetry, 0, records('x'))).rejects.toMatchObject({ code: 'log_read_only' });
  const claim = await log.claim(topics.journal, 0);
  const outputs = new Map([[topics.derived, records('fact')]]);
  await log.commit(claim, { outputs, journal: Buffer.from('j'), position: Buffer.from('p') });
  await log.trim(topics.telemetry, 0, { maxAgeMs: 0, maxBytes: 0 }, 6);
  expect(own.extent(topics.derived, 0).end).toBe(1);
  expect(source.extent(topics.derived, 0).end).toBe(0);
  expect(source.extent(topics.telemetry, 0)).toEqual({ start: 0, end: 6 });
});

it('refuses a log of other partitions', async () => {
  const other = await openEmbeddedLog({ dir: join(dir, 'other'), partitions: 3, clock });
  expect(() => new ForkedLog({ source, own: other, inputs: new Map() })).toThrow(/2 partitions/);
  await other.close();
});
