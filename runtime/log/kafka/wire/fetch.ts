import { Segment } from '../segment.ts';
import { type KafkajsConnection, protocolError, READ_COMMITTED } from './kafkajs.ts';
import { readInt64, Writer } from './writer.ts';

/** A partition to fetch from an offset on. */
export interface FetchFrom {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchBounds {
  /** How long the broker may wait for the first byte, ms. */
  readonly maxWaitMs: number;
  /** Of the whole answer, and of each partition; one batch comes in any case. */
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
}

/** What the answer says of one partition. `segment` is null where `error` is not. */
export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly error: Error | null;
  readonly start: number;
  /** What committed readers may read up to. */
  readonly end: number;
  readonly segment: Segment | null;
}

const API_KEY = 1;
/** Since Kafka 2.3. */
const API_VERSION = 11;
const NO_SESSION = -1;
const ANY_EPOCH = -1;
const CONSUMER = -1;
const GRACE_MS = 10_000;
const SMALL_PART = 8;

/** Fetches committed records. Throws kafkajs's errors of the connection; those of a partition are in its answer. */
export function fetch(
  connection: KafkajsConnection,
  wanted: readonly FetchFrom[],
  bounds: FetchBounds,
): Promise<Fetched[]> {
  return connection.send({
    request: {
      apiKey: API_KEY,
      apiVersion: API_VERSION,
      apiName: 'Fetch',
      encode: async () => request(wanted, bounds),
    },
    response: { decode: async (payload) => response(payload, wanted), parse: async (fetched) => fetched },
    requestTimeout: bounds.maxWaitMs + GRACE_MS,
  });
}

function request(wanted: readonly FetchFrom[], bounds: FetchBounds): { buf: Buffer; buffer: Buffer } {
  const out = new Writer(64 + wanted.length * 40);
  out.int32(CONSUMER).int32(bounds.maxWaitMs).int32(1).int32(bounds.maxBytes).int8(READ_COMMITTED);
  out.int32(0).int32(NO_SESSION);
  const byTopic = Map.groupBy(wanted, ({ topic }) => topic);
  out.int32(byTopic.size);
  for (const [topic, partitions] of byTopic) {
    out.string(topic).int32(partitions.length);
    for (const { partition, offset } of partitions) {
      out.int32(partition).int32(ANY_EPOCH).int64(offset).int64(-1).int32(bounds.maxPartitionBytes);
    }
  }
  out.int32(0).string('');
  const buffer = out.done();
  return { buf: buffer, buffer };
}

function response(payload: Buffer, wanted: readonly FetchFrom[]): Fetched[] {
  const offsets = new Map(wanted.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  const code = payload.readInt16BE(4);
  if (code !== 0) throw protocolError(code);
  const fetched: Fetched[] = [];
  let at = 10;
  const topics = payload.readInt32BE(at);
  at += 4;
  for (let t = 0; t < topics; t++) {
    const nameEnd = at + 2 + payload.readInt16BE(at);
    const topic = payload.toString('utf8', at + 2, nameEnd);
    const partitions = payload.readInt32BE(nameEnd);
    at = nameEnd + 4;
    for (let p = 0; p < partitions; p++) at = readPartition(payload, at, topic, offsets, fetched);
  }
  return fetched;
}

function readPartition(
  payload: Buffer,
  at: number,
  topic: string,
  offsets: ReadonlyMap<string, number>,
  into: Fetched[],
): number {
  const partition = payload.readInt32BE(at);
  const code = payload.readInt16BE(at + 4);
  const end = readInt64(payload, at + 14);
  const start = readInt64(payload, at + 22);
  const aborted = payload.readInt32BE(at + 30);
  let to = at + 34;
  const transactions = [];
  for (let i = 0; i < aborted; i++, to += 16) {
    transactions.push({ producerId: readInt64(payload, to), firstOffset: readInt64(payload, to + 8) });
  }
  to += 4;
  const size = Math.max(0, payload.readInt32BE(to));
  to += 4;
  const from = offsets.get(`${topic}/${partition}`) ?? 0;
  const answer = { topic, partition, start, end };
  try {
    if (code !== 0) throw protocolError(code);
    into.push({ ...answer, error: null, segment: new Segment(owned(payload, to, to + size), from, transactions) });
  } catch (error) {
    into.push({ ...answer, error: error as Error, segment: null });
  }
  return to + size;
}

/** Copies what is a small part of the answer, so that a slow reader does not hold the whole of it. Copies make the collector work. */
function owned(payload: Buffer, from: number, to: number): Buffer {
  const bytes = payload.subarray(from, to);
  return (to - from) * SMALL_PART >= payload.length ? bytes : Buffer.from(bytes);
}
