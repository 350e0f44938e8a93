import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Log } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import { Group } from './testing/group.ts';
import { openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-claims-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A log that counts claims of partition 1 and, while `isFailing`, does not say how far that one is. */
function counting(log: Log): { log: Log; claims: number; isFailing: boolean } {
  const counted = { log, claims: 0, isFailing: false };
  counted.log = new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (journal: string, partition: number, ...rest: unknown[]) => {
        if (partition === 1 && name === 'claim') counted.claims += 1;
        if (partition === 1 && name === 'committed' && counted.isFailing)
          return Promise.reject(new GridfoldError('log_commit_unknown', 'retry', 'not now'));
        return value.call(target, journal, partition, ...rest);
      };
    },
  });
  return counted;
}

async function openCounted() {
  const clock = new ManualClock(START);
  const log = await openEmbeddedLog({ dir: join(folder(), 'log'), partitions: 2, clock });
  closers.push(() => log.close());
  const counted = counting(log);
  const group = new Group(2);
  const rig = await openRig(folder(), clock, { log: counted.log, membership: group }, closers);
  group.give([0]);
  await vi.waitFor(() => expect(rig.runtime.shards[1].phase).toBe('elsewhere'));
  return { clock, counted, group, rig };
}

it('a partition that cannot be started is claimed again only while it belongs here', async () => {
  const { clock, counted, group, rig } = await openCounted();
  const before = counted.claims;
  counted.isFailing = true;
  group.give([0, 1]);
  await vi.waitFor(() => {
    clock.advance(1_000);
    expect(counted.claims).toBeGreaterThan(before + 1);
  });
  group.give([0]);
  await vi.waitFor(() => {
    clock.advance(1_000);
    expect(rig.runtime.status()).toMatchObject({ ready: true, partitions: [{ partition: 0 }] });
  });
  const claims = counted.claims;
  clock.advance(60_000);
  await rig.runtime.settled();
  expect(counted.claims).toBe(claims);
  expect(group.standing().unfit).toEqual([]);

  counted.isFailing = false;
  group.give([0, 1]);
  await vi.waitFor(() => expect(rig.runtime.shards[1].phase).toBe('live'));
});

it('a partition that cannot be started does not keep the process from its end', async () => {
  const { clock, counted, group, rig } = await openCounted();
  counted.isFailing = true;
  group.give([0, 1]);
  const before = counted.claims;
  await vi.waitFor(() => {
    clock.advance(1_000);
    expect(counted.claims).toBeGreaterThan(before + 1);
  });
  const claims = counted.claims;
  let isStopped = false;
  const stopped = rig.stop().then(() => {
    isStopped = true;
  });
  await vi.waitFor(() => {
    clock.advance(1_000);
    expect(isStopped).toBe(true);
  });
  await stopped;
  expect(counted.claims - claims).toBeLessThanOrEqual(1);
});
