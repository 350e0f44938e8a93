import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EMBEDDED_PARTITIONS } from '../../runtime/system/options.ts';
import { createFleet } from '../../sim/fleet/index.ts';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { differences } from '../acceptance/differences.ts';
import { type AuditAnswer, type FeedAnswer, Folder } from '../acceptance/gridfold.ts';
import { writePart, writeRecords, writeRows } from '../acceptance/parts.ts';
import { currentRows } from '../crash/verify.ts';
import { saidOf, toldInFolder, toldOnKafka } from './derived.ts';
import { describeKafka } from './describe-kafka.ts';
import { foldedAlike } from './interleaving.ts';
import { type Cluster, KafkaFolder } from './kafka-folder.ts';

const TIMEOUT = 300_000;
const PARTITIONS = EMBEDDED_PARTITIONS;
const SEED = 20261126;

interface Source {
  readonly name: string;
  /** The recording, or null where it is absent. */
  readonly file: string | null;
  /** The command that feeds it, from what is written into the folder. */
  readonly feed: (base: string, file: string) => Promise<readonly string[]>;
}

const seattle = realData('powerwall_home/seattle_2022_5min.csv');
const solarma = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');
const acn = realData('ac_charging/acn_caltech_sessions_2019-03.csv');

const recordings: readonly Source[] = [
  {
    name: 'a home in Seattle as a site, July 2022',
    file: seattle,
    async feed(base, file) {
      const part = join(base, 'july.csv');
      await writePart(file, part, ['2022-07-01', '2022-08-01']);
      return ['replay', 'seattle-5min', part];
    },
  },
  {
    name: 'an inverter with faults in a plant',
    file: solarma,
    async feed(base, file) {
      const part = join(base, 'inverter.csv');
      await writeRows(file, part, (row) => row.includes('102502N182'));
      return ['replay', 'solarma', part];
    },
  },
  {
    name: 'a garage, March 2019',
    file: acn,
    feed: async (_, file) => ['replay', 'acn', file],
  },
];

/** Six hours of homes, cabinets and Megapacks with everything that can happen to them, often. */
async function simulated(base: string): Promise<readonly string[]> {
  const startTime = Date.parse('2026-06-01T09:00:00Z');
  const rates = { silencesPerDay: 4, outagesPerDay: 2, faultsPerDay: 4, updatesPerDay: 2 };
  const assets = { assets: 20, cabinets: 2, megapacks: 4 };
  const fleet = createFleet({ ...assets, seed: SEED, cadenceMs: 60_000, startTime, rates });
  const file = join(base, 'fleet.ndjson');
  await writeRecords(file, [...fleet.lifecycleRecords(), ...fleet.tick(startTime + 6 * 3_600_000)]);
  return ['ingest', file];
}

describeKafka('the same facts on both logs', ({ bootstrap, unique }) => {
  describe.each([{ name: `a simulated fleet, seed ${SEED}`, file: '', feed: simulated }, ...recordings])(
    '$name',
    ({ name, file, feed }) => {
      describe.skipIf(file === null)(onRealData('fed by the command line', file), () => {
        const embedded = new Folder();
        let onKafka: KafkaFolder;
        let cluster: Cluster;

        beforeAll(async () => {
          cluster = {
            brokers: await bootstrap(),
            prefix: unique(name.replaceAll(/\W+/g, '-')),
            partitions: PARTITIONS,
          };
          onKafka = new KafkaFolder(cluster);
          const [command, ...args] = await feed(embedded.base, file ?? '');
          const counts: number[] = [];
          for (const folder of [embedded, onKafka]) {
            const fed = await folder.json<FeedAnswer>(command, ...args);
            expect(fed).toMatchObject({ refused: 0, settled: true });
            counts.push(fed.accepted);
          }
          expect(counts[1]).toBe(counts[0]);
        }, TIMEOUT);
        afterAll(() => {
          embedded.remove();
          onKafka?.remove();
        });

        test(
          'every row of every view',
          async () => {
            const [calm, other] = [await currentRows(embedded.dir), await currentRows(onKafka.dir)];
            const total = [...calm.values()].reduce((sum, { length }) => sum + length, 0);
            process.stdout.write(`${name}: ${total} current rows in ${calm.size} views\n`);
            expect(total).toBeGreaterThan(500);
            expect(differences(calm, other)).toEqual([]);
          },
          TIMEOUT,
        );

        test(
          'every event of devices in the same order, where the positions of the inputs are the same',
          async () => {
            const [calm, other] = [await toldInFolder(embedded, PARTITIONS), await toldOnKafka(cluster)];
            let compared = 0;
            for (const [partition, told] of calm.entries()) {
              const folded = foldedAlike(told.steps, other[partition].steps);
              const expected = saidOf(told, folded);
              expect(saidOf(other[partition], folded)).toEqual(expected);
              compared += expected.length;
            }
            const all = calm.reduce((sum, { events }) => sum + events.length, 0);
            process.stdout.write(`${name}: ${compared} of ${all} events have inputs at the same positions\n`);
            expect(compared).toBeGreaterThan(0);
          },
          TIMEOUT,
        );

        test(
          'nothing is lost or doubled',
          async () => {
            expect((await onKafka.json<AuditAnswer>('audit')).ok).toBe(true);
            expect(await onKafka.json<unknown[]>('dead-letters')).toEqual([]);
          },
          TIMEOUT,
        );
      });
    },
  );
});
