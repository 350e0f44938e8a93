import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { topics, type Log } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { lamp, openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-clock-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const record = (serial: string, minute: number) => ({
  key: serial,
  value: Buffer.from(JSON.stringify(lamp(serial, minute))),
});

it('an owner whose clock is behind that of the owner before commits as often, and its partition clock does not go back', async () => {
  const dir = folder();
  const ahead = await openRig(dir, new ManualClock(START + 3_600_000), {}, closers);
  await ahead.send([lamp('A', 0)]);
  const heard = ahead.clock.now();
  await ahead.drop();

  const behind = await openRig(dir, new ManualClock(START), {}, closers);
  const shard = behind.runtime.shards.find(({ fold }) => fold.state.assets === 1)!;
  for (const minute of [1, 2, 3]) {
    const [{ next }] = await behind.runtime.produce('telemetry', [record('A', minute)]);
    await vi.waitFor(() => expect(shard.fold.position.telemetry).toBe(next));
    behind.clock.advance(100);
    await vi.waitFor(() => expect(shard.committed.telemetry).toBe(next));
    expect(shard.committed.clock).toBe(heard);
  }
});

/** A log that reads of telemetry wait for, from when `hold` is set. */
function holding(log: Log): { log: Log; hold: Promise<void> | null } {
  const gate: { log: Log; hold: Promise<void> | null } = { log, hold: null };
  gate.log = new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (name === 'read') {
        return async (topic: string, ...rest: [number, number, number]) => {
          if (topic === topics.telemetry && gate.hold !== null) await gate.hold;
          return target.read(topic, ...rest);
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return gate;
}

it('nobody is silent before what stands in the log has been read', async () => {
  const dir = folder();
  const clock = new ManualClock(START);
  const log = await openEmbeddedLog({ dir: join(folder(), 'log'), partitions: 2, clock });
  closers.push(() => log.close());
  const gate = holding(log);
  const options = { log: gate.log, silenceOutageMs: 24 * 3_600_000 };
  const first = await openRig(dir, clock, options, closers);
  await first.send([lamp('A', 0)]);
  const [{ partition }] = first.runtime.shards.filter(({ committed }) => committed.telemetry > 0);
  await first.stop();

  // An hour without an owner; the lamp spoke all the time.
  clock.advance(3_600_000);
  for (const minute of [20, 40, 60]) {
    await log.append(topics.telemetry, partition, [{ key: Buffer.from('A'), value: record('A', minute).value }]);
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  gate.hold = promise;
  const second = await openRig(dir, clock, options, closers);
  closers.push(async () => resolve());
  const shard = second.runtime.shards.find(({ fold }) => fold.state.assets === 1)!;
  clock.advance(100);
  await shard.publish();
  expect(second.runtime.asset('A')?.status).toBe('ON');
  resolve();
  await vi.waitFor(() => expect(shard.fold.position.telemetry).toBe(4));
  expect(second.runtime.asset('A')?.status).toBe('ON');
  for (let i = 0; i < 10; i++) await second.advance(60_000);
  expect(second.runtime.asset('A')?.status).toBe('OFFLINE');
});
