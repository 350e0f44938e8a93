import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import { coordinators } from '../../runtime/log/kafka/link.ts';
import { type KafkajsCluster, openCluster, protocolError } from '../../runtime/log/kafka/wire/kafkajs.ts';
import { Writer } from '../../runtime/log/kafka/wire/writer.ts';

const ELECT_LEADERS = { apiKey: 43, apiVersion: 1, apiName: 'ElectLeaders' };
const PREFERRED = 0;
const ALL_PARTITIONS = -1;
const TIMEOUT_MS = 30_000;
const SYNC_TRIES = 50;
const SYNC_PAUSE_MS = 200;

/** How many partitions of the topics each node leads, by node id. */
export async function ledBy(bootstrap: string, isCounted: (topic: string) => boolean): Promise<Map<number, number>> {
  return withAdmin(bootstrap, async (admin) => {
    const led = new Map<number, number>();
    for (const { name, partitions } of await topicsOf(admin)) {
      if (!isCounted(name)) continue;
      for (const { leader } of partitions) led.set(leader, (led.get(leader) ?? 0) + 1);
    }
    return led;
  });
}

/**
 * Moves the lead of every partition of the topics to the next of its replicas, all nodes running: it becomes the
 * preferred one, and is elected once all are in sync. Returns how many partitions have another leader now.
 */
export async function moveLeaders(bootstrap: string, isMoved: (topic: string) => boolean): Promise<number> {
  return withAdmin(bootstrap, async (admin) => {
    const ours = async () => (await topicsOf(admin)).filter(({ name }) => isMoved(name));
    let before = await ours();
    // Only a replica in sync can be elected.
    for (let tries = 0; tries < SYNC_TRIES && !before.every(isInSync); tries++) {
      await pause(SYNC_PAUSE_MS);
      before = await ours();
    }
    await admin.alterPartitionReassignments({
      topics: before.map(({ name, partitions }) => ({
        topic: name,
        partitionAssignment: partitions.map(({ partitionId, leader, replicas }) => ({
          partition: partitionId,
          replicas: behind(replicas, leader),
        })),
      })),
      timeout: TIMEOUT_MS,
    });
    await electPreferred(bootstrap);
    const leaders = leadersOf(before);
    const after = leadersOf(await ours());
    return [...after].filter(([place, leader]) => leaders.get(place) !== leader).length;
  });
}

function isInSync({ partitions }: ITopicMetadata): boolean {
  return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
}

/** The replicas from the one behind `leader` on, around; the leader is the last. */
function behind(replicas: readonly number[], leader: number): number[] {
  const at = replicas.indexOf(leader) + 1;
  return [...replicas.slice(at), ...replicas.slice(0, at)];
}

function leadersOf(topics: readonly ITopicMetadata[]): Map<string, number> {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionId, leader }) => [`${name}/${partitionId}`, leader] as const),
    ),
  );
}

/** Node that coordinates a group or a transactional id, see {@link coordinators}. */
export async function coordinatorOf(bootstrap: string, id: string, kind: keyof typeof coordinators): Promise<number> {
  return withCluster(bootstrap, async (cluster) => {
    const anyone = await cluster.brokerPool.findConnectedBroker();
    const found = await anyone.findGroupCoordinator({ groupId: id, coordinatorType: coordinators[kind] });
    return found.coordinator.nodeId;
  });
}

/** kafkajs has no such request. What it answers of single partitions is not looked into: who leads is asked afterwards. */
async function electPreferred(bootstrap: string): Promise<void> {
  await withCluster(bootstrap, async (cluster) => {
    const [nodeId] = cluster.getNodeIds();
    const connection = await (await cluster.findBroker({ nodeId: Number(nodeId) })).connectionPool.getConnection(0);
    const buffer = new Writer().int8(PREFERRED).int32(ALL_PARTITIONS).int32(TIMEOUT_MS).done();
    const code = await connection.send({
      request: { ...ELECT_LEADERS, encode: async () => ({ buf: buffer, buffer }) },
      response: { decode: async (payload) => payload.readInt16BE(4), parse: async (answer) => answer },
    });
    if (code !== 0) throw protocolError(code);
  });
}

async function withCluster<T>(bootstrap: string, work: (cluster: KafkajsCluster) => Promise<T>): Promise<T> {
  const cluster = openCluster({
    brokers: bootstrap.split(','),
    clientId: 'test',
    topicPrefix: '',
    groupId: randomUUID(),
    ssl: false,
    sasl: null,
    message: () => {},
  });
  await cluster.connect();
  try {
    await cluster.refreshMetadata();
    return await work(cluster);
  } finally {
    await cluster.disconnect();
  }
}

async function topicsOf(admin: Admin): Promise<ITopicMetadata[]> {
  // Without a topic all are meant, those of groups and transactions too.
  return (await admin.fetchTopicMetadata()).topics;
}

async function withAdmin<T>(bootstrap: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const retry = { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 };
  const admin = new kafkajs.Kafka({
    brokers: bootstrap.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
    retry,
  }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
