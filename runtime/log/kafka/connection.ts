import type { ConnectionOptions } from 'node:tls';
import kafkajs, { type ISocketFactory, type Kafka, type RetryOptions, type SASLOptions } from 'kafkajs';
import './mend-kafkajs.ts';

/** Codecs of record batches. */
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** How to reach a Kafka cluster, and what ours is called there. */
export interface KafkaConnection {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Put before the name of every topic. */
  readonly topicPrefix: string;
  /** Consumer group; with the journal's name and partition it makes the transactional ids. */
  readonly groupId: string;
  readonly ssl: ConnectionOptions | false;
  readonly sasl: SASLOptions | null;
  /** Of what is written; absent: none. Everything can be read. */
  readonly compression?: Compression;
  readonly message: (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, unknown>) => void;
}

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * A kafkajs client of the cluster; it connects when it is used, by `socketFactory` where it is named. What kafkajs has
 * to say goes to `message`.
 */
export function kafkaClient(connection: KafkaConnection, retry?: RetryOptions, socketFactory?: ISocketFactory): Kafka {
  const { brokers, clientId, ssl, sasl, message } = connection;
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    retry,
    socketFactory,
    ssl,
    sasl: sasl ?? undefined,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ level, log: { message: text, ...fields } }) =>
        message(level === kafkajs.logLevel.ERROR ? 'error' : 'warn', text, { kafkajs: true, ...fields }),
  });
}
