import type { InputTopic } from '../shard/contract.ts';
import type { Shard } from '../shard/shard.ts';
import type { PartitionStatus } from './engine.ts';

/** A shard as the pipeline page and health show it. */
export function statusOf(shard: Shard): PartitionStatus {
  const { type, clock, horizonMs } = shard.options;
  const isLive = shard.phase === 'live';
  const { telemetry, lifecycle, timers } = isLive ? shard.committed : { telemetry: 0, lifecycle: 0, timers: 0 };
  const lag = (input: InputTopic) => (isLive ? shard.lag(input) : 0);
  return {
    actor: type.name,
    partition: shard.partition,
    phase: shard.phase,
    position: { telemetry, lifecycle, timers },
    lag: { telemetry: lag('telemetry'), lifecycle: lag('lifecycle') },
    topics: { telemetry: type.topics.readings, lifecycle: type.topics.lifecycle },
    assets: isLive ? shard.fold.state.assets : 0,
    snapshotAgeMs: clock.now() - shard.snapshots.takenAt,
    horizonMs,
  };
}
