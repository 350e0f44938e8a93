import type { Consumer, EachBatchPayload } from 'kafkajs';
import { VEHICLE_AS_BATTERY } from '../../codec/tesla/map.ts';
import { readTeslaMap } from '../../codec/tesla/map-file.ts';
import { TESLA_MESSAGES, type TeslaMessage } from '../../codec/tesla/messages.ts';
import { TeslaTranslator } from '../../codec/tesla/translator.ts';
import type { DecodedKind } from '../../codec/plan.ts';
import { REASONS } from '../../codec/reasons.ts';
import { type KafkaConnection, kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Config } from '../../runtime/system/config.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import type { Classify } from '../../api/http/ingest.ts';

export interface TeslaDoorOptions {
  readonly connection: KafkaConnection;
  /** Topics are `NAMESPACE_V`, `NAMESPACE_alerts` and so on, without our prefix. */
  readonly namespace: string;
  readonly translator: TeslaTranslator;
  readonly classify: Classify;
  readonly engine: Pick<Engine, 'produce' | 'refuse'>;
  /** Called once when the topics cannot be read any more. */
  readonly fail: (error: Error) => void;
}

export interface TeslaDoor {
  /** Ends after the batch in hand. */
  stop(): Promise<void>;
}

/** Between two heartbeats. */
const RECORDS_PER_APPEND = 500;

/**
 * The door of Tesla's fleet telemetry: reads its topics and appends what they say to our telemetry, keyed by VIN. A message is
 * passed on at least once; the fold takes a repetition for the duplicate that it is, so it counts once. Throws
 * `tesla_topics_missing` (fix-configuration) where there is none of the topics.
 */
export async function openTeslaDoor(options: TeslaDoorOptions): Promise<TeslaDoor> {
  const { connection, namespace, fail } = options;
  const kafka = kafkaClient(connection, { retries: Number.MAX_SAFE_INTEGER, maxRetryTime: 10_000 });
  const byTopic = new Map(TESLA_MESSAGES.map((message) => [`${namespace}_${message}`, message]));
  const admin = kafka.admin();
  await admin.connect();
  const there = await admin.listTopics().finally(() => admin.disconnect());
  const topics = [...byTopic.keys()].filter((topic) => there.includes(topic));
  if (topics.length === 0) {
    const names = [...byTopic.keys()].join(', ');
    throw new GridfoldError(
      'tesla_topics_missing',
      'fix-configuration',
      `there is none of the topics ${names}; correct tesla.namespace, or let fleet-telemetry create them`,
    );
  }
  connection.message('info', `Tesla's fleet telemetry is read from ${topics.join(', ')}`);
  const consumer = kafka.consumer({ groupId: `${connection.groupId}-${namespace}`, allowAutoTopicCreation: false });
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) fail(payload.error);
  });
  await start(consumer, topics, (batch) => pass(batch, byTopic.get(batch.batch.topic) as TeslaMessage, options));
  return {
    async stop() {
      await consumer.stop();
      await consumer.disconnect();
    },
  };
}

async function start(consumer: Consumer, topics: string[], eachBatch: (batch: EachBatchPayload) => Promise<void>) {
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({ eachBatch, eachBatchAutoResolve: false });
}

/** Passes a batch on in pieces; its offsets count once the log holds the records. */
async function pass(payload: EachBatchPayload, message: TeslaMessage, options: TeslaDoorOptions): Promise<void> {
  const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, isRunning, isStale } = payload;
  for (let from = 0; from < batch.messages.length; from += RECORDS_PER_APPEND) {
    if (!isRunning() || isStale()) return;
    const piece = batch.messages.slice(from, from + RECORDS_PER_APPEND);
    const records: { key: string; value: Uint8Array }[] = [];
    const letters: { value: Uint8Array; reason: string }[] = [];
    for (const { value, timestamp } of piece) {
      if (value === null) continue;
      const outcome = translate(message, value, Number(timestamp), options);
      if ('key' in outcome) records.push(outcome);
      else letters.push({ value, reason: outcome.reason });
    }
    if (records.length > 0) await options.engine.produce('telemetry', records);
    if (letters.length > 0) await options.engine.refuse(letters);
    resolveOffset((piece.at(-1) as { offset: string }).offset);
    await heartbeat();
    await commitOffsetsIfNecessary();
  }
}

/** Our record of a message, received when Tesla's server wrote it; or why it is none. */
function translate(
  message: TeslaMessage,
  value: Uint8Array,
  receiveTime: number,
  { translator, classify }: TeslaDoorOptions,
): { key: string; value: Uint8Array } | { reason: string } {
  const document = translator.document(message, value, 0, value.length);
  if (typeof document === 'number') return { reason: REASONS[document].code };
  const record = Buffer.from(JSON.stringify({ ...document, receiveTime }));
  const outcome = classify(record);
  return 'key' in outcome ? { key: outcome.key, value: record } : outcome;
}

/** The door as the configuration says; null where it names none. Throws `tesla_map_invalid` (fix-configuration) too. */
export async function teslaDoorOf(
  config: Config,
  kinds: readonly DecodedKind[],
  parts: Omit<TeslaDoorOptions, 'namespace' | 'translator'>,
): Promise<TeslaDoor | null> {
  const namespace = config['tesla.namespace'];
  if (namespace === null) return null;
  const file = config['tesla.fields'];
  const translator = new TeslaTranslator(kinds, file === null ? VEHICLE_AS_BATTERY : readTeslaMap(file));
  return openTeslaDoor({ ...parts, namespace, translator });
}
