/**
 * The program that the fault tests kill: the whole runtime with its DuckDB sink, and a producer that goes on with the
 * load where the log says it stopped.
 *
 *   node test/crash/subject.ts DIR LOAD BATCH PAUSE_MS
 *
 * Prints `live` when it has recovered, and `done` when all is folded, committed by the sink, and closed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { topics } from '../../runtime/log/contract.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { type LoadLine, readLoad } from './load.ts';
import { openSubject, type Subject } from './open-subject.ts';

const [dir, load, batchSize, pauseMs] = process.argv.slice(2);

async function produce({ log, runtime }: Subject): Promise<void> {
  const seen = new Map<string, number>();
  let batch: LoadLine[] = [];
  const flush = async () => {
    for (const topic of ['lifecycle', 'telemetry'] as const) {
      const records = batch.filter((line) => line.topic === topic);
      if (records.length > 0) await runtime.produce(topic, records);
    }
    batch = [];
    if (Number(pauseMs) > 0) await pause(Number(pauseMs));
  };
  for (const line of readLoad(load)) {
    const { partition } = homeOf(line.key, log.partitions);
    const place = `${line.topic} ${partition}`;
    const count = (seen.get(place) ?? 0) + 1;
    seen.set(place, count);
    if (count <= started.get(place)!) continue;
    batch.push(line);
    if (batch.length === Number(batchSize)) await flush();
  }
  await flush();
}

const subject = await openSubject(dir);
const started = new Map<string, number>();
for (const topic of ['telemetry', 'lifecycle'] as const) {
  for (let p = 0; p < subject.log.partitions; p++)
    started.set(`${topic} ${p}`, subject.log.extent(topics[topic], p).end);
}
process.stdout.write('live\n');
await produce(subject);
await subject.runtime.settled();
await subject.close();
process.stdout.write('done\n');
