import { kinds } from '../../actors/device/index.ts';
import { BUILT_IN_SCHEMAS } from '../../codec/built-in.ts';
import { TelemetryEncoder } from '../../codec/encode.ts';
import { type ResolvedSchema, withHeader } from '../../codec/wire.ts';
import { type AppendRecord, topics } from '../../runtime/log/contract.ts';
import type { KafkaConnection } from '../../runtime/log/kafka/connection.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { makeTopics } from '../../runtime/log/kafka/testing/test-log.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { type LoadOptions, referenceLoad } from '../reference-load.ts';

export type InputFormat = 'json' | 'protobuf';

/** The schema that the Protobuf values of an input name. */
export const protobufSchema = BUILT_IN_SCHEMAS.find(
  ({ format, subject }) => format === 'protobuf' && subject === 'telemetry',
) as ResolvedSchema;

/** Records that wait before they are handed to the log together. */
const BATCH_RECORDS = 8_000;

/** A connection whose topics and group have the prefix in their names; what it says goes nowhere. */
export function connectionTo(bootstrap: string, prefix: string): KafkaConnection {
  return {
    brokers: [bootstrap],
    clientId: 'gridfold-bench',
    topicPrefix: prefix,
    groupId: `${prefix}bench`,
    ssl: false,
    sasl: null,
    message: () => {},
  };
}

/** Makes the topics and writes the reference load into the one of the telemetry, each asset's into its partition. */
export async function writeInput(
  connection: KafkaConnection,
  partitions: number,
  format: InputFormat,
  load: LoadOptions,
): Promise<{ readonly records: number; readonly bytesPerRecord: number }> {
  await makeTopics(connection, partitions);
  const log = await openKafkaLog({ connection, partitions });
  const encode = encoderOf(format);
  let pending: AppendRecord[][] = [];
  let records = 0;
  let bytes = 0;
  const flush = async () => {
    await Promise.all(pending.map((list, p) => log.append(topics.telemetry, p, list)));
    pending = Array.from({ length: partitions }, () => []);
  };
  await flush();
  for (const { key: serial, value: json } of referenceLoad(load)) {
    const { key, partition } = homeOf(serial, partitions);
    const value = encode(json);
    pending[partition].push({ key, value });
    bytes += value.length;
    if (++records % BATCH_RECORDS === 0) await flush();
  }
  await flush();
  await log.close();
  return { records, bytesPerRecord: Math.round(bytes / records) };
}

function encoderOf(format: InputFormat): (json: Buffer) => Uint8Array {
  if (format === 'json') return (json) => json;
  const encoder = new TelemetryEncoder(kinds);
  return (json) => withHeader(protobufSchema, encoder.encode(JSON.parse(json.toString()), format));
}
