import { coordinators } from './link.ts';
import { type Part, PartWriter, type TransactionOptions } from './part-writer.ts';
import { settled } from './settled.ts';

/** Offsets of a consumer group, written with the transaction. */
export interface GroupOffsets {
  readonly groupId: string;
  readonly partition: number;
  /** By topic, the next offset. */
  readonly next: ReadonlyMap<string, number>;
}

/** How the broker knows the producer. */
interface Ids {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

const MARK = Buffer.from('claim');

/**
 * The transactions of one producer, one after the other. Every call is repeated until it is answered, since each may
 * be: sequence numbers cover the records, and the rest says the same however often it is said. A transaction takes
 * three turns, each of them begun only when all of the one before was confirmed: what will be written to is told to the
 * coordinator; it is written; the end is asked for. Calls of one turn go side by side, as neither needs the other.
 * Whoever was fenced meanwhile hears so from each of the calls.
 */
export class TransactionalProducer {
  readonly #options: TransactionOptions;
  readonly #writer: PartWriter;

  constructor(options: TransactionOptions) {
    this.#options = options;
    this.#writer = new PartWriter(options);
  }

  /**
   * Returns by part the offset of its last record. Throws the errors of {@link Link.persist}, when nothing of the
   * transaction is under way any more.
   */
  async run(parts: readonly Part[], offsets: GroupOffsets | null): Promise<number[]> {
    for (const { topic } of parts) await this.#options.link.know(topic);
    const group = offsets === null || offsets.next.size === 0 ? null : offsets;
    await settled([this.#addParts(parts), group && this.#addOffsets(group)]);
    const [lastOffsets] = await settled([this.#writer.write(parts), group && this.#writeOffsets(group)]);
    await this.#end(true);
    return lastOffsets;
  }

  /**
   * Writes to the end of a partition and gives that up again, unseen by readers of committed records. Returns its offset:
   * it was confirmed by the replicas, so that whoever leads them has everything that was committed before it.
   */
  async mark(topic: string, partition: number): Promise<number> {
    await this.#options.link.know(topic);
    const parts = [{ topic, partition, records: [{ key: null, value: MARK }] }];
    await this.#addParts(parts);
    const [offset] = await this.#writer.write(parts);
    await this.#end(false);
    return offset;
  }

  /** Gives up what was written since the last end. */
  async abort(): Promise<void> {
    await this.#end(false);
  }

  async #addParts(parts: readonly Part[]): Promise<void> {
    const byTopic = Map.groupBy(parts, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, list]) => ({ topic, partitions: list.map(({ partition }) => partition) }));
    await this.#call('adding partitions', async (ids) =>
      (await this.#coordinator()).addPartitionsToTxn({ ...ids, topics }),
    );
  }

  async #addOffsets({ groupId }: GroupOffsets): Promise<void> {
    await this.#call('adding offsets', async (ids) => (await this.#coordinator()).addOffsetsToTxn({ ...ids, groupId }));
  }

  async #writeOffsets({ groupId, partition, next }: GroupOffsets): Promise<void> {
    const { link } = this.#options;
    const topics = [...next].map(([topic, offset]) => ({
      topic,
      partitions: [{ partition, offset: String(offset), metadata: '' }],
    }));
    await this.#call('writing offsets', async (ids) => {
      const broker = await link.coordinator(groupId, coordinators.group);
      return broker.txnOffsetCommit({ ...ids, groupId, topics });
    });
  }

  async #end(transactionResult: boolean): Promise<void> {
    await this.#call('ending', async (ids) => (await this.#coordinator()).endTxn({ ...ids, transactionResult }));
  }

  #coordinator() {
    return this.#options.link.coordinator(this.#options.transactionalId, coordinators.transaction);
  }

  #call(what: string, call: (ids: Ids) => Promise<unknown>): Promise<unknown> {
    const { link, transactionalId, producer } = this.#options;
    const ids = { transactionalId, producerId: String(producer.producerId), producerEpoch: producer.producerEpoch };
    return link.persist(`${what} of ${transactionalId}`, () => call(ids));
  }
}
