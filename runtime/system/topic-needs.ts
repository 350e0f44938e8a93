import type { TopicNeeds } from '../log/kafka/topic-needs.ts';
import type { Config } from './options.ts';

/** What the configuration says about topics. */
export function topicNeeds(config: Config): TopicNeeds {
  return {
    prefix: config['kafka.topicPrefix'],
    partitions: config.partitions,
    replicationFactor: config['kafka.replicationFactor'],
    retentionMs: config.retentionMs,
    retentionBytes: config.retentionBytes,
    snapshotIntervalMs: config.snapshotIntervalMs,
  };
}
