import type { Compression } from './connection.ts';
import { chunkEnds } from './chunks.ts';
import { coordinators, type Link, passing } from './link.ts';
import type { ProducerId } from './producer-id.ts';
import { type Produced, type ProduceTo, produce } from './wire/produce.ts';
import { type Body, encodeBatch, encodeBody, type WireRecord } from './wire/record-set.ts';

/** Records for one partition, in order. */
export interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly WireRecord[];
}

/** Offsets of a consumer group, written with the transaction. */
export interface GroupOffsets {
  readonly groupId: string;
  readonly partition: number;
  /** By topic, the next offset. */
  readonly next: ReadonlyMap<string, number>;
}

export interface TransactionOptions {
  readonly link: Link;
  readonly compression: Compression;
  readonly transactionalId: string;
  readonly producer: ProducerId;
  readonly now: () => number;
}

const MAX_SEQUENCE = 0x7fff_ffff;

/**
 * The transactions of one producer, one after the other. Every call is repeated until it is answered, since each may
 * be: sequence numbers cover the records, and the rest says the same however often it is said. The end is asked for
 * only when everything before was confirmed; whoever was fenced meanwhile hears so from each of the calls.
 */
export class TransactionalProducer {
  readonly #options: TransactionOptions;
  readonly #sequences = new Map<string, number>();

  constructor(options: TransactionOptions) {
    this.#options = options;
  }

  /** Returns by part the offset of its last record. Throws the errors of {@link Link.persist}. */
  async run(parts: readonly Part[], offsets: GroupOffsets | null): Promise<number[]> {
    for (const { topic } of parts) await this.#options.link.know(topic);
    await this.#call('adding partitions', (ids) =>
      this.#coordinator().then((b) => b.addPartitionsToTxn({ ...ids, topics: topicsOf(parts) })),
    );
    const lastOffsets = await this.#write(parts);
    if (offsets !== null && offsets.next.size > 0) await this.#writeOffsets(offsets);
    await this.#end(true);
    return lastOffsets;
  }

  /** Gives up what was written since the last end. */
  async abort(): Promise<void> {
    await this.#end(false);
  }

  async #end(transactionResult: boolean): Promise<void> {
    await this.#call('ending', (ids) => this.#coordinator().then((b) => b.endTxn({ ...ids, transactionResult })));
  }

  /** Rounds of one batch per partition, until all is written. */
  async #write(parts: readonly Part[]): Promise<number[]> {
    const { compression } = this.#options;
    const lastOffsets = parts.map(() => -1);
    const ends = parts.map(({ records }) => chunkEnds(records));
    const rounds = Math.max(...ends.map((list) => list.length));
    for (let round = 0; round < rounds; round++) {
      const bodies = new Map<number, Body>();
      for (const [i, { records }] of parts.entries()) {
        if (round >= ends[i].length) continue;
        const from = round === 0 ? 0 : ends[i][round - 1];
        bodies.set(i, await encodeBody(records, from, ends[i][round], compression));
      }
      await this.#writeRound(parts, bodies, lastOffsets);
    }
    return lastOffsets;
  }

  /** Sends what is not confirmed yet to its leaders, until everything is. */
  async #writeRound(parts: readonly Part[], bodies: Map<number, Body>, lastOffsets: number[]): Promise<void> {
    const { link, now } = this.#options;
    const timestamp = now();
    await this.#persist('writing', async () => {
      const byLeader = Map.groupBy(bodies.keys(), (i) => link.leaderOf(parts[i].topic, parts[i].partition));
      let failure: Error | null = null;
      for (const [node, indices] of byLeader) {
        if (node === null) throw passing('a partition has no leader');
        const batches = indices.map((i) => this.#batch(parts[i], bodies.get(i) as Body, timestamp));
        for (const produced of await this.#send(node, batches)) {
          const at = indices.find(
            (i) => parts[i].topic === produced.topic && parts[i].partition === produced.partition,
          );
          if (at === undefined) continue;
          if (produced.error !== null) failure = produced.error;
          else this.#confirm(parts[at], at, bodies, produced, lastOffsets);
        }
      }
      if (failure !== null) throw failure;
    });
  }

  #batch({ topic, partition }: Part, body: Body, timestamp: number): ProduceTo {
    const { producer } = this.#options;
    const sequence = this.#sequences.get(`${topic}/${partition}`) ?? 0;
    return { topic, partition, batch: encodeBatch(body, { ...producer, sequence, isTransactional: true }, timestamp) };
  }

  #confirm(part: Part, at: number, bodies: Map<number, Body>, produced: Produced, lastOffsets: number[]): void {
    const { count } = bodies.get(at) as Body;
    const key = `${part.topic}/${part.partition}`;
    this.#sequences.set(key, ((this.#sequences.get(key) ?? 0) + count) % (MAX_SEQUENCE + 1));
    lastOffsets[at] = produced.baseOffset + count - 1;
    bodies.delete(at);
  }

  async #send(node: number, batches: readonly ProduceTo[]): Promise<Produced[]> {
    const { link, transactionalId } = this.#options;
    const broker = await link.broker(node);
    return link.on(broker, 'calls', (connection) => produce(connection, transactionalId, batches));
  }

  async #writeOffsets({ groupId, partition, next }: GroupOffsets): Promise<void> {
    const { link } = this.#options;
    await this.#call('adding offsets', (ids) =>
      this.#coordinator().then((b) => b.addOffsetsToTxn({ ...ids, groupId })),
    );
    const topics = [...next].map(([topic, offset]) => ({
      topic,
      partitions: [{ partition, offset: String(offset), metadata: '' }],
    }));
    await this.#call('writing offsets', async (ids) => {
      const broker = await link.coordinator(groupId, coordinators.group);
      return broker.txnOffsetCommit({ ...ids, groupId, topics });
    });
  }

  #coordinator() {
    return this.#options.link.coordinator(this.#options.transactionalId, coordinators.transaction);
  }

  #call(
    what: string,
    call: (ids: { transactionalId: string; producerId: string; producerEpoch: number }) => Promise<unknown>,
  ): Promise<unknown> {
    const { transactionalId, producer } = this.#options;
    const ids = { transactionalId, producerId: String(producer.producerId), producerEpoch: producer.producerEpoch };
    return this.#persist(what, () => call(ids));
  }

  #persist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    return this.#options.link.persist(`${what} of ${this.#options.transactionalId}`, attempt);
  }
}

function topicsOf(parts: readonly Part[]): { topic: string; partitions: number[] }[] {
  const byTopic = Map.groupBy(parts, ({ topic }) => topic);
  return [...byTopic].map(([topic, list]) => ({ topic, partitions: list.map(({ partition }) => partition) }));
}
