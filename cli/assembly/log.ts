import { join } from 'node:path';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { KafkaConnection } from '../../runtime/log/kafka/connection.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { createKafkaMembership } from '../../runtime/log/kafka/membership.ts';
import { prepareTopics } from '../../runtime/log/kafka/topics.ts';
import type { Membership } from '../../runtime/log/membership.ts';
import { SoleMember } from '../../runtime/log/sole-member.ts';
import type { Config } from '../../runtime/system/config.ts';
import { kafkaConnection } from '../../runtime/system/kafka-connection.ts';
import type { LogStatus } from '../../runtime/system/log-metrics.ts';
import { EMBEDDED_PARTITIONS } from '../../runtime/system/options.ts';
import { topicNeeds } from '../../runtime/system/topic-needs.ts';

export interface LogAndGroup {
  readonly log: Log;
  readonly membership: Membership;
  /** What keeps the log from answering; null while nothing does. */
  readonly trouble: () => string | null;
  /** For metrics; null where there are no brokers. */
  readonly status: (() => LogStatus) | null;
}

/** The log that the configuration names: Kafka where it has brokers, else the embedded one in the data folder. */
export function openLogAndGroup(
  config: Config,
  clock: Clock,
  message: KafkaConnection['message'],
): Promise<LogAndGroup> {
  return config['kafka.brokers'] === null ? openEmbedded(config, clock, message) : openKafka(config, clock, message);
}

async function openEmbedded(config: Config, clock: Clock, message: KafkaConnection['message']): Promise<LogAndGroup> {
  const partitions = config.partitions ?? EMBEDDED_PARTITIONS;
  const log = await openEmbeddedLog({
    dir: join(config.dataDir, 'log'),
    partitions,
    clock,
    onMessage: ({ level, msg, fields }) => message(level, msg, fields),
  });
  return { log, membership: new SoleMember(partitions), trouble: () => null, status: null };
}

async function openKafka(config: Config, clock: Clock, message: KafkaConnection['message']): Promise<LogAndGroup> {
  const connection = kafkaConnection(config, message);
  const { partitions } = await prepareTopics(connection, {
    ...topicNeeds(config),
    create: config['kafka.createTopics'],
  });
  const log = await openKafkaLog({
    connection,
    partitions,
    clock,
    fetchMaxBytes: config['kafka.fetchMaxBytes'],
    fetchMaxWaitMs: config['kafka.fetchMaxWaitMs'],
  });
  const membership = createKafkaMembership({
    connection,
    topics: [topics.telemetry, topics.lifecycle, topics.contributions],
    partitions,
    sessionTimeoutMs: config['kafka.sessionTimeoutMs'],
    clock,
    message,
  });
  const trouble = () => (log.health.ok ? null : log.health.reason);
  return { log, membership, trouble, status: () => ({ ...log.stats, ...log.health }) };
}
