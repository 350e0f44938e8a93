import { randomUUID } from 'node:crypto';
import kafkajs, { type EachBatchPayload, type KafkaMessage } from 'kafkajs';
import lz4 from 'lz4-napi';
import type { Extent, RecordBatch } from '../../../runtime/log/contract.ts';
import '../../../runtime/log/kafka/mend-kafkajs.ts';
import './hide-aborted.ts';

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => lz4.compressFrameSync(buffer),
  decompress: async (buffer: Buffer) => lz4.decompressFrameSync(buffer),
});

const READ_WITHIN_MS = 60_000;
const key = (topic: string, partition: number) => `${topic}/${partition}`;

/** All that readers of committed records see of some topics, held in memory; read as a log is. */
export class HeldLog {
  readonly partitions: number;
  readonly #batches: ReadonlyMap<string, readonly RecordBatch[]>;
  readonly #extents: ReadonlyMap<string, Extent>;

  constructor(
    partitions: number,
    batches: ReadonlyMap<string, readonly RecordBatch[]>,
    extents: ReadonlyMap<string, Extent>,
  ) {
    this.partitions = partitions;
    this.#batches = batches;
    this.#extents = extents;
  }

  async read(topic: string, partition: number, from: number): Promise<RecordBatch[]> {
    return (this.#batches.get(key(topic, partition)) ?? []).filter((b) => b.baseOffset + b.count > from);
  }

  extent(topic: string, partition: number): Extent {
    return this.#extents.get(key(topic, partition)) ?? { start: 0, end: 0 };
  }

  /** Offset after the last record, below the markers that may stand behind it. */
  afterLast(topic: string, partition: number): number {
    const last = this.#batches.get(key(topic, partition))?.at(-1);
    return last === undefined ? 0 : last.baseOffset + last.count;
  }

  count(topic: string): number {
    let records = 0;
    for (let p = 0; p < this.partitions; p++) {
      for (const { count } of this.#batches.get(key(topic, p)) ?? []) records += count;
    }
    return records;
  }

  get extents(): ReadonlyMap<string, Extent> {
    return this.#extents;
  }
}

export interface Source {
  /** `host:port` of each broker, with commas. */
  readonly bootstrap: string;
  readonly prefix: string;
  readonly partitions: number;
}

/** Where each topic begins, and up to where committed readers may read it, now. Topics are named without the prefix. */
export async function extentsOf({ bootstrap, prefix, partitions }: Source, names: readonly string[]) {
  const admin = client(bootstrap).admin();
  await admin.connect();
  const extents = new Map<string, Extent>();
  for (const name of names) {
    const offsets = await admin.fetchTopicOffsets(prefix + name);
    if (offsets.length !== partitions) throw new Error(`${name} has ${offsets.length} partitions, not ${partitions}`);
    for (const { partition, low, offset } of offsets) {
      extents.set(key(name, partition), { start: Number(low), end: Number(offset) });
    }
  }
  await admin.disconnect();
  return extents;
}

/** Reads the topics with kafkajs's own consumer, which shares no code with the log of the runtime. */
export async function holdLog(source: Source, names: readonly string[]): Promise<HeldLog> {
  const { bootstrap, prefix, partitions } = source;
  const extents = await extentsOf(source, names);
  const messages = new Map<string, KafkaMessage[]>([...extents].map(([place]) => [place, []]));
  const waitedFor = new Set([...extents].filter(([, { start, end }]) => end > start).map(([place]) => place));
  const consumer = client(bootstrap).consumer({
    groupId: `verify-${randomUUID()}`,
    readUncommitted: false,
    maxWaitTimeInMs: 100,
  });
  const place = (topic: string, partition: number) => key(topic.slice(prefix.length), partition);
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
    const at = place(topic, partition);
    if (Number(lastOffset) + 1 >= extents.get(at)!.end) waitedFor.delete(at);
    if (waitedFor.size === 0) done.resolve();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) done.reject(payload.error);
  });
  const timer = setTimeout(
    () => done.reject(new Error(`not read within ${READ_WITHIN_MS} ms: ${[...waitedFor]}`)),
    READ_WITHIN_MS,
  );
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: names.map((name) => prefix + name), fromBeginning: true });
    const eachBatch = async ({ batch }: EachBatchPayload) => {
      const { start, end } = extents.get(place(batch.topic, batch.partition))!;
      const list = messages.get(place(batch.topic, batch.partition))!;
      for (const message of batch.messages) {
        const offset = Number(message.offset);
        if (offset >= start && offset < end) list.push(message);
      }
    };
    if (waitedFor.size > 0) {
      await consumer.run({ autoCommit: false, eachBatch });
      await done.promise;
    }
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
  return new HeldLog(partitions, new Map([...messages].map(([at, list]) => [at, batchesOf(list)])), extents);
}

function client(bootstrap: string) {
  return new kafkajs.Kafka({ brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.NOTHING });
}

/** A batch for each stretch without a hole that was taken at one time: a fold sees the time. */
export function batchesOf(messages: readonly KafkaMessage[]): RecordBatch[] {
  const batches: RecordBatch[] = [];
  for (let from = 0; from < messages.length; ) {
    let to = from + 1;
    while (to < messages.length && isNext(messages[to - 1], messages[to])) to++;
    batches.push(pack(messages.slice(from, to)));
    from = to;
  }
  return batches;
}

function isNext(a: KafkaMessage, b: KafkaMessage): boolean {
  if (Number(b.offset) <= Number(a.offset)) throw new Error(`offset ${b.offset} was read after ${a.offset}`);
  return Number(b.offset) === Number(a.offset) + 1 && a.timestamp === b.timestamp;
}

function pack(messages: readonly KafkaMessage[]): RecordBatch {
  const count = messages.length;
  const [keyStart, keyEnd, valueStart, valueEnd] = Array.from({ length: 4 }, () => new Uint32Array(count));
  const parts: Buffer[] = [];
  let at = 0;
  const put = (bytes: Buffer | null): [number, number] => {
    const part = bytes ?? Buffer.alloc(0);
    parts.push(part);
    at += part.length;
    return [at - part.length, at];
  };
  messages.forEach((message, i) => {
    [keyStart[i], keyEnd[i]] = put(message.key);
    [valueStart[i], valueEnd[i]] = put(message.value);
  });
  const bytes = Buffer.concat(parts);
  const { offset, timestamp } = messages[0];
  return {
    baseOffset: Number(offset),
    count,
    timestamp: Number(timestamp),
    bytes,
    keyStart,
    keyEnd,
    valueStart,
    valueEnd,
  };
}
