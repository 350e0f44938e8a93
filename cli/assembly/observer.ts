import type { Logger } from 'pino';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { type ActorType, topicOf } from '../../runtime/shard/contract.ts';
import type { ShardObserver } from '../../runtime/shard/shard.ts';
import type { Metrics } from '../../runtime/system/metrics.ts';

/** Turns what shards of an actor type say into log lines and metrics: per batch, commit or snapshot, never per record. */
export function observeShards(
  log: Logger,
  metrics: Metrics,
  clock: Clock,
  fail: (error: Error) => void,
  type: ActorType,
): ShardObserver {
  const actor = type.name;
  const began = new Map<number, number>();
  return {
    phase(partition, phase, detail) {
      log.debug({ actor, partition, phase, ...detail }, 'partition %d: %s', partition, phase);
      if (phase === 'claiming') began.set(partition, clock.now());
      if (phase === 'live' && typeof detail.replayed === 'number') {
        metrics.restore(partition, (clock.now() - (began.get(partition) ?? clock.now())) / 1000, detail.replayed);
        if (detail.replayed > 0)
          log.info(
            { actor, partition, records: detail.replayed },
            'folded again what was committed after the snapshot here',
          );
      }
      if (detail.snapshot_failed !== undefined)
        log.error({ actor, partition, error: detail.snapshot_failed }, 'snapshot failed');
    },
    folded(partition, input, records, durationMs, tally) {
      const refused = [...tally.reasons.values()].reduce((sum, n) => sum + n, 0);
      metrics.batch(
        {
          topic: topicOf(type, input),
          partition,
          kind: 'all',
          applied: tally.applied + tally.lifecycle,
          duplicate: tally.duplicates,
          late: tally.late,
          invalid: tally.invalid,
          rejected: refused,
          bytes: tally.bytes,
        },
        durationMs / 1000,
      );
      if (tally.watermark > 0 && records > 0) {
        metrics.watermark(actor, partition, tally.watermark);
        if (type.order === 'deviceTime') metrics.eventDelay(Math.max(0, (clock.now() - tally.watermark) / 1000));
      }
      for (const [id, count] of tally.transitions) {
        const [kind, from, to] = id.split(' ');
        metrics.transitions(kind, from, to, count);
      }
    },
    committed(shard, durationMs) {
      metrics.commit(actor, shard.partition, durationMs / 1000);
    },
    snapshot(partition, figures) {
      metrics.snapshot(actor, partition, figures.durationMs / 1000, figures.bytes);
      log.debug({ actor, partition, ...figures }, 'snapshot');
    },
    filled(partition, figures) {
      log.info({ actor, partition, ...figures }, 'the windows of the partition followed from the snapshots topic');
    },
    quarantined(partition, kind, serial, error) {
      log.error({ actor, partition, kind, serial, err: error }, 'the fold of an asset failed: it is in quarantine');
    },
    failed(partition, error) {
      metrics.commitFailed((error as { code?: string }).code ?? 'unknown');
      log.error({ actor, partition, err: error }, 'partition failed');
      const { reaction } = error as { reaction?: string };
      if (reaction !== 'retry' && reaction !== 'rejoin') fail(error as Error);
    },
  };
}
