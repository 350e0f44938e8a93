/** What is used here of kafkajs 2.2.4 below its public types: metadata, the calls of a broker, its connections. */

export interface KafkajsMetadata {
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly partitionErrorCode: number;
      /** Below 0 while there is none. */
      readonly leader: number;
    }[];
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
  findGroupCoordinator(of: {
    groupId: string;
    coordinatorType: number;
  }): Promise<{ readonly coordinator: { readonly nodeId: number } }>;
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
