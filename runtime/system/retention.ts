import { topics } from '../log/contract.ts';
import type { Shard } from '../shard/shard.ts';
import type { RunningSink, RuntimeOptions } from './runtime-options.ts';

const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000;

/**
 * Lets the log forget what is older than its retention. Input and journal never pass the older of the two snapshots
 * that are kept; derived events never pass a sink.
 */
export async function trimLog(options: RuntimeOptions, shard: Shard, sinks: readonly RunningSink[]): Promise<void> {
  const { log, retentionMs, retentionBytes } = options;
  const { partition, snapshots } = shard;
  if (snapshots.positions.length < 2) return;
  const retention = { maxAgeMs: retentionMs, maxBytes: retentionBytes ?? Number.POSITIVE_INFINITY };
  const { journal, readings } = shard.options.type.topics;
  const [older] = snapshots.positions;
  await log.trim(journal, partition, retention, older.commit);
  // A log that others use too has its own retention.
  if (log.shared) return;
  await log.trim(readings, partition, retention, older.telemetry);
  const taken = Math.min(...sinks.map((sink) => sink.next(partition)));
  if (sinks.length > 0) await log.trim(topics.derived, partition, retention, taken);
  const letters = { ...retention, maxAgeMs: DEAD_LETTER_RETENTION_MS };
  await log.trim(topics.deadLetters, partition, letters, Number.MAX_SAFE_INTEGER);
}
