import { type KafkajsConnection, protocolError } from './kafkajs.ts';
import { readInt64, Writer } from './writer.ts';

export interface ProduceTo {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

/** What the answer says of one partition. */
export interface Produced {
  readonly topic: string;
  readonly partition: number;
  readonly error: Error | null;
  /** Offset of the first record; -1 where the broker no longer knows (it had the batch already). */
  readonly baseOffset: number;
  readonly start: number;
}

const API_KEY = 0;
/** Since Kafka 2.1: knows every codec. */
const API_VERSION = 7;
const ALL_REPLICAS = -1;
const TIMEOUT_MS = 30_000;

/** Writes a batch to each partition; durable on all replicas in sync when it resolves. */
export function produce(
  connection: KafkajsConnection,
  transactionalId: string | null,
  parts: readonly ProduceTo[],
): Promise<Produced[]> {
  return connection.send({
    request: {
      apiKey: API_KEY,
      apiVersion: API_VERSION,
      apiName: 'Produce',
      encode: async () => request(transactionalId, parts),
    },
    response: { decode: async (payload) => response(payload), parse: async (produced) => produced },
  });
}

function request(transactionalId: string | null, parts: readonly ProduceTo[]): { buf: Buffer; buffer: Buffer } {
  const out = new Writer(parts.reduce((sum, { topic, batch }) => sum + batch.length + topic.length + 32, 64));
  out.string(transactionalId).int16(ALL_REPLICAS).int32(TIMEOUT_MS);
  const byTopic = Map.groupBy(parts, ({ topic }) => topic);
  out.int32(byTopic.size);
  for (const [topic, partitions] of byTopic) {
    out.string(topic).int32(partitions.length);
    for (const { partition, batch } of partitions) out.int32(partition).int32(batch.length).raw(batch);
  }
  const buffer = out.done();
  return { buf: buffer, buffer };
}

function response(payload: Buffer): Produced[] {
  const produced: Produced[] = [];
  const topics = payload.readInt32BE(0);
  let at = 4;
  for (let t = 0; t < topics; t++) {
    const nameEnd = at + 2 + payload.readInt16BE(at);
    const topic = payload.toString('utf8', at + 2, nameEnd);
    const partitions = payload.readInt32BE(nameEnd);
    at = nameEnd + 4;
    for (let p = 0; p < partitions; p++, at += 30) {
      const code = payload.readInt16BE(at + 4);
      produced.push({
        topic,
        partition: payload.readInt32BE(at),
        error: code === 0 ? null : protocolError(code),
        baseOffset: readInt64(payload, at + 6),
        start: readInt64(payload, at + 22),
      });
    }
  }
  return produced;
}
