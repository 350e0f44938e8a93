import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type Log, topics } from '../contract.ts';
import { type EmbeddedLog, openEmbeddedLog } from './embedded.ts';
import type { LogCrashPoint } from './group.ts';
import type { LogMessage } from './open.ts';

/** More rounds: GRIDFOLD_KILL_ROUNDS=100. */
const ROUNDS = Number(process.env.GRIDFOLD_KILL_ROUNDS ?? 2);
const PARTITIONS = 2;
const POINTS: readonly LogCrashPoint[] = ['log.append.1', 'log.append.2', 'log.commit.1', 'log.commit.2'];

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Runs the writer on `dir` until a crash point or `afterLines` acknowledgements end it; returns what was acknowledged. */
async function writeUntilKilled(
  dir: string,
  end: { crashAt?: string; afterLines?: number },
): Promise<Map<string, number>> {
  const args = [path('./killed-writer.ts'), dir, String(PARTITIONS)];
  const child = spawn(path('../../../node_modules/.bin/node'), args, {
    env: { ...process.env, GRIDFOLD_CRASH_AT: end.crashAt ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const acknowledged = new Map<string, number>();
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, partition, count] = line.split(' ');
    acknowledged.set(`${what}/${partition}`, Number(count));
    lines += 1;
    if (lines === end.afterLines) child.kill('SIGKILL');
  }
  expect((await exit)[1]).toBe('SIGKILL');
  return acknowledged;
}

async function verifyTopic(log: Log, topic: string, partition: number): Promise<number> {
  let { start: next, end } = log.extent(topic, partition);
  expect(next).toBe(0);
  while (next < end) {
    for (const { baseOffset, count, bytes, valueStart, valueEnd } of await log.read(topic, partition, next, 1 << 20)) {
      for (let i = 0; i < count; i++) {
        const value = Buffer.from(bytes.subarray(valueStart[i], valueEnd[i])).toString();
        const written = `${topic}/${partition}/${baseOffset + i}/`.padEnd(250, '.');
        if (value !== written) throw new Error(`read ${value} where ${written} was written`);
      }
      next = baseOffset + count;
    }
  }
  return end;
}

async function verify(log: EmbeddedLog, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const told = (what: string) => acknowledged.get(`${what}/${partition}`) ?? 0;
    expect(await verifyTopic(log, topics.telemetry, partition)).toBeGreaterThanOrEqual(told('telemetry'));
    const commits = await verifyTopic(log, topics.journal, partition);
    expect(commits).toBeGreaterThanOrEqual(told('commit'));
    expect(await verifyTopic(log, topics.derived, partition)).toBe(3 * commits);
    const { position } = await log.committed('journal', partition);
    expect(Number(Buffer.from(position ?? Buffer.from('0')).toString())).toBe(commits);
  }
}

it('has everything it acknowledged after kill -9, and commits whole', { timeout: 600_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gridfold-kill-'));
  const said: LogMessage[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const ends = [...POINTS.map((point) => ({ crashAt: `${point}:${7 * round}` })), { afterLines: 61 * round }];
    for (const end of ends) {
      const acknowledged = await writeUntilKilled(dir, end);
      const log = await openEmbeddedLog({ dir, partitions: PARTITIONS, onMessage: (message) => said.push(message) });
      await verify(log, acknowledged);
      await log.close();
    }
  }
  // A killed process loses nothing that it wrote: there is nothing to cut and nothing to say.
  expect(said).toEqual([]);
  await rm(dir, { recursive: true });
});
