import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { partitionOf, murmur2 } from '../kernel/hash.ts';
import { topics } from '../log/contract.ts';
import { openEmbeddedLog } from '../log/embedded/embedded.ts';
import type { ActorType } from '../shard/contract.ts';
import { toyType } from '../shard/testing/toy.ts';
import { lamp, openRig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Lamps that say when their readings may be lost. */
const [fact] = toyType.derived;
const telling: ActorType = {
  ...toyType,
  kinds: toyType.kinds.map((kind) => ({
    ...kind,
    lose: (asset, at, out) => {
      const { serial, lastDeviceTime } = asset as unknown as { serial: string; lastDeviceTime: number };
      out.emit(fact, `${serial}/lost/${lastDeviceTime}/${at}`, at, {});
    },
  })),
};

/** The partition of the lamp lost records that nobody had folded. */
async function loseRecords(dir: string, partition: number, count: number): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2 });
  const lost = Array.from({ length: count }, () => ({ key: null, value: Buffer.from('{}') }));
  const { end } = await log.append(topics.telemetry, partition, lost);
  await log.trim(topics.telemetry, partition, { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 0 }, end);
  await log.close();
}

it('records that the log dropped before they were folded are refused by range, or accepted and told of', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-loss-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  const partition = partitionOf(murmur2(Buffer.from('A')), 2);
  const open = (minute: number, acceptLoss: boolean) =>
    openRig(dir, new ManualClock(START + minute * 60_000), { types: [telling], acceptLoss }, closers);

  const first = await open(0, false);
  await first.send([lamp('A', 0), lamp('A', 1)]);
  await first.stop();
  await loseRecords(dir, partition, 3);

  await expect(open(5, false)).rejects.toMatchObject({
    code: 'log_trimmed',
    message: expect.stringContaining(`telemetry-${partition} 2..4`),
  });

  const accepted = await open(6, true);
  const said = (await accepted.derived()).map(({ key }) => key);
  expect(said).toContain(`A/lost/${START + 60_000}/${START + 6 * 60_000}`);
  await accepted.send([lamp('A', 7)]);
  const view = accepted.runtime.asset('A');
  const all = await accepted.derived();
  await accepted.drop();

  const again = await open(8, false);
  expect(again.replayed.reduce((a, b) => a + b)).toBe(1);
  expect(again.runtime.asset('A')).toEqual(view);
  expect(await again.derived()).toEqual(all);
});
