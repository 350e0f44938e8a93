import { chunkEnds } from './chunks.ts';
import type { Compression } from './connection.ts';
import { weightiest } from './failures.ts';
import { type Link, passing } from './link.ts';
import type { ProducerId } from './producer-id.ts';
import { settled } from './settled.ts';
import { type Produced, type ProduceTo, produce } from './wire/produce.ts';
import { type Body, encodeBatch, encodeBody, type WireRecord } from './wire/record-set.ts';

/** Records for one partition, in order. */
export interface Part {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly WireRecord[];
}

export interface TransactionOptions {
  readonly link: Link;
  readonly compression: Compression;
  readonly transactionalId: string;
  readonly producer: ProducerId;
  readonly now: () => number;
}

const MAX_SEQUENCE = 0x7fff_ffff;

/** What is still to be written of a round, and by part the offset of the last record that was. */
interface Round {
  readonly parts: readonly Part[];
  /** By index of the part. */
  readonly bodies: Map<number, Body>;
  readonly lastOffsets: number[];
}

/** Writes the records of a producer's transactions, under sequence numbers that keep a repeated batch from counting twice. */
export class PartWriter {
  readonly #options: TransactionOptions;
  readonly #sequences = new Map<string, number>();

  constructor(options: TransactionOptions) {
    this.#options = options;
  }

  /** Rounds of one batch per partition, until all is written. Returns by part the offset of its last record. */
  async write(parts: readonly Part[]): Promise<number[]> {
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
      await this.#writeRound({ parts, bodies, lastOffsets });
    }
    return lastOffsets;
  }

  /** Sends what is not confirmed yet to its leaders, side by side, until everything is. */
  async #writeRound(round: Round): Promise<void> {
    const { link, now, transactionalId } = this.#options;
    const timestamp = now();
    await link.persist(`writing of ${transactionalId}`, async () => {
      const leaderOf = (i: number) => link.leaderOf(round.parts[i].topic, round.parts[i].partition);
      const byLeader = [...Map.groupBy(round.bodies.keys(), leaderOf)];
      await settled(byLeader.map(([node, indices]) => this.#writeTo(node, indices, round, timestamp)));
    });
  }

  async #writeTo(node: number | null, indices: readonly number[], round: Round, timestamp: number): Promise<void> {
    if (node === null) throw passing('a partition has no leader');
    const { parts, bodies } = round;
    const batches = indices.map((i) => this.#batch(parts[i], bodies.get(i) as Body, timestamp));
    const failures: Error[] = [];
    for (const produced of await this.#send(node, batches)) {
      const at = indices.find((i) => parts[i].topic === produced.topic && parts[i].partition === produced.partition);
      if (at === undefined) continue;
      if (produced.error === null) this.#confirm(at, round, produced);
      else failures.push(produced.error);
    }
    if (failures.length > 0) throw weightiest(failures);
  }

  #batch({ topic, partition }: Part, body: Body, timestamp: number): ProduceTo {
    const { producer } = this.#options;
    const sequence = this.#sequences.get(`${topic}/${partition}`) ?? 0;
    return { topic, partition, batch: encodeBatch(body, { ...producer, sequence, isTransactional: true }, timestamp) };
  }

  #confirm(at: number, { parts, bodies, lastOffsets }: Round, produced: Produced): void {
    const { count } = bodies.get(at) as Body;
    const key = `${parts[at].topic}/${parts[at].partition}`;
    this.#sequences.set(key, ((this.#sequences.get(key) ?? 0) + count) % (MAX_SEQUENCE + 1));
    lastOffsets[at] = produced.baseOffset + count - 1;
    bodies.delete(at);
  }

  async #send(node: number, batches: readonly ProduceTo[]): Promise<Produced[]> {
    const { link, transactionalId } = this.#options;
    const broker = await link.broker(node);
    return link.on(broker, 'calls', (connection) => produce(connection, transactionalId, batches));
  }
}
