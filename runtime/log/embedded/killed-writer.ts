import { type AppendRecord, topics } from '../contract.ts';
import { openEmbeddedLog } from './embedded.ts';

/**
 * The process that the kill test ends: appends and commits without end and prints what has been acknowledged, as
 * `telemetry PARTITION END` and `commit PARTITION COUNT`. Contents follow from topic, partition and offset.
 *
 *   node killed-writer.ts DIR PARTITIONS
 */
const [dir, partitionsText] = process.argv.slice(2);
const partitions = Number(partitionsText);
const log = await openEmbeddedLog({ dir, partitions });

function records(topic: string, partition: number, from: number, count: number): AppendRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    key: null,
    value: Buffer.from(`${topic}/${partition}/${from + i}/`.padEnd(250, '.')),
  }));
}

async function append(partition: number): Promise<never> {
  let next = log.extent(topics.telemetry, partition).end;
  for (;;) {
    const { end } = await log.append(topics.telemetry, partition, records(topics.telemetry, partition, next, 100));
    next = end;
    process.stdout.write(`telemetry ${partition} ${end}\n`);
  }
}

async function commit(partition: number): Promise<never> {
  const claim = await log.claim('journal', partition);
  let commits = log.extent(topics.journal, partition).end;
  for (;;) {
    const outputs = new Map([[topics.derived, records(topics.derived, partition, 3 * commits, 3)]]);
    const [journal] = records(topics.journal, partition, commits, 1);
    commits += 1;
    await log.commit(claim, { outputs, journal: journal.value, position: Buffer.from(String(commits)) });
    process.stdout.write(`commit ${partition} ${commits}\n`);
  }
}

await Promise.all(Array.from({ length: partitions }, (_, p) => [append(p), commit(p)]).flat());
