import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../kernel/clock.ts';
import { type AppendRecord, type CommitBatch, topics } from '../contract.ts';
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded.ts';
import type { LogMessage } from './open.ts';

const HOUR = 3_600_000;

function sized(count: number, bytes: number): AppendRecord[] {
  return Array.from({ length: count }, () => ({ key: null, value: Buffer.alloc(bytes, 0x61) }));
}

const commitOf = (name: string): CommitBatch => ({
  outputs: new Map([[topics.derived, sized(2, 10)]]),
  journal: Buffer.from(name),
  position: Buffer.from(name),
});

describe('embedded log', () => {
  let dir: string;
  let log: EmbeddedLog;
  let clock: ManualClock;
  let said: LogMessage[];

  const open = async (options: Partial<EmbeddedLogOptions> = {}) => {
    log = await openEmbeddedLog({ dir, partitions: 2, clock, onMessage: (message) => said.push(message), ...options });
    return log;
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gridfold-log-'));
    clock = new ManualClock(1_000_000);
    said = [];
    await open();
  });

  afterEach(async () => {
    await log.close();
    await rm(dir, { recursive: true });
  });

  it('is refused to a second instance', async () => {
    await expect(openEmbeddedLog({ dir, partitions: 2 })).rejects.toMatchObject({
      code: 'log_locked',
      reaction: 'fix-configuration',
      message: expect.stringContaining('another instance runs there'),
    });
  });

  it('keeps its number of partitions', async () => {
    await log.close();
    await expect(openEmbeddedLog({ dir, partitions: 3 })).rejects.toMatchObject({
      code: 'log_partitions_changed',
      reaction: 'fix-configuration',
    });
  });

  it('refuses a directory whose CURRENT is gone instead of starting an empty log over it', async () => {
    await log.append(topics.telemetry, 0, sized(1, 10));
    await log.close();
    await rm(join(dir, 'CURRENT'));
    const before = await readdir(dir);
    await expect(openEmbeddedLog({ dir, partitions: 2 })).rejects.toMatchObject({ code: 'log_corrupt' });
    expect(await readdir(dir)).toEqual(before);
    await open({ acceptLoss: true });
    expect(log.extent(topics.telemetry, 0)).toEqual({ start: 0, end: 1 });
  });

  it('refuses topics, partitions and appends that cannot be', async () => {
    const bad = { code: 'log_bad_argument' };
    await expect(log.append('no topic', 0, sized(1, 1))).rejects.toMatchObject(bad);
    await expect(log.append(topics.telemetry, 2, sized(1, 1))).rejects.toMatchObject(bad);
    await expect(log.append(topics.journal, 0, sized(1, 1))).rejects.toMatchObject(bad);
    await expect(log.claim('journal', -1)).rejects.toMatchObject(bad);
    await expect(openEmbeddedLog({ dir, partitions: 0 })).rejects.toMatchObject(bad);
  });

  it('writes what arrives together with one fsync, small appends packed into one value', async () => {
    const claims = await Promise.all([log.claim('journal', 0), log.claim('journal', 1)]);
    const before = log.stats.fsyncs;
    const calls = Array.from({ length: 50 }, () => log.append(topics.telemetry, 0, sized(2, 100)));
    await Promise.all([...calls, ...claims.map((claim) => log.commit(claim, commitOf('c')))]);
    expect(log.stats.fsyncs).toBe(before + 1);
    expect(log.stats).toMatchObject({ appendedRecords: 106, commits: 2, queuedBytes: 0, waitingCallers: 0 });
    const batches = await log.read(topics.telemetry, 0, 0, 1 << 20);
    expect(batches.map(({ count }) => count)).toEqual([100]);
  });

  it('fences inside one group: what was called before the claim counts, what after does not', async () => {
    const old = await log.claim('journal', 0);
    const outcomes = await Promise.allSettled([
      log.commit(old, commitOf('before')),
      log.claim('journal', 0),
      log.commit(old, commitOf('after')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(log.extent(topics.journal, 0)).toEqual({ start: 0, end: 1 });
    expect(log.extent(topics.derived, 0)).toEqual({ start: 0, end: 2 });
    expect(Buffer.from((await log.committed('journal', 0)).position as Uint8Array).toString()).toBe('before');
  });

  it('holds no more bytes than its queue may; further callers wait in line', async () => {
    await log.close();
    await open({ maxQueueBytes: 1000 });
    const order: number[] = [];
    const calls = Array.from({ length: 20 }, async (_, i) => {
      const { start } = await log.append(topics.telemetry, 0, sized(1, 300 + i));
      order.push(start);
    });
    expect(log.stats.queuedBytes).toBeLessThanOrEqual(1000);
    expect(log.stats.waitingCallers).toBe(17);
    await Promise.all(calls);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const [batch] = await log.read(topics.telemetry, 0, 19, 1000);
    const at = 19 - batch.baseOffset;
    expect(batch.valueEnd[at] - batch.valueStart[at]).toBe(319);
  });

  it('splits a large append and reads back as much as is asked for', async () => {
    await log.append(topics.telemetry, 0, sized(3000, 250));
    const all = await log.read(topics.telemetry, 0, 0, Number.POSITIVE_INFINITY);
    expect(all.length).toBeGreaterThan(2);
    expect(all.every(({ bytes }) => bytes.length <= 256 * 1024)).toBe(true);
    const some = await log.read(topics.telemetry, 0, 0, 600 * 1024);
    expect(some.length).toBe(2);
    expect((await log.read(topics.telemetry, 0, 0, 1)).length).toBe(1);
  });

  it('trims by age', async () => {
    await log.append(topics.telemetry, 0, sized(10, 10));
    clock.advance(HOUR);
    await log.append(topics.telemetry, 0, sized(10, 10));
    clock.advance(HOUR);
    const retention = { maxAgeMs: HOUR, maxBytes: Number.POSITIVE_INFINITY };
    expect(await log.trim(topics.telemetry, 0, retention, 20)).toEqual({ start: 10, end: 20 });
    clock.advance(1);
    expect(await log.trim(topics.telemetry, 0, retention, 19)).toEqual({ start: 10, end: 20 });
    expect(await log.trim(topics.telemetry, 0, retention, 20)).toEqual({ start: 20, end: 20 });
  });

  it('trims by bytes, the count of bytes surviving trims and new starts', async () => {
    for (let i = 0; i < 300; i++) await log.append(topics.telemetry, 0, sized(1, 1000));
    const retention = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 100 * 1100 };
    const first = await log.trim(topics.telemetry, 0, retention, 300);
    expect(300 - first.start).toBeGreaterThan(90);
    expect(300 - first.start).toBeLessThanOrEqual(110);
    await log.close();
    await open();
    expect(await log.trim(topics.telemetry, 0, retention, 300)).toEqual(first);
    const held = 300 - first.start;
    for (let i = 0; i < 20; i++) await log.append(topics.telemetry, 0, sized(1, 1000));
    const second = await log.trim(topics.telemetry, 0, retention, 320);
    expect(320 - second.start).toBe(held);
    const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 0 };
    await log.trim(topics.telemetry, 0, everything, 320);
    await log.close();
    await open();
    await log.append(topics.telemetry, 0, sized(1, 1000));
    expect(await log.trim(topics.telemetry, 0, retention, 321)).toEqual({ start: 320, end: 321 });
    expect(said).toEqual([]);
  });

  it('goes on when a listener throws, and says so', async () => {
    let told = false;
    log.onAppend(topics.telemetry, 0, () => {
      throw new Error('broken listener');
    });
    log.onAppend(topics.telemetry, 0, () => {
      told = true;
    });
    await log.append(topics.telemetry, 0, sized(1, 1));
    expect(told).toBe(true);
    expect(said.map(({ level }) => level)).toEqual(['error']);
  });

  it('opens what a clean end left without a word, claims and commits included', async () => {
    const claim = await log.claim('journal', 1);
    await log.commit(claim, commitOf('one'));
    await log.close();
    await open();
    expect(said).toEqual([]);
    expect(log.cuts).toEqual([]);
    expect(await log.committed('journal', 1)).toEqual({ journalNext: 1, position: Buffer.from('one'), generation: 1 });
    expect((await log.claim('journal', 1)).generation).toBe(2);
  });
});
