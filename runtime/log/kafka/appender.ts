import type { AppendRecord, Extent } from '../contract.ts';
import { chunkEnds } from './chunks.ts';
import type { Compression } from './connection.ts';
import type { Extents } from './extents.ts';
import { closed, refused, typeOf } from './failures.ts';
import type { Link } from './link.ts';
import { initIdempotent, type ProducerId } from './producer-id.ts';
import { type Produced, type ProduceTo, produce } from './wire/produce.ts';
import { encodeBatch, encodeBody, wireSize } from './wire/record-set.ts';

export interface AppenderOptions {
  readonly link: Link;
  readonly extents: Extents;
  readonly compression: Compression;
  /** Bytes of records that may wait to be written; further callers wait. */
  readonly maxQueueBytes: number;
  readonly now: () => number;
}

interface Call {
  readonly records: readonly AppendRecord[];
  readonly bytes: number;
  readonly done: (extent: Extent) => void;
  readonly failed: (error: unknown) => void;
}

/** One partition's writer: its calls in order, one request at a time. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly calls: Call[];
  producer: ProducerId | null;
  sequence: number;
  isRunning: boolean;
}

const MAX_SEQUENCE = 0x7fff_ffff;

/**
 * Appends to inputs: what arrives while a request is under way goes into the next one. A request is repeated until it is
 * answered; the producer's sequence numbers keep it from being written twice.
 */
export class Appender {
  readonly counts = { appendedRecords: 0, appendedBytes: 0 };
  readonly #options: AppenderOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting: (() => void)[] = [];
  #queuedBytes = 0;
  #isClosing = false;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get waitingCallers(): number {
    return this.#waiting.length;
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Extent> {
    if (this.#isClosing) throw closed();
    const bytes = records.reduce((sum, record) => sum + wireSize(record), 0);
    while (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#options.maxQueueBytes) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.#isClosing) throw closed();
    }
    this.#queuedBytes += bytes;
    const lane = this.#lane(topic, partition);
    const written = new Promise<Extent>((done, failed) => lane.calls.push({ records, bytes, done, failed }));
    if (!lane.isRunning) void this.#run(lane);
    return written;
  }

  /** Resolves when everything accepted is written or has failed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const wake of this.#waiting.splice(0)) wake();
    while ([...this.#lanes.values()].some((lane) => lane.isRunning)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #run(lane: Lane): Promise<void> {
    lane.isRunning = true;
    // Calls of the same turn go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (lane.calls.length > 0) {
      const calls = takeTogether(lane.calls);
      try {
        await this.#write(lane, calls);
      } catch (error) {
        for (const call of calls) call.failed(error);
      }
      this.#queuedBytes -= calls.reduce((sum, { bytes }) => sum + bytes, 0);
      for (const wake of this.#waiting.splice(0)) wake();
    }
    lane.isRunning = false;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #write(lane: Lane, calls: readonly Call[]): Promise<void> {
    const { topic, partition } = lane;
    const records = calls.flatMap((call) => call.records);
    const starts: number[] = [];
    let from = 0;
    for (const to of chunkEnds(records)) {
      const baseOffset = await this.#writeBatch(lane, records, from, to);
      for (let i = from; i < to; i++) starts.push(baseOffset + i - from);
      from = to;
    }
    let first = 0;
    for (const { records: own, done } of calls) {
      done({ start: starts[first], end: starts[first + own.length - 1] + 1 });
      first += own.length;
    }
    const end = starts[starts.length - 1] + 1;
    this.#options.extents.observe(topic, partition, 0, end);
    this.counts.appendedRecords += records.length;
    this.counts.appendedBytes += calls.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Writes records `[from, to)` as one batch and returns the offset of the first. */
  async #writeBatch(lane: Lane, records: readonly AppendRecord[], from: number, to: number): Promise<number> {
    const { link, compression, now } = this.#options;
    const { topic, partition } = lane;
    const body = await encodeBody(records, from, to, compression);
    const timestamp = now();
    let isFirstTry = true;
    return link.persist(`writing ${topic}/${partition}`, async () => {
      lane.producer ??= await initIdempotent(link, lane);
      const identity = { ...lane.producer, sequence: lane.sequence, isTransactional: false };
      const batch = encodeBatch(body, identity, timestamp);
      const wasFirst = isFirstTry;
      isFirstTry = false;
      const { error, baseOffset } = await this.#send({ topic, partition, batch });
      if (error !== null) {
        // Known to be unwritten: the broker has forgotten this producer, another takes its place.
        if (wasFirst && forgotten.has(typeOf(error) ?? '')) {
          lane.producer = null;
          lane.sequence = 0;
          isFirstTry = true;
          throw Object.assign(error, { retriable: true });
        }
        throw forgotten.has(typeOf(error) ?? '') ? unknownOutcome(lane, error) : error;
      }
      lane.sequence = (lane.sequence + to - from) % (MAX_SEQUENCE + 1);
      return baseOffset;
    });
  }

  async #send(part: ProduceTo): Promise<Produced> {
    const { link } = this.#options;
    const broker = await link.leader(part.topic, part.partition);
    const [produced] = await link.on(broker, 'calls', (connection) => produce(connection, null, [part]));
    return produced;
  }

  #lane(topic: string, partition: number): Lane {
    const key = `${topic}/${partition}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const made: Lane = { topic, partition, calls: [], producer: null, sequence: 0, isRunning: false };
    this.#lanes.set(key, made);
    return made;
  }
}

const forgotten = new Set(['UNKNOWN_PRODUCER_ID', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'INVALID_PRODUCER_ID_MAPPING']);

function unknownOutcome({ topic, partition }: Lane, error: unknown): Error {
  return refused(`to say whether records of ${topic}/${partition} were written; they may be there`, error);
}

/** The first calls that go into one request: together below a batch, one at the least. */
function takeTogether(calls: Call[]): Call[] {
  let bytes = 0;
  let count = 0;
  while (count < calls.length && (count === 0 || bytes + calls[count].bytes <= MAX_TOGETHER_BYTES)) {
    bytes += calls[count].bytes;
    count += 1;
  }
  return calls.splice(0, count);
}

const MAX_TOGETHER_BYTES = 1_000_000;
