import { randomUUID } from 'node:crypto';
import { topics } from '../../contract.ts';
import { type KafkaConnection, kafkaClient } from '../connection.ts';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog } from '../kafka-log.ts';
import { createLedTopics } from './led-topics.ts';

const PARTITIONS = 2;
const names = [...Object.values(topics), 'site-journal', 'site-snapshots'];

/** A connection with a prefix and a group of its own; nothing is said. */
export function testConnection(bootstrap: string, more: Partial<KafkaConnection> = {}): KafkaConnection {
  const id = randomUUID().slice(0, 8);
  return {
    brokers: [bootstrap],
    clientId: 'gridfold-test',
    topicPrefix: `t${id}.`,
    groupId: `g${id}`,
    ssl: false,
    sasl: null,
    message: () => {},
    ...more,
  };
}

/** Makes every topic of a log, empty, and waits until each partition has a leader. `replicas`: nodes, the leader first. */
export async function makeTopics(
  connection: KafkaConnection,
  partitions = PARTITIONS,
  replicas?: (name: string, partition: number) => number[],
): Promise<void> {
  // What kafkajs has to say while the topics come to be is nothing that a test listens for.
  const admin = kafkaClient({ ...connection, message: () => {} }).admin();
  await admin.connect();
  const placed = (name: string) =>
    Array.from({ length: partitions }, (_, partition) => ({ partition, replicas: replicas!(name, partition) }));
  await createLedTopics(
    admin,
    names.map((name) => ({
      topic: connection.topicPrefix + name,
      ...(replicas === undefined ? { numPartitions: partitions } : { replicaAssignment: placed(name) }),
    })),
  );
  await admin.disconnect();
}

async function deleteTopics(connection: KafkaConnection): Promise<void> {
  const admin = kafkaClient(connection).admin();
  await admin.connect();
  // Nobody looks at them again: whether the broker deletes them in time does not matter.
  await admin.deleteTopics({ topics: names.map((name) => connection.topicPrefix + name) }).catch(() => {});
  await admin.disconnect();
}

/** A new, empty log of two partitions, as the conformance suite wants it. */
export async function testLog(
  bootstrap: string,
  options: Partial<KafkaLogOptions> = {},
): Promise<{ log: KafkaLog; reopen: () => Promise<KafkaLog>; destroy: () => Promise<void> }> {
  const connection = options.connection ?? testConnection(bootstrap);
  await makeTopics(connection);
  const open = () => openKafkaLog({ partitions: PARTITIONS, ...options, connection });
  let log = await open();
  return {
    log,
    async reopen() {
      await log.close();
      log = await open();
      return log;
    },
    async destroy() {
      await log.close();
      await deleteTopics(connection);
    },
  };
}
