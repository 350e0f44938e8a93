import { cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../../sim/random.ts';
import { ApiKey } from '../frames.ts';
import type { Cluster } from './cluster.ts';
import type { GridfoldProcess } from './process.ts';

/** What is done to the processes or the brokers, under load; says what it did. Whoever it ended may be started again by it, or later. */
export type Fault = (cluster: Cluster, random: Random) => Promise<string>;

/** Every numbered I/O step that a process on Kafka passes. */
const STEPS = [
  ...[1, 2, 3, 4].map((n) => `commit.${n}`),
  ...[1, 2, 3, 4, 5].map((n) => `snapshot.${n}`),
  ...[1, 2, 3, 4].map((n) => `mirror.${n}`),
  ...[1, 2, 3, 4].map((n) => `sink.${n}`),
];
/** A step that is not passed in this time: the process has nothing to do, and is killed where it is. */
const CRASH_WITHIN_MS = 10_000;

/** Requests of a commit, and those by which a process takes over and stays in the group. */
const COMMIT_CALLS = ['AddPartitionsToTxn', 'Produce', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'] as const;
const GROUP_CALLS = ['InitProducerId', 'JoinGroup', 'SyncGroup', 'Heartbeat', 'Fetch'] as const;

export const pick = <T>(random: Random, list: readonly T[]): T => list[random.int(0, list.length - 1)];

/** On one broker and on several: there "the broker" is all of them at once. */
export const faults: Readonly<Record<string, Fault>> = {
  async kill({ processes }, random) {
    const victim = pick(random, processes);
    await pause(random.between(0, 500));
    await victim.kill();
    await pause(random.between(0, 1_500));
    victim.start();
    return victim.name;
  },

  async 'kill while it starts'({ processes }, random) {
    const victim = pick(random, processes);
    await victim.kill();
    for (let lives = 0; lives < 2; lives++) {
      victim.start();
      await pause(random.between(300, 4_000));
      await victim.kill();
    }
    victim.start();
    return victim.name;
  },

  async 'kill all'({ processes }, random) {
    await pause(random.between(0, 500));
    await Promise.all(processes.map((one) => one.kill()));
    for (const one of processes) one.start();
    return processes.map(({ name }) => name).join(' ');
  },

  async 'kill at a step'({ processes }, random) {
    const victim = pick(random, processes);
    const step = `${pick(random, STEPS)}:${random.int(1, 12)}`;
    await (random.chance(0.5) ? victim.stop() : victim.kill());
    victim.start(step);
    await victim.serves();
    const isCrashed = await Promise.race([victim.ended().then(() => true), pause(CRASH_WITHIN_MS, false)]);
    await victim.kill();
    victim.start();
    return `${victim.name} ${step}${isCrashed ? '' : ' (not reached)'}`;
  },

  async 'stand still'({ processes, options }, random) {
    const victim = pick(random, processes);
    const stillMs = options.sessionTimeoutMs + random.between(500, 2_500);
    victim.freeze();
    await pause(stillMs);
    victim.thaw();
    return `${victim.name} ${Math.round(stillMs)} ms`;
  },

  async 'stand still for a moment'({ processes, options }, random) {
    const victim = pick(random, processes);
    const stillMs = random.between(0.2, 0.95) * options.sessionTimeoutMs;
    victim.freeze();
    await pause(stillMs);
    victim.thaw();
    return `${victim.name} ${Math.round(stillMs)} ms`;
  },

  async 'lose the end of a commit and die'({ processes: [victim], options: { proxy } }, random) {
    const lose = random.chance(0.7) ? ('answer' as const) : ('request' as const);
    const cut = proxy.cut({ api: ApiKey.EndTxn, lose });
    await hit(cut, victim);
    await victim.kill();
    cut.disarm();
    victim.start();
    return `${victim.name} ${lose} of EndTxn`;
  },

  async 'lose calls of commits'({ options: { proxy } }, random) {
    const call = pick(random, COMMIT_CALLS);
    const lose = random.chance(0.7) ? ('answer' as const) : ('request' as const);
    const cut = proxy.cut({ api: ApiKey[call], lose, chance: 0.3, random: () => random.next() });
    await pause(2_500);
    cut.disarm();
    return `${lose} of ${call}, ${cut.hits} times`;
  },

  async 'lose calls of the group'({ processes, options: { proxy } }, random) {
    const call = pick(random, GROUP_CALLS);
    const cut = proxy.cut({ api: ApiKey[call], lose: 'answer', chance: 0.5, random: () => random.next() });
    const other = processes[random.int(1, processes.length - 1)];
    await other.kill();
    other.start();
    await pause(3_000);
    cut.disarm();
    return `${call}, ${cut.hits} times, while ${other.name} came back`;
  },

  async 'cut off'({ processes: [victim], options: { proxy, sessionTimeoutMs } }, random) {
    const awayMs = random.between(0.1, 1.5) * sessionTimeoutMs;
    await proxy.refuse();
    await pause(awayMs);
    await proxy.accept();
    return `${victim.name} ${Math.round(awayMs)} ms`;
  },

  async 'slow broker'({ options: { proxy } }, random) {
    proxy.delayMs = random.int(20, 200);
    const { delayMs } = proxy;
    await pause(3_000);
    proxy.delayMs = 0;
    return `${delayMs} ms an answer`;
  },

  async 'kill the broker'({ options: { brokers } }, random) {
    await pause(random.between(0, 500));
    await brokers.kill();
    await pause(random.between(0, 2_000));
    await brokers.start();
    return 'SIGKILL';
  },

  async 'restart the broker'({ options: { brokers } }) {
    await brokers.stop();
    await brokers.start();
    return 'SIGTERM';
  },

  async storm(cluster, random) {
    const guest = cluster.member('guest');
    const did: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const one = random.chance(0.4) ? guest : pick(random, cluster.processes);
      const how = one.isRunning ? (random.chance(0.6) ? 'stop' : 'kill') : 'start';
      did.push(`${how} ${one.name}`);
      if (how === 'start') one.start();
      else await one[how]();
      await pause(random.between(0, 1_500));
    }
    await guest.stop();
    cluster.startAll();
    return did.join(', ');
  },

  async 'empty disk'({ processes }, random) {
    const victim = pick(random, processes);
    await victim.kill();
    rmSync(victim.dir, { recursive: true, force: true });
    victim.start();
    return victim.name;
  },

  async 'old snapshots'({ processes }, random) {
    return putBack(pick(random, processes), 'state', random);
  },

  async 'old disk'({ processes }, random) {
    return putBack(pick(random, processes), '', random);
  },
};

/** Waits until the cut has hit once, or the process has ended, or nothing came. */
async function hit(cut: { readonly hits: number }, victim: GridfoldProcess): Promise<void> {
  for (let waited = 0; cut.hits === 0 && victim.isRunning && waited < CRASH_WITHIN_MS; waited += 20) await pause(20);
}

/** Puts a folder of the process back to what it was some seconds ago. */
async function putBack(victim: GridfoldProcess, folder: string, random: Random): Promise<string> {
  const [now, old] = [join(victim.dir, folder), `${victim.dir}-of-old`];
  await (random.chance(0.5) ? victim.stop() : victim.kill());
  if (existsSync(now)) cpSync(now, old, { recursive: true });
  victim.start();
  await victim.serves();
  await pause(random.between(1_500, 4_000));
  await victim.kill();
  rmSync(now, { recursive: true, force: true });
  if (existsSync(old)) renameSync(old, now);
  victim.start();
  return victim.name;
}
