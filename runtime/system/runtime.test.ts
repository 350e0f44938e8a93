import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { GridfoldError } from '../kernel/errors.ts';
import { currentOf } from '../shard/testing/test-fold.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { lamp, openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-runtime-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const open = (dir: string, clock = new ManualClock(START), options: Partial<RuntimeOptions> = {}) =>
  openRig(dir, clock, options, closers);

test('after a clean stop the next start replays nothing and knows everything', async () => {
  const dir = folder();
  const first = await open(dir);
  await first.send([lamp('A', 1), lamp('B', 1), lamp('A', 2, { mode: 'bright' })]);
  const before = first.runtime.asset('A');
  await first.stop();
  const second = await open(dir, new ManualClock(START + 60_000));
  expect(second.replayed).toEqual([0, 0]);
  expect(second.runtime.asset('A')).toEqual(before);
});

test('without a snapshot a start replays from the journal, and what it said is not said again', async () => {
  const dir = folder();
  const first = await open(dir);
  await first.send([lamp('A', 1), lamp('A', 2, { mode: 'bright' }), lamp('A', 1, { mode: 'off', txid: 'x' })]);
  const said = await first.derived();
  const view = first.runtime.asset('A');
  await first.drop();
  const second = await open(dir, new ManualClock(START + 60_000));
  expect(second.replayed.reduce((a, b) => a + b)).toBe(3);
  expect(second.runtime.asset('A')).toEqual(view);
  expect(await second.derived()).toEqual(said);
});

test('a change is told when it is folded, not only when it is committed', async () => {
  const clock = new ManualClock(START);
  const rig = await open(folder(), clock, { commitIntervalMs: 3_600_000 });
  await rig.send([lamp('A', 0)]);
  const committed = () => rig.runtime.shards.map((shard) => shard.committed.telemetry);
  const before = committed();
  const told: string[] = [];
  rig.runtime.onChange((changes) => told.push(...changes.map(({ serial, revision }) => `${serial} ${revision}`)));
  await rig.runtime.produce('telemetry', [{ key: 'A', value: Buffer.from(JSON.stringify(lamp('A', 1))) }]);
  await vi.waitFor(() => {
    clock.advance(50);
    expect(told).toEqual([`A ${rig.runtime.asset('A')?.revision}`]);
  });
  expect(committed()).toEqual(before);
  expect(rig.runtime.asset('A')?.eventTime).toBe(new Date(START + 60_000).toISOString());
});

test('silence: the timer announces it, an earlier reading delivered late takes it back', async () => {
  const rig = await open(folder());
  await rig.send([lamp('A', 0), lamp('B', 0)]);
  for (let minute = 1; minute <= 5; minute++) {
    await rig.advance(60_000);
    await rig.send([lamp('B', minute)]);
  }
  const silences = async () =>
    [...currentOf(await rig.derived())].filter(([id]) => id.startsWith('silence')).map(([id]) => id);
  expect(await silences()).toEqual([`silence A/${START}`]);
  expect(rig.runtime.asset('A')?.status).toBe('OFFLINE');
  await rig.send([lamp('A', 1), lamp('A', 2), lamp('A', 3), lamp('A', 4)]);
  expect(await silences()).toEqual([]);
  expect(rig.runtime.asset('A')?.status).toBe('ON');
});

test('when nobody is heard, nobody is silent: timers wait for records and a time of grace', async () => {
  const rig = await open(folder(), undefined, { silenceOutageMs: 60_000, silenceGraceMs: 120_000 });
  await rig.send([lamp('A', 0), lamp('B', 0)]);
  await rig.advance(600_000);
  expect(rig.runtime.asset('A')?.status).toBe('ON');
  await rig.send([lamp('B', 10)]);
  await rig.advance(50_000);
  await rig.send([lamp('B', 11)]);
  expect(rig.runtime.asset('A')?.status).toBe('ON');
  for (let i = 0; i < 3; i++) {
    await rig.advance(50_000);
    await rig.send([lamp('B', 12 + i)]);
  }
  expect(rig.runtime.asset('A')?.status).toBe('OFFLINE');
});

test('an asset whose fold throws is quarantined with the state it had; the others go on; its records become dead letters', async () => {
  const rig = await open(folder());
  await rig.send([
    lamp('A', 1),
    lamp('A', 2, { note: 'fine', mode: 'bright' }),
    lamp('A', 3, { note: 'poison' }),
    lamp('A', 4),
    lamp('B', 1),
  ]);
  expect(rig.errors).toHaveLength(1);
  expect((await rig.deadLetters()).map((l) => l.reason)).toEqual(['fold_failed', 'quarantined']);
  expect(JSON.parse((await rig.deadLetters())[0].value)).toEqual(lamp('A', 3, { note: 'poison' }));
  expect(rig.runtime.asset('A')?.regions.mode.state).toBe('bright');
  expect(rig.runtime.asset('A')?.eventTime).toBe(new Date(START + 120_000).toISOString());
  expect(rig.runtime.asset('B')?.counts.applied).toBe(1);
});

test('what comes later than the horizon is set aside with its bytes', async () => {
  const rig = await open(folder(), undefined, { horizonMs: 3_600_000 });
  await rig.send([lamp('A', 0), lamp('A', 200), lamp('A', 100)]);
  expect(await rig.deadLetters()).toEqual([{ reason: 'beyond_horizon', value: JSON.stringify(lamp('A', 100)) }]);
});

test('without snapshots the log is folded again from its start', async () => {
  const dir = folder();
  const first = await open(dir);
  await first.send([lamp('A', 1), lamp('B', 1)]);
  await first.stop();
  rmSync(join(dir, 'state'), { recursive: true });
  const second = await open(dir);
  expect(second.replayed.reduce((a, b) => a + b)).toBe(2);
  await second.stop();
});

test('waiting for a position ends when it is folded, or says that it is not', async () => {
  const rig = await open(folder());
  const [place] = await rig.runtime.produce('telemetry', [
    { key: 'A', value: Buffer.from(JSON.stringify(lamp('A', 1))) },
  ]);
  const folded = rig.runtime.waitFor('telemetry', place.partition, place.next, 60_000);
  await rig.runtime.settled();
  await folded;
  const never = rig.runtime.waitFor('telemetry', place.partition, place.next + 1, 1_000);
  rig.clock.advance(1_000);
  await expect(never).rejects.toThrow(GridfoldError);
});

test('a block that turns out damaged while live: the partition starts again from the snapshot before', async () => {
  const rig = await open(folder(), undefined, { snapshotIntervalMs: 100 });
  for (let minute = 1; minute <= 3; minute++) {
    await rig.send([lamp('A', minute), lamp('B', minute)]);
    await rig.advance(10_000);
  }
  const said = (await rig.derived()).length;
  const { shards } = rig.runtime;
  const damaged = shards.findIndex((shard) => shard.fold.lookup(Buffer.from('A')) !== null);
  const old = shards[damaged];
  const before = rig.runtime.place(damaged);
  const { state } = old.fold;
  state.block = () => {
    throw new GridfoldError('block_corrupt', 'retry', 'block 3 is damaged');
  };
  const record = lamp('A', 4);
  await rig.runtime.produce('telemetry', [{ key: 'A', value: Buffer.from(JSON.stringify(record)) }]);
  const isBack = () => rig.runtime.shards[damaged] !== old && rig.runtime.shards[damaged].phase === 'live';
  await expect.poll(isBack, { timeout: 20_000 }).toBe(true);
  await rig.runtime.settled();
  expect(rig.errors).toHaveLength(1);
  // Who watches is told that something may have come between.
  expect(rig.runtime.place(damaged)).not.toEqual(before);
  expect(rig.runtime.asset('A')?.counts.applied).toBe(4);
  expect((await rig.derived()).filter((e) => e.key.startsWith('A')).map((e) => e.id)).toEqual([
    ...new Set((await rig.derived()).filter((e) => e.key.startsWith('A')).map((e) => e.id)),
  ]);
  expect((await rig.derived()).length).toBeGreaterThanOrEqual(said);
});

test('a shard that fails before it comes to what it was asked says so, and is let go', async () => {
  const rig = await open(folder());
  await rig.send([lamp('A', 1)]);
  const shard = rig.runtime.shards.find(({ fold }) => fold.state.assets === 1)!;
  const { log, type, partition } = shard.options;
  await log.append(type.topics.readings, partition, [{ key: Buffer.from('A'), value: Buffer.from('broken') }]);
  await vi.waitFor(() => expect(shard.fold.position.telemetry).toBe(2));
  await log.claim(type.topics.journal, partition);
  const [published] = await Promise.allSettled([shard.publish(), rig.stop()]);
  expect(published).toMatchObject({ status: 'rejected', reason: { code: 'log_fenced' } });
  expect(rig.errors).toMatchObject([{ code: 'log_fenced' }]);
});

test('who waits for a shard that ends is told so', async () => {
  const rig = await open(folder());
  const waits = [0, 1].map((partition) => rig.runtime.waitFor('telemetry', partition, 1, 60_000));
  const [shard] = rig.runtime.shards;
  const answers = Promise.allSettled([...waits, shard.reached('lifecycle', 1), rig.stop(), shard.publish()]);
  const told = (await answers).filter(({ status }) => status === 'rejected');
  expect(told).toHaveLength(3);
  expect(told).toMatchObject(told.map(() => ({ reason: { code: 'partition_not_live' } })));
});

test('a process that is alone takes a partition again whose claim it lost', async () => {
  const rig = await open(folder());
  await rig.send([lamp('A', 1)]);
  const shard = rig.runtime.shards.find(({ fold }) => fold.state.assets === 1)!;
  const { log, type, partition } = shard.options;
  await log.claim(type.topics.journal, partition);
  await rig.runtime.produce('telemetry', [{ key: 'A', value: Buffer.from(JSON.stringify(lamp('A', 2))) }]);
  await vi.waitFor(() => {
    rig.clock.advance(100);
    expect(rig.runtime.shards[partition]).not.toBe(shard);
    expect(rig.runtime.shards[partition].phase).toBe('live');
  });
  await rig.runtime.settled();
  expect(rig.runtime.asset('A')?.counts.applied).toBe(2);
});
