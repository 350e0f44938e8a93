import { createRequire } from 'node:module';
import type { KafkajsBroker, KafkajsMetadata } from './kafkajs-types.ts';
import { isDoubted, type WaitingConnection } from './patience.ts';

/** The brokers that a cluster of kafkajs 2.2.4 knows, as far as asking them who leads goes. */
export interface AskedPool {
  readonly brokers: Readonly<Record<string, AskedBroker>>;
  readonly seedBroker: AskedBroker;
  createBroker: (options: object) => AskedBroker;
  connect(): Promise<void>;
  findBroker(node: { nodeId: number }): Promise<AskedBroker>;
  findConnectedBroker: () => Promise<AskedBroker>;
}

interface AskedBroker extends KafkajsBroker {
  readonly connectionPool: KafkajsBroker['connectionPool'] & { readonly pool: readonly WaitingConnection[] };
  isConnected(): boolean;
  lookupRequest(
    apiKey: number,
    versions: unknown,
  ): (fields: { topics: readonly string[]; allowAutoTopicCreation: boolean }) => MetadataCall;
  metadata: (topics?: readonly string[]) => Promise<KafkajsMetadata>;
}

interface MetadataCall {
  readonly request: Parameters<WaitingConnection['send']>[0]['request'];
  readonly response: {
    decode(payload: Buffer): Promise<KafkajsMetadata>;
    parse(metadata: KafkajsMetadata): Promise<KafkajsMetadata>;
  };
}

/**
 * Asks for metadata in our way. kafkajs refuses the whole of an answer while one partition has no leader, so that of the
 * others nobody learns where they went; and it asks any broker it is connected to, also one that stands still.
 */
export function askForLeaders(pool: AskedPool): void {
  const create = pool.createBroker;
  pool.createBroker = (options) => {
    const broker = create(options);
    broker.metadata = (topics = []) => metadataOf(broker, topics);
    return broker;
  };
  pool.findConnectedBroker = () => oneToAsk(pool);
}

async function metadataOf(broker: AskedBroker, topics: readonly string[]): Promise<KafkajsMetadata> {
  const { request, response } = broker.lookupRequest(
    apiKeys.Metadata,
    requests.Metadata,
  )({ topics, allowAutoTopicCreation: false });
  const parse = (metadata: KafkajsMetadata) => response.parse(withoutLeaderless(metadata)).then(() => metadata);
  const connection = await broker.connectionPool.getConnection(0);
  return connection.send({ request, response: { decode: response.decode, parse } } as never);
}

/** For kafkajs to judge: topics with their errors, and of the partitions those that have none. */
function withoutLeaderless(metadata: KafkajsMetadata): KafkajsMetadata {
  const topicMetadata = metadata.topicMetadata.map((topic) => ({
    ...topic,
    partitionMetadata: topic.partitionMetadata.filter(({ partitionErrorCode }) => partitionErrorCode === 0),
  }));
  return { ...metadata, topicMetadata };
}

/** A broker that answers, by all that is known; where there is doubt about all of them: any. */
async function oneToAsk(pool: AskedPool): Promise<AskedBroker> {
  const known = Object.values(pool.brokers);
  const first = Math.floor(Math.random() * known.length);
  const inTurn = [...known.slice(first), ...known.slice(0, first)];
  const rank = (broker: AskedBroker) => {
    if (broker.connectionPool.pool.some((connection) => isDoubted(connection))) return 2;
    return broker.isConnected() ? 0 : 1;
  };
  const ranked = inTurn.map((broker) => ({ broker, rank: rank(broker) })).sort((a, b) => a.rank - b.rank);
  for (const { broker } of ranked) {
    try {
      return await pool.findBroker({ nodeId: broker.nodeId });
    } catch {
      // The next one, then.
    }
  }
  await pool.connect();
  return pool.seedBroker;
}

const load = createRequire(import.meta.url);
const { requests } = load('kafkajs/src/protocol/requests') as { requests: { Metadata: unknown } };
const apiKeys = load('kafkajs/src/protocol/requests/apiKeys') as { Metadata: number };
