import { join } from 'node:path';
import type { Clock } from '../../runtime/kernel/clock.ts';
import type { Log } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { KafkaConnection } from '../../runtime/log/kafka/connection.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { deleteTopics, prepareTopics } from '../../runtime/log/kafka/topics.ts';
import type { Config } from '../../runtime/system/config.ts';
import { kafkaConnection } from '../../runtime/system/kafka-connection.ts';
import { topicNeeds } from '../../runtime/system/topic-needs.ts';
import { setFolder } from './reprocess-record.ts';

/** Where the logs of reprocessed sets are: beside the live topics on Kafka, else in the folder of the set. */
export interface SetLogs {
  open(name: string): Promise<Log>;
  /** Deletes the topics; what lies in the folder goes with it. */
  drop(name: string): Promise<void>;
}

/** `partitions`: those of the live log. */
export function setLogs(
  config: Config,
  partitions: number,
  clock: Clock,
  message: KafkaConnection['message'],
): SetLogs {
  return config['kafka.brokers'] === null
    ? embeddedLogs(config, partitions, clock, message)
    : kafkaLogs(config, partitions, clock, message);
}

function embeddedLogs(config: Config, partitions: number, clock: Clock, message: KafkaConnection['message']): SetLogs {
  return {
    open: (name) =>
      openEmbeddedLog({
        dir: join(setFolder(config.dataDir, name), 'log'),
        partitions,
        clock,
        onMessage: ({ level, msg, fields }) => message(level, msg, fields),
      }),
    drop: async () => {},
  };
}

/** Topics `PREFIXname.derived` and so on; the group is one of its own, so that the live one's offsets stay as they are. */
function kafkaLogs(config: Config, partitions: number, clock: Clock, message: KafkaConnection['message']): SetLogs {
  const connectionOf = (name: string): KafkaConnection => {
    const live = kafkaConnection(config, message);
    return { ...live, topicPrefix: prefixOf(config, name), groupId: `${live.groupId}-${name}` };
  };
  const needsOf = (name: string) => ({ ...topicNeeds(config), prefix: prefixOf(config, name), partitions });
  return {
    open: async (name) => {
      const connection = connectionOf(name);
      await prepareTopics(connection, { ...needsOf(name), create: config['kafka.createTopics'] });
      const { 'kafka.fetchMaxBytes': fetchMaxBytes, 'kafka.fetchMaxWaitMs': fetchMaxWaitMs } = config;
      return openKafkaLog({ connection, partitions, clock, fetchMaxBytes, fetchMaxWaitMs });
    },
    drop: (name) => deleteTopics(connectionOf(name), needsOf(name)),
  };
}

function prefixOf(config: Config, name: string): string {
  return `${config['kafka.topicPrefix']}${name}.`;
}
