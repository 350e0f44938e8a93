import { createRequire } from 'node:module';
import type { Kafka } from 'kafkajs';
import { type KafkaConnection, kafkaClient } from '../connection.ts';
import { openSocket, type ReadingConnection, readAnswers } from './sockets.ts';

/**
 * The parts of kafkajs 2.2.4 that its types do not name: connections, metadata and the calls of a broker. Its own
 * consumer and producers are not used: they fall back to positions of their own and hide what became of a commit.
 */
export interface KafkajsCluster {
  readonly brokerPool: {
    readonly metadata: KafkajsMetadata | null;
  };
  readonly connectionPoolBuilder: {
    build: (broker?: object) => Promise<{ readonly pool: readonly ReadingConnection[] }>;
  };
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  findBroker(node: { nodeId: number }): Promise<KafkajsBroker>;
  findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<KafkajsBroker>;
}

export interface KafkajsMetadata {
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly { readonly partitionId: number; readonly leader: number }[];
  }[];
}

interface TopicPartitions<P> {
  readonly topic: string;
  readonly partitions: readonly P[];
}

interface TransactionCall {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface KafkajsBroker {
  readonly nodeId: number;
  readonly connectionPool: { getConnection(index: number): Promise<KafkajsConnection> };
  disconnect(): Promise<void>;
  listOffsets(of: {
    replicaId: number;
    isolationLevel: number;
    topics: readonly TopicPartitions<{ partition: number; timestamp: number }>[];
  }): Promise<{ responses: readonly TopicPartitions<{ partition: number; offset: string }>[] }>;
  initProducerId(of: {
    transactionalId?: string;
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(of: TransactionCall & { topics: readonly TopicPartitions<number>[] }): Promise<unknown>;
  addOffsetsToTxn(of: TransactionCall & { groupId: string }): Promise<unknown>;
  txnOffsetCommit(
    of: TransactionCall & {
      groupId: string;
      topics: readonly TopicPartitions<{ partition: number; offset: string; metadata?: string }>[];
    },
  ): Promise<unknown>;
  endTxn(of: TransactionCall & { transactionResult: boolean }): Promise<unknown>;
  offsetFetch(of: {
    groupId: string;
    topics: readonly TopicPartitions<{ partition: number }>[];
  }): Promise<{ responses: readonly TopicPartitions<{ partition: number; offset: string }>[] }>;
  deleteRecords(of: {
    topics: readonly TopicPartitions<{ partition: number; offset: string }>[];
  }): Promise<{ topics: readonly TopicPartitions<{ partition: number; lowWatermark: { toString(): string } }>[] }>;
}

export interface KafkajsConnection {
  send<T>(call: {
    request: {
      apiKey: number;
      apiVersion: number;
      apiName: string;
      encode: () => Promise<{ buf: Buffer; buffer: Buffer }>;
    };
    response: { decode: (payload: Buffer) => Promise<T>; parse: (answer: T) => Promise<T> };
    requestTimeout?: number;
  }): Promise<T>;
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
  return cluster;
}

/** Every connection reads its answers in our way from its first byte on. */
function readOwnAnswers({ connectionPoolBuilder }: KafkajsCluster): void {
  const build = connectionPoolBuilder.build;
  connectionPoolBuilder.build = async (broker) => {
    const made = await build(broker);
    for (const connection of made.pool) readAnswers(connection);
    return made;
  };
}

export const READ_COMMITTED = 1;
const METADATA_MAX_AGE_MS = 300_000;
