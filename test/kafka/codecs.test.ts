import kafkajs, { type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { BUILT_IN_SCHEMAS } from '../../codec/built-in.ts';
import { TelemetryEncoder } from '../../codec/encode.ts';
import { withHeader } from '../../codec/wire.ts';
import { compress } from '../../runtime/log/kafka/wire/compression.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { live, POLL, type Running, run } from '../acceptance/running.ts';
import { describeKafka } from './describe-kafka.ts';
import { KafkaFolder } from './kafka-folder.ts';

const TIMEOUT = 180_000;
const START = Date.parse('2026-06-01T10:00:00Z');
const MINUTES = 40;
const UNKNOWN_ID = 4711;

/** Codecs that kafkajs leaves to others, by the number that the protocol gives them. */
const brought = { 2: 'snappy', 3: 'lz4', 4: 'zstd' } as const;
const codecs = ['none', 'gzip', ...Object.values(brought)];

const schemas = BUILT_IN_SCHEMAS.filter(({ subject }) => subject === 'telemetry');
const encoder = new TelemetryEncoder(kinds);

/** The same minutes of a Powerwall, whatever it is called. */
function readings(serial: string) {
  return Array.from({ length: MINUTES }, (_, minute) => {
    const deviceTime = START + minute * 60_000;
    const fields = { powerW: 500 + 10 * minute, soc: 0.8 - minute / 1000, gridStatus: 'SystemGridConnected' };
    return { serial, kind: 'powerwall', deviceTime, receiveTime: deviceTime, txid: `t${minute}`, fields };
  });
}

/** Every format with its values: JSON as it is, the others behind Confluent's header. */
const formats: readonly (readonly [name: string, valuesOf: (serial: string) => Buffer[]])[] = [
  ['json', (serial) => readings(serial).map((reading) => Buffer.from(JSON.stringify(reading)))],
  ...schemas.map((schema) => {
    const valuesOf = (serial: string) =>
      readings(serial).map((reading) => Buffer.from(withHeader(schema, encoder.encode(reading, schema.format))));
    return [schema.format, valuesOf] as const;
  }),
];

describeKafka('producers of every compression and every format', ({ bootstrap, unique }) => {
  let folder: KafkaFolder;
  let running: Running;
  let producer: Producer;
  let topic: string;

  beforeAll(async () => {
    for (const [type, codec] of Object.entries(brought)) {
      kafkajs.CompressionCodecs[Number(type) as keyof typeof brought] = () => ({
        compress: async ({ buffer }: { buffer: Buffer }) => compress(codec, buffer),
      });
    }
    const cluster = { brokers: await bootstrap(), prefix: unique('codecs'), partitions: 2 };
    topic = `${cluster.prefix}.telemetry`;
    folder = new KafkaFolder(cluster);
    running = await run(folder, '--no-sim');
    await live(running.url);
    const kafka = new kafkajs.Kafka({ brokers: [cluster.brokers], logLevel: kafkajs.logLevel.NOTHING });
    producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
  }, TIMEOUT);
  afterAll(async () => {
    await producer?.disconnect();
    running?.child.kill('SIGTERM');
    await running?.ended;
    folder?.remove();
  }, TIMEOUT);

  it(
    'say the same of an asset',
    async () => {
      const serials: string[] = [];
      for (const [compression, codec] of codecs.entries()) {
        for (const [format, valuesOf] of formats) {
          const serial = `PW-${codec}-${format}`;
          serials.push(serial);
          await producer.send({
            topic,
            compression,
            messages: valuesOf(serial).map((value) => ({ key: serial, value })),
          });
        }
      }
      const views = await Promise.all(
        serials.map((serial) =>
          vi.waitFor(async () => {
            const view = (await (await fetch(`${running.url}/v1/assets/${serial}`)).json()) as AssetView;
            expect(view).toMatchObject({ serial, values: { powerW: { value: 500 + 10 * (MINUTES - 1) } } });
            return { values: view.values, regions: view.regions };
          }, POLL),
        ),
      );
      for (const [i, view] of views.entries()) expect(view, serials[i]).toEqual(views[0]);
      expect((await fetch(`${running.url}/v1/settle`, { method: 'POST' })).status).toBe(200);
      // One row per asset of what each said: a single one where all are alike.
      const energies = await folder.sql(
        `SELECT count(*) AS assets, intervals, wh FROM (SELECT serial, count(*) AS intervals, sum(out_wh) AS wh
           FROM energy_intervals_current GROUP BY serial) GROUP BY ALL`,
      );
      expect(energies).toEqual([{ assets: serials.length, intervals: 3, wh: expect.any(Number) }]);
    },
    TIMEOUT,
  );

  it(
    'of a schema that nobody knows are dead letters, and the next record is folded',
    async () => {
      const [schema] = schemas;
      const [first, second] = readings('PW-later').map((reading) => encoder.encode(reading, schema.format));
      const values = [withHeader({ id: UNKNOWN_ID, format: schema.format }, first), withHeader(schema, second)];
      const messages = values.map((value) => ({ key: 'PW-later', value: Buffer.from(value) }));
      await producer.send({ topic, messages });
      await vi.waitFor(async () => expect((await fetch(`${running.url}/v1/assets/PW-later`)).status).toBe(200), POLL);
      const letters = await vi.waitFor(async () => {
        const found = await folder.json<{ reason: string; value: string }[]>('dead-letters');
        expect(found).toHaveLength(1);
        return found;
      }, POLL);
      expect(letters[0]).toMatchObject({ reason: 'unknown_schema', value: Buffer.from(values[0]).toString('base64') });
    },
    TIMEOUT,
  );
});
