import type { Consumer } from 'kafkajs';
import { topics } from '../../runtime/log/contract.ts';
import { type KafkaConnection, kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { registerCodecs } from '../../runtime/log/kafka/wire/kafkajs-codecs.ts';

/** A consumer of committed derived events, as anybody's: how old is what caused each when it comes. */
export class DerivedWatch {
  readonly latencies: number[] = [];
  isMeasuring = false;
  readonly #consumer: Consumer;
  readonly #topic: string;
  readonly #sentAt: (partition: number, offset: number) => number | null;

  constructor(connection: KafkaConnection, sentAt: (partition: number, offset: number) => number | null) {
    const groupId = `${connection.groupId}-derived-${process.pid}`;
    this.#consumer = kafkaClient(connection).consumer({ groupId, maxWaitTimeInMs: 100, readUncommitted: false });
    this.#topic = connection.topicPrefix + topics.derived;
    this.#sentAt = sentAt;
  }

  async open(): Promise<void> {
    registerCodecs();
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message: { value } }) => {
        if (this.isMeasuring && value !== null) this.#note(value);
      },
    });
  }

  async close(): Promise<void> {
    await this.#consumer.disconnect();
  }

  #note(value: Buffer): void {
    const { id } = JSON.parse(value.toString()) as { id: string };
    const [topic, partition, offset] = id.split('-');
    if (topic !== topics.telemetry) return;
    const at = this.#sentAt(Number(partition), Number(offset));
    if (at !== null) this.latencies.push(Date.now() - at);
  }
}
