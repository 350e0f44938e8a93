import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../kernel/clock.ts';
import { type AppendRecord, type Log, topics } from '../contract.ts';
import { type EmbeddedLog, openEmbeddedLog } from './embedded.ts';
import type { LogMessage } from './open.ts';

/** More seeds: GRIDFOLD_DAMAGE_SEEDS=5000. */
const SEEDS = Number(process.env.GRIDFOLD_DAMAGE_SEEDS ?? 15);
const PARTITIONS = 2;

/** mulberry32 */
function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const content = (topic: string, partition: number, offset: number) =>
  `${topic}/${partition}/${offset}/${'.'.repeat(((offset * 7919) % 97) + 20)}`;

function records(topic: string, partition: number, from: number, count: number): AppendRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`k${from + i}`),
    value: Buffer.from(content(topic, partition, from + i)),
  }));
}

/** Appends and commits in a fixed pattern; a commit's position is the number of commits before and with it. */
async function write(log: Log, rounds: number): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const claim = await log.claim('journal', partition);
    for (let round = 0; round < rounds; round++) {
      const { end } = log.extent(topics.telemetry, partition);
      await log.append(topics.telemetry, partition, records(topics.telemetry, partition, end, 20 + (round % 50)));
      if (round % 3 !== 0) continue;
      const derived = log.extent(topics.derived, partition).end;
      const commit = log.extent(topics.journal, partition).end;
      await log.commit(claim, {
        outputs: new Map([[topics.derived, records(topics.derived, partition, derived, 5)]]),
        journal: Buffer.from(content(topics.journal, partition, commit)),
        position: Buffer.from(String(commit + 1)),
      });
    }
  }
}

/** Reads a partition to its end; every record must be what was written. Returns the error that ended it, if any. */
async function readBack(log: Log, topic: string, partition: number): Promise<{ code: string } | null> {
  let { start: next, end } = log.extent(topic, partition);
  while (next < end) {
    let batches: Awaited<ReturnType<Log['read']>>;
    try {
      batches = await log.read(topic, partition, next, 64 * 1024);
    } catch (error) {
      return error as { code: string };
    }
    for (const batch of batches) {
      if (batch.baseOffset !== next) throw new Error(`offset ${batch.baseOffset} where ${next} was asked for`);
      for (let i = 0; i < batch.count; i++) {
        const value = Buffer.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])).toString();
        const written = content(topic, partition, next + i);
        if (value !== written) throw new Error(`read ${value} where ${written} was written`);
      }
      next += batch.count;
    }
  }
  return null;
}

/** What must hold for any log that opens, whatever was done to its files. Returns the codes that reads ended with. */
async function examine(log: Log): Promise<string[]> {
  const refused: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const topic of [topics.telemetry, topics.derived, topics.journal]) {
      const error = await readBack(log, topic, partition);
      if (error !== null) refused.push(error.code);
    }
    const { position } = await log.committed('journal', partition);
    if (position === null) continue;
    const commits = Number(Buffer.from(position).toString());
    expect(log.extent(topics.journal, partition).end).toBe(commits);
    expect(log.extent(topics.derived, partition).end).toBe(5 * commits);
  }
  return refused;
}

async function damage(dir: string, seed: number, extension: RegExp): Promise<string> {
  const below = random(seed);
  const files = (await readdir(dir)).filter((name) => extension.test(name)).sort();
  const name = files[below(files.length)];
  const bytes = await readFile(join(dir, name));
  const at = below(bytes.length);
  const kind = below(4);
  if (kind === 0) bytes[at] ^= 1 << below(8);
  if (kind === 1) bytes.fill(below(2) === 0 ? 0 : 0xff, at, Math.min(bytes.length, at + 1 + below(4096)));
  if (kind === 2) bytes.subarray(at, at + 64).reverse();
  const damaged = kind === 3 ? bytes.subarray(0, at) : bytes;
  await writeFile(join(dir, name), damaged);
  return `${['bit', 'run', 'reversed', 'truncated'][kind]} of ${name} at ${at} of ${bytes.length}`;
}

describe('damaged files', () => {
  let home: string;

  beforeAll(async () => {
    // A fixed time, so that a seed meets the same bytes every time.
    const clock = new ManualClock(1_000_000);
    home = await mkdtemp(join(tmpdir(), 'gridfold-damage-'));
    const fresh = await openEmbeddedLog({ dir: join(home, 'log'), partitions: PARTITIONS, clock });
    await write(fresh, 120);
    await fresh.close();
    await cp(join(home, 'log'), join(home, 'tables'), { recursive: true });
    // Opening turns LevelDB's own log into tables.
    const again = await openEmbeddedLog({ dir: join(home, 'tables'), partitions: PARTITIONS, clock });
    await write(again, 20);
    await again.close();
  });

  afterAll(() => rm(home, { recursive: true }));

  const cases = [
    { template: 'log', files: /\.log$/ },
    { template: 'tables', files: /\.ldb$/ },
    { template: 'tables', files: /\.log$/ },
    { template: 'tables', files: /^(MANIFEST-\d+|CURRENT)$/ },
  ];

  it.each(cases)('$files of $template: recovered or refused, never silently wrong', { timeout: 600_000 }, async (c) => {
    const outcomes: Record<string, number> = {};
    const count = (outcome: string) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const dir = join(home, `case-${seed}`);
      await cp(join(home, c.template), dir, { recursive: true });
      const what = `seed ${seed}, ${await damage(dir, seed, c.files)}`;
      try {
        count(await openAndGoOn(dir));
      } catch (error) {
        throw new Error(what, { cause: error });
      }
      await rm(dir, { recursive: true });
    }
    if (process.env.GRIDFOLD_DAMAGE_SEEDS !== undefined) console.log(c, outcomes);
  });
});

/** Opens, checks, writes on, opens again and checks; after a refusal the same with the loss accepted. */
async function openAndGoOn(dir: string): Promise<string> {
  const said: LogMessage[] = [];
  const open = (acceptLoss: boolean) =>
    openEmbeddedLog({ dir, partitions: PARTITIONS, acceptLoss, onMessage: (message) => said.push(message) });
  let log: EmbeddedLog;
  let outcome = 'recovered';
  try {
    log = await open(false);
    const refused = await examine(log);
    expect(refused.every((code) => code === 'log_corrupt')).toBe(true);
    if (refused.length > 0) {
      outcome = 'refused by read';
      await log.close();
      log = await open(true);
      expect(said.length).toBeGreaterThan(0);
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'log_corrupt') throw error;
    outcome = 'refused by open';
    log = await open(true);
    expect(said.length).toBeGreaterThan(0);
  }
  expect(await examineAfterLoss(log)).toEqual([]);
  await write(log, 5);
  await log.close();
  try {
    log = await open(false);
  } catch (error) {
    // LevelDB's repair leaves some damaged keys in its tables (seen once in 250 damaged tables): still no silence.
    if (outcome === 'recovered' || (error as { code?: string }).code !== 'log_corrupt') throw error;
    return 'refused again after repair';
  }
  expect(await examineAfterLoss(log)).toEqual([]);
  await log.close();
  return said.length > 0 ? `${outcome}, said` : outcome;
}

/** As {@link examine}; but once a loss was accepted, derived and journal need not agree about the commits any more. */
async function examineAfterLoss(log: Log): Promise<string[]> {
  const refused: string[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const topic of [topics.telemetry, topics.derived, topics.journal]) {
      const error = await readBack(log, topic, partition);
      if (error !== null) refused.push(`${topic}/${partition} ${error.code}`);
    }
  }
  return refused;
}
