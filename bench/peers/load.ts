/**
 * Writes the reference load into a topic, creating it first.
 *
 *   node bench/peers/load.ts --brokers localhost:9092 --topic telemetry [--assets 10000] [--steps 100]
 *     [--partitions 4] [--compression none|gzip|lz4|zstd]
 */
import { parseArgs } from 'node:util';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs, { type Message } from 'kafkajs';
import lz4 from 'lz4-napi';
import { homeOf } from '../../runtime/system/assets.ts';
import { referenceLoad } from '../reference-load.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

/** Records of one send, over all partitions. */
const SEND_RECORDS = 4000;

const COMPRESSIONS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

const codec = (compress: (bytes: Buffer) => Buffer, decompress: (bytes: Buffer) => Buffer) => () => ({
  compress: async (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer),
  decompress: async (bytes: Buffer) => decompress(bytes),
});
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compressFrameSync, lz4.decompressFrameSync);
CompressionCodecs[CompressionTypes.ZSTD] = codec(zstdCompressSync, zstdDecompressSync);

export interface LoadTopicOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly partitions: number;
  readonly assets: number;
  /** Readings per asset. */
  readonly steps: number;
  readonly compression: keyof typeof COMPRESSIONS;
}

/** Returns the number of records written. */
export async function loadTopic(options: LoadTopicOptions): Promise<number> {
  const { brokers, topic, partitions, assets, steps, compression } = options;
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'gridfold-load', logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  let messages: Message[] = [];
  let records = 0;
  const send = async () => {
    await producer.send({ topic, messages, acks: 1, compression: COMPRESSIONS[compression] });
    messages = [];
  };
  for (const { key, value } of referenceLoad({ assets, steps })) {
    messages.push({ key, value, partition: homeOf(key, partitions).partition });
    if (++records % SEND_RECORDS === 0) await send();
  }
  await send();
  await producer.disconnect();
  return records;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string', default: 'localhost:9092' },
      topic: { type: 'string', default: 'telemetry' },
      partitions: { type: 'string', default: '4' },
      assets: { type: 'string', default: '10000' },
      steps: { type: 'string', default: '100' },
      compression: { type: 'string', default: 'none' },
    },
  });
  const { brokers, topic, compression } = values;
  if (!(compression in COMPRESSIONS))
    throw new Error(`--compression is one of ${Object.keys(COMPRESSIONS).join(', ')}`);
  const records = await loadTopic({
    brokers,
    topic,
    partitions: Number(values.partitions),
    assets: Number(values.assets),
    steps: Number(values.steps),
    compression: compression as keyof typeof COMPRESSIONS,
  });
  console.log(JSON.stringify({ topic, records }));
}
