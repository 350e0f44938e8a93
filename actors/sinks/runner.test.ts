import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ref, start, stop } from 'nact';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type EmbeddedLog, openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { openDuckDbSink } from './duckdb/sink.ts';
import { type SinkCommit, SinkRunner, type SinkRunnerOptions } from './runner.ts';
import { MemorySink, type MemoryTarget, memoryTarget } from './testing/memory-sink.ts';
import { sampleEvent, sampleTypes } from './testing/samples.ts';

describe('a sink runner', () => {
  const partitions = 2;
  let folder: string;
  let system: Ref<never>;
  let clock: ManualClock;
  let log: EmbeddedLog;
  let target: MemoryTarget;
  let sink: MemorySink;
  let runner: SinkRunner;
  let commits: SinkCommit[];
  let committed: () => void;
  let errors: { code: string; final: boolean }[];
  let failed: () => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridfold-runner-'));
    log = await openEmbeddedLog({ dir: join(folder, 'log'), partitions });
    system = start();
    clock = new ManualClock(1_000_000);
    target = memoryTarget();
    sink = new MemorySink(target);
    commits = [];
    errors = [];
    committed = failed = () => {};
  });
  afterEach(async () => {
    await runner.stop().catch(() => undefined);
    stop(system);
    await log.close();
    await rm(folder, { recursive: true });
  });

  const create = (rest: Partial<SinkRunnerOptions> = {}) => {
    runner = new SinkRunner({
      parent: system,
      log,
      sink,
      clock,
      flushTimeoutMs: 50,
      onCommit: (commit) => {
        commits.push(commit);
        committed();
      },
      onError: ({ code }, final) => {
        errors.push({ code, final });
        failed();
      },
      ...rest,
    });
    return runner;
  };
  const append = (partition: number, from: number, next: number) => {
    const values = Array.from({ length: next - from }, (_, i) => encode(sampleEvent(partition, from + i)));
    return log.append(
      'derived',
      partition,
      values.map((value) => ({ key: null, value })),
    );
  };
  const nextCommit = () => new Promise<void>((resolve) => (committed = resolve));
  const nextError = () => new Promise<void>((resolve) => (failed = resolve));
  const ids = (partition: number) => target.rows.filter((r) => r.partition === partition).map((r) => r.event.id);
  const expected = (partition: number, next: number) =>
    Array.from({ length: next }, (_, i) => sampleEvent(partition, i).id);

  it('commits what is there, and what comes later, in bounded batches', async () => {
    await append(0, 0, 25);
    await append(1, 0, 3);
    await create({ maxRows: 10 }).start();
    await runner.drained();
    await append(0, 25, 40);
    await runner.drained();
    expect(ids(0)).toEqual(expected(0, 40));
    expect(ids(1)).toEqual(expected(1, 3));
    const sizes = commits.map((c) => Object.values(c.rowsByType).reduce((a, b) => a + b));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(runner.status()).toEqual({
      sink: 'memory',
      lag: 0,
      rows: 43,
      lastCommitAt: new Date(1_000_000).toISOString(),
      error: null,
    });
    expect(runner.next(0)).toBe(40);
  });

  it('waits for the interval unless enough events are there', async () => {
    await append(0, 0, 1);
    await create({ commitIntervalMs: 1000, maxRows: 10 }).start();
    await append(0, 1, 3);
    await append(1, 0, 2);
    clock.advance(999);
    expect(sink.writes).toBe(1);
    expect(runner.status().lag).toBe(4);
    const one = nextCommit();
    clock.advance(1);
    await one;
    expect(sink.writes).toBe(2);
    expect(runner.status().lag).toBe(0);
    const two = nextCommit();
    await append(0, 3, 13);
    await two;
    expect(runner.status().lag).toBe(0);
  });

  it('tries again after an error that passes, from the target’s ledger', async () => {
    sink.beforeWrite = async () => {
      throw new GridfoldError('sink_unavailable', 'retry', 'the target is away');
    };
    await append(0, 0, 5);
    await create({ retryMinMs: 100 }).start();
    expect(runner.status()).toMatchObject({ lag: 5, error: 'the target is away' });
    const second = nextError();
    clock.advance(100);
    await second;
    clock.advance(199);
    expect(errors.length).toBe(2);
    // This time the rows arrive and only the answer is lost.
    sink.beforeWrite = async () => {};
    sink.afterWrite = async () => {
      sink.afterWrite = async () => {};
      throw new GridfoldError('sink_unavailable', 'retry', 'no answer');
    };
    const third = nextError();
    clock.advance(1);
    await third;
    const drained = runner.drained();
    clock.advance(400);
    await drained;
    expect(ids(0)).toEqual(expected(0, 5));
    expect(errors).toEqual(Array(3).fill({ code: 'sink_unavailable', final: false }));
    expect(runner.status().error).toBeNull();
  });

  it('stops for good on any other error and says why', async () => {
    await append(0, 0, 5);
    await create().start();
    sink.beforeWrite = async () => {
      throw new Error('bug');
    };
    const failure = nextError();
    await append(0, 5, 6);
    await expect(runner.drained()).rejects.toMatchObject({ code: 'sink_failed' });
    await failure;
    await expect(runner.drained()).rejects.toMatchObject({ code: 'sink_failed' });
    expect(errors).toEqual([{ code: 'sink_failed', final: true }]);
    expect(runner.status()).toMatchObject({ lag: 1, error: expect.stringContaining('bug') });
  });

  it('refuses a log that does not reach back to the ledger, and one that ends below it', async () => {
    await append(0, 0, 5);
    target.next.set(0, 9);
    await expect(create().start()).rejects.toMatchObject({ code: 'sink_ahead_of_log' });
    await append(1, 0, 5);
    await append(1, 5, 8);
    await log.trim('derived', 1, { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 1 }, 8);
    target.next.set(0, 5);
    const { start: first } = log.extent('derived', 1);
    expect(first).toBeGreaterThan(0);
    await expect(create().start()).rejects.toMatchObject({
      code: 'sink_offset_gap',
      message: expect.stringContaining(`[0, ${first})`),
    });
  });

  it('refuses a record that is no derived event, naming it', async () => {
    await log.append('derived', 0, [{ key: null, value: encode({ hello: 1 }) }]);
    await expect(create().start()).rejects.toMatchObject({
      code: 'sink_event_invalid',
      message: expect.stringContaining('derived/0 offset 0'),
    });
  });

  it('holds one batch while the sink stalls, and loses nothing', async () => {
    await append(0, 0, 3);
    await create({ maxRows: 10 }).start();
    let held = 0;
    let release = () => {};
    const stalled = new Promise<void>((resolve) => {
      sink.beforeWrite = async (batches) => {
        held += batches.reduce((sum, batch) => sum + batch.events.length, 0);
        resolve();
        await new Promise<void>((go) => (release = go));
      };
    });
    const drained = append(0, 3, 500).then(() => runner.drained());
    await stalled;
    await append(1, 0, 500);
    clock.advance(600_000);
    expect(held).toBe(10);
    expect(runner.status().lag).toBe(997);
    sink.beforeWrite = async () => {};
    release();
    await drained;
    await runner.drained();
    expect(ids(0)).toEqual(expected(0, 500));
    expect(ids(1)).toEqual(expected(1, 500));
  });

  it('commits the rest when it stops, closes the sink, and goes on with the next start', async () => {
    await append(0, 0, 1);
    await create({ commitIntervalMs: 60_000 }).start();
    await append(0, 1, 7);
    await runner.stop();
    expect(ids(0)).toEqual(expected(0, 7));
    expect(sink.closed).toBe(1);
    await expect(runner.drained()).rejects.toMatchObject({ code: 'sink_closed' });
    await append(0, 7, 9);
    await create().start();
    await runner.drained();
    expect(ids(0)).toEqual(expected(0, 9));
  });

  it('stops although the target hangs', async () => {
    await append(0, 0, 1);
    await create().start();
    const hangs = new Promise<void>((resolve) => {
      sink.beforeWrite = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    await append(0, 1, 2);
    const drained = runner.drained();
    const refused = expect(drained).rejects.toMatchObject({ code: 'sink_closed' });
    await hangs;
    let stopped = false;
    const stopping = runner.stop().then(() => {
      stopped = true;
    });
    while (!stopped) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await stopping;
    await refused;
    expect(sink.closed).toBe(1);
    expect(ids(0)).toEqual(expected(0, 1));
  });

  it('feeds DuckDB', async () => {
    const duckdb = await openDuckDbSink({ file: join(folder, 'olap.duckdb'), types: sampleTypes, clock });
    await append(0, 0, 3000);
    await append(1, 0, 100);
    await create({ sink: duckdb, maxRows: 1000 }).start();
    await runner.drained();
    expect(await duckdb.audit()).toEqual([
      { partition: 0, next: 3000, rows: 3000, doubled: 0, missing: 0 },
      { partition: 1, next: 100, rows: 100, doubled: 0, missing: 0 },
    ]);
  });
});

function encode(event: DerivedEvent | object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(event));
}
