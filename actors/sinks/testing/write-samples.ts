/**
 * Writes sample events of two partitions into a DuckDB file, from its ledger on, in small commits; a process of its own
 * so that a test can kill it. Arguments: file, events per partition, events per batch.
 */
import { systemClock } from '../../../runtime/kernel/clock.ts';
import { openDuckDbSink } from '../duckdb/sink.ts';
import { sampleBatch, sampleTypes } from './samples.ts';

const [file, total, size] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const sink = await openDuckDbSink({ file, types: sampleTypes, clock: systemClock });
const ledger = new Map((await sink.ledger()).map((entry) => [entry.partition, entry.next]));
for (let to = size; to <= total; to += size) {
  // Offers more than is wanted on purpose, as a source does that does not know what was committed.
  const batches = [0, 1].map((p) => sampleBatch(p, Math.max(0, Math.min(ledger.get(p) ?? 0, to) - size), to));
  await sink.write(batches);
  for (const batch of batches) ledger.set(batch.partition, Math.max(batch.next, ledger.get(batch.partition) ?? 0));
}
await sink.close();
