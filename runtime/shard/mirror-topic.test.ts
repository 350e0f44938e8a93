import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { StateRow } from '../../snapshots/mirrored.ts';
import { systemClock } from '../kernel/clock.ts';
import { topics } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { readRows, readRowsBack } from './mirror-topic.ts';
import { compacted } from './testing/compacted.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const bytesOf = (rows: readonly StateRow[]) =>
  rows.reduce((sum, { key, value }) => sum + key.length + value!.length, 0);

test('rows are read back newest first and a little at once, though they lie close behind a long hole', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-rows-back-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  const raw = await openEmbeddedLog({ dir, partitions: 1, clock: systemClock });
  closers.push(() => raw.close());
  const claim = await raw.claim(topics.journal, 0);
  const publish = (key: string, bytes: number) => ({ key: Buffer.from(key), value: Buffer.alloc(bytes, key) });
  const put = (records: { key: Buffer; value: Buffer }[]) => raw.publish(claim, new Map([[topics.snapshots, records]]));
  for (let i = 0; i < 30; i++) await put(Array.from({ length: 20 }, (_, n) => publish(`large ${i}/${n}`, 16_384)));
  for (let i = 0; i < 5; i++) await put(Array.from({ length: 1000 }, () => publish('again', 8)));
  const log = compacted(raw, topics.snapshots);
  const { start, end } = raw.extent(topics.snapshots, 0);

  const forwards: string[] = [];
  for await (const rows of readRows(log, topics.snapshots, 0, { from: start, to: end })) {
    forwards.push(...rows.map(({ key }) => key.toString()));
  }
  const back: string[] = [];
  let largest = 0;
  for await (const rows of readRowsBack(log, topics.snapshots, 0, { from: start, to: end })) {
    largest = Math.max(largest, bytesOf(rows));
    back.push(...rows.map(({ key }) => key.toString()));
  }
  expect(back.toReversed()).toEqual(forwards);
  expect(forwards).toHaveLength(601);
  expect(largest).toBeLessThan(5 << 20);
});
