import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { createFleet } from '../../sim/fleet/index.ts';
import { differences } from '../acceptance/differences.ts';
import { type AuditAnswer, type FeedAnswer, Folder } from '../acceptance/gridfold.ts';
import { writeRecords } from '../acceptance/parts.ts';
import { metric, POLL, type Running, run as start } from '../acceptance/running.ts';
import { currentRows } from '../crash/verify.ts';
import { describeKafka } from './describe-kafka.ts';
import { KafkaFolder } from './kafka-folder.ts';

const TIMEOUT = 300_000;
const PARTITIONS = 4;
const SEED = 20261127;
const START = Date.parse('2026-06-01T12:00:00Z');
const HOUR = 3_600_000;

const folders: Folder[] = [];
const children: Running[] = [];
afterEach(() => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  for (const folder of folders) folder.remove();
});

function opened<F extends Folder>(folder: F): F {
  folders.push(folder);
  return folder;
}

async function run(folder: Folder): Promise<Running> {
  const running = await start(folder, '--no-sim');
  children.push(running);
  return running;
}

async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGTERM');
  const outcome = await ended;
  expect(outcome).toMatchObject({ code: 0, signal: null });
  expect(outcome.stderr).not.toMatch(/not closed in good order|"level":50/);
}

/** Resolves when all partitions are at work at exactly these processes. */
async function shared(...among: readonly Running[]): Promise<void> {
  const urls = among.map(({ url }) => url).sort();
  for (const { url } of among) {
    await vi.waitFor(async () => {
      const pipeline = (await (await fetch(`${url}/v1/pipeline`)).json()) as {
        ready: boolean;
        partitions: { owner: string }[];
      };
      const owners = [...new Set(pipeline.partitions.map(({ owner }) => owner))].sort();
      expect({ ready: pipeline.ready, owners }).toEqual({ ready: true, owners: urls });
    }, POLL);
  }
}

const replayed = ({ url }: Running) => metric(url, 'gridfold_replay_records_total', () => true);

describeKafka('two processes on one group', ({ bootstrap, unique }) => {
  it(
    'share the work and answer for all; one that stops hands over; nobody replays; rows are those of one process',
    async () => {
      const cluster = { brokers: await bootstrap(), prefix: unique('two'), partitions: PARTITIONS };
      const [first, second] = [opened(new KafkaFolder(cluster)), opened(new KafkaFolder(cluster))];
      const fleet = createFleet({ assets: 20, cabinets: 1, seed: SEED, cadenceMs: 60_000, startTime: START });
      const [before, after] = [join(first.base, 'before.ndjson'), join(first.base, 'after.ndjson')];
      await writeRecords(before, [...fleet.lifecycleRecords(), ...fleet.tick(START + 2 * HOUR)]);
      await writeRecords(after, fleet.tick(START + 4 * HOUR));

      const one = await run(first);
      const two = await run(second);
      await shared(one, two);
      expect(await first.json<FeedAnswer>('ingest', before)).toMatchObject({ refused: 0, settled: true });
      for (const serial of fleet.serials) {
        for (const { url } of [one, two]) {
          const answer = await fetch(`${url}/v1/assets/${serial}`);
          expect(await answer.json(), `${serial} at ${url}`).toMatchObject({ serial });
        }
      }

      await stop(one);
      await shared(two);
      expect(await replayed(two)).toBe(0);
      expect(await second.json<FeedAnswer>('ingest', after)).toMatchObject({ refused: 0, settled: true });

      const again = await run(first);
      // May fold again what the other one folded meanwhile: its own snapshot is near.
      await shared(again, two);
      await stop(two);
      await stop(again);
      const last = await run(second);
      await shared(last);
      expect(await replayed(last)).toBe(0);
      await stop(last);

      const alone = opened(new Folder());
      for (const file of [before, after]) await alone.json<FeedAnswer>('ingest', file);
      const expected = await currentRows(alone.dir);
      for (const folder of [first, second]) {
        expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
        expect(differences(expected, await currentRows(folder.dir)), folder.dir).toEqual([]);
      }
    },
    TIMEOUT,
  );
});
