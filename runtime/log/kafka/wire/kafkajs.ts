import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';
import { type KafkaConnection, kafkaClient } from '../connection.ts';
import type { KafkajsBroker, KafkajsMetadata } from './kafkajs-types.ts';
import { type AskedPool, askForLeaders } from './metadata.ts';
import { losePatience, type WaitingConnection } from './patience.ts';
import { openSocket, type ReadingConnection, readAnswers } from './sockets.ts';

export type { KafkajsBroker, KafkajsConnection, KafkajsMetadata } from './kafkajs-types.ts';

/**
 * The parts of kafkajs 2.2.4 that its types do not name: connections, metadata and the calls of a broker. Its own
 * consumer and producers are not used: they fall back to positions of their own and hide what became of a commit.
 */
export interface KafkajsCluster {
  readonly brokerPool: AskedPool & {
    readonly metadata: KafkajsMetadata | null;
  };
  readonly connectionPoolBuilder: {
    build: (broker?: object) => Promise<{ readonly pool: readonly (ReadingConnection & WaitingConnection)[] }>;
  };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  getNodeIds(): readonly string[];
  findBroker(node: { nodeId: number }): Promise<KafkajsBroker>;
}

/** An error as kafkajs throws them; `type` names the code of the protocol. */
export interface KafkajsError extends Error {
  readonly type?: string;
  readonly code?: number | string;
  readonly retriable?: boolean;
}

const load = createRequire(import.meta.url);
const { createErrorFromCode, errorCodes } = load('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => KafkajsError;
  errorCodes: { type: string; code: number; retriable: boolean; message: string }[];
};

// Younger than kafkajs, which would hide the code of an error it has no name for.
if (!errorCodes.some(({ code }) => code === 90)) {
  const message = 'There is a newer producer with the same transactionalId which fences the current one';
  errorCodes.push({ type: 'PRODUCER_FENCED', code: 90, retriable: false, message });
}

/** The error that a code of the protocol stands for. */
export const protocolError = createErrorFromCode;

/** A connection pool of its own: requests on one connection are answered one after the other. */
export function openCluster(connection: KafkaConnection): KafkajsCluster {
  // What kafkajs would say about each attempt, health says once.
  const kafka = kafkaClient({ ...connection, message: () => {} }, undefined, openSocket);
  const factory = Object.getOwnPropertySymbols(kafka).find((s) => s.description === 'private:Kafka:createCluster');
  if (factory === undefined) throw new Error('This version of kafkajs is not 2.2.4: it makes its clusters elsewhere');
  const create = (kafka as unknown as Record<symbol, (options: object) => KafkajsCluster>)[factory];
  const cluster = create.call(kafka satisfies Kafka, {
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
  readOwnAnswers(cluster);
  askForLeaders(cluster.brokerPool);
  return cluster;
}

/** Every connection reads its answers, and waits for them, in our way from its first byte on. */
function readOwnAnswers({ connectionPoolBuilder }: KafkajsCluster): void {
  const build = connectionPoolBuilder.build;
  connectionPoolBuilder.build = async (broker) => {
    const made = await build(broker);
    for (const connection of made.pool) {
      readAnswers(connection);
      losePatience(connection);
    }
    return made;
  };
}

export const READ_COMMITTED = 1;
const METADATA_MAX_AGE_MS = 300_000;
