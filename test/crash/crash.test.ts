import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertKilledOrDone, live } from './lives.ts';
import { writeLoad } from './load.ts';
import { currentRows, verify } from './verify.ts';

/** Every numbered I/O step of the code. */
const STEPS = [
  'log.append.1',
  'log.append.2',
  'log.commit.1',
  'log.commit.2',
  'commit.1',
  'commit.2',
  'commit.3',
  'commit.4',
  'snapshot.1',
  'snapshot.2',
  'snapshot.3',
  'snapshot.4',
  'snapshot.5',
  'sink.1',
  'sink.2',
  'sink.3',
  'sink.4',
];

const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261124);
const KILLS = Number(process.env.GRIDFOLD_TEST_KILLS ?? 40);
const base = mkdtempSync(join(tmpdir(), 'gridfold-crash-'));
const shortLoad = join(base, 'short');
const longLoad = join(base, 'long');

/** Reference: the same load, in a life that nobody disturbs. */
const calm = new Map<string, Promise<Map<string, string[]>>>();
function calmRows(load: string): Promise<Map<string, string[]>> {
  let rows = calm.get(load);
  if (rows === undefined) {
    rows = (async () => {
      const dir = `${load}-calm`;
      expect(await live({ dir, load, batch: 500, pauseMs: 0 })).toMatchObject({ done: true });
      expect((await verify(dir)).differences).toEqual([]);
      return currentRows(dir);
    })();
    calm.set(load, rows);
  }
  return rows;
}

beforeAll(() => {
  const short = writeLoad(shortLoad, { seed: SEED, assets: 30, hours: 20, cadenceMs: 300_000 });
  const long = writeLoad(longLoad, {
    seed: SEED + 1,
    assets: 60,
    hours: Math.ceil(KILLS * 0.7) + 24,
    cadenceMs: 300_000,
  });
  process.stdout.write(`seed ${SEED}; loads of ${short} and ${long} records\n`);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('kill -9 at each numbered step, then again at a later passage', () => {
  test.each(STEPS)('%s', { timeout: 120_000 }, async (step) => {
    const dir = join(base, step);
    for (const passage of [1, 2, 5]) {
      const life = await live({ dir, load: shortLoad, crashAt: `${step}:${passage}` });
      assertKilledOrDone(life);
      if (passage === 1) expect(life.signal).toBe('SIGKILL');
    }
    expect(await live({ dir, load: shortLoad, batch: 500, pauseMs: 0 })).toMatchObject({ done: true, stderr: '' });
    const report = await verify(dir);
    expect(report.differences).toEqual([]);
    expect(report.rows).toBe(report.events);
    expect(await currentRows(dir)).toEqual(await calmRows(shortLoad));
    rmSync(dir, { recursive: true });
  });
});

test(`kill -9 at ${KILLS} random moments under load`, { timeout: 3_600_000 }, async () => {
  const dir = join(base, 'random');
  let state = SEED;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let kills = 0;
  let wentLive = 0;
  for (let isDone = false; !isDone && kills < KILLS; ) {
    // Most die under load; some while they start and recover.
    const end = random() < 0.2 ? { killAfterMs: random() * 1500 } : { killAfterLiveMs: random() * 400 };
    const life = await live({ dir, load: longLoad, batch: 20, pauseMs: 4, ...end });
    assertKilledOrDone(life);
    isDone = life.done;
    if (life.signal === 'SIGKILL') kills++;
    if (life.live) wentLive++;
  }
  process.stdout.write(`${kills} kills, ${wentLive} lives went live\n`);
  expect(kills).toBe(KILLS);
  expect(wentLive).toBeGreaterThan(KILLS / 4);
  expect(await live({ dir, load: longLoad, batch: 500, pauseMs: 0 })).toMatchObject({ done: true, stderr: '' });
  const report = await verify(dir);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  expect(report.differences).toEqual([]);
  expect(report.rows).toBe(report.events);
  expect(await currentRows(dir)).toEqual(await calmRows(longLoad));
});
