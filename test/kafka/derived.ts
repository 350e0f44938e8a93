import { join } from 'node:path';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { allValues } from '../../runtime/log/testing/collect.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { decodeJournal, type Step } from '../../runtime/shard/journal.ts';
import type { Folder } from '../acceptance/gridfold.ts';
import type { Folded } from './interleaving.ts';
import type { Cluster } from './kafka-folder.ts';

/** One partition of devices: what was folded in which order, and the derived events in the order of their topic. */
export interface Told {
  readonly steps: readonly Step[];
  readonly events: readonly DerivedEvent[];
}

/** By partition. */
export function toldInFolder(folder: Folder, partitions: number): Promise<Told[]> {
  return toldIn(openEmbeddedLog({ dir: join(folder.dir, 'log'), partitions }));
}

/** What a reader of committed records sees, by partition. */
export function toldOnKafka({ brokers, prefix, partitions }: Cluster): Promise<Told[]> {
  const own = { clientId: 'reader', groupId: 'reader', ssl: false, sasl: null, message: () => {} } as const;
  return toldIn(openKafkaLog({ connection: { brokers: [brokers], topicPrefix: `${prefix}.`, ...own }, partitions }));
}

async function toldIn(opening: Promise<Log>): Promise<Told[]> {
  const log = await opening;
  const told: Told[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const valuesOf = async (topic: string) =>
      (await allValues(log, topic, partition)).map((value) => Buffer.from(value, 'latin1'));
    const journal = await valuesOf(topics.journal);
    const derived = await valuesOf(topics.derived);
    told.push({
      steps: journal.flatMap((record) => decodeJournal(record).steps),
      events: derived.map((value) => JSON.parse(value.toString()) as DerivedEvent),
    });
  }
  await log.close();
  return told;
}

const CAUSE = /^(telemetry|lifecycle|timers)-\d+-(\d+)-\d+$/;

/** What devices said of these inputs, in order; all but the time at which it was said. */
export function saidOf({ events }: Told, folded: Folded): object[] {
  const said: object[] = [];
  for (const { recordTime, ...event } of events) {
    const cause = CAUSE.exec(event.id);
    if (cause !== null && Number(cause[2]) < folded[cause[1] as keyof Folded]) said.push(event);
  }
  return said;
}
