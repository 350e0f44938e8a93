import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { Door } from '../../codec/door.ts';
import { VEHICLE_AS_BATTERY } from '../../codec/tesla/map.ts';
import { readTeslaMap } from '../../codec/tesla/map-file.ts';
import type { TeslaMessage } from '../../codec/tesla/messages.ts';
import { encodeTesla, stamp } from '../../codec/tesla/testing/encode.ts';
import { TeslaTranslator } from '../../codec/tesla/translator.ts';
import { type KafkaConnection, kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { describeKafka } from '../../test/kafka/describe-kafka.ts';
import { openTeslaDoor, type TeslaDoor } from './tesla.ts';
import { createLedTopics } from '../../runtime/log/kafka/testing/led-topics.ts';

const at = Date.parse('2026-01-01T00:00:00Z');

describeKafka("the door of Tesla's fleet telemetry", ({ bootstrap, unique }) => {
  let connection: KafkaConnection;
  let producer: Producer;
  let namespace: string;
  let door: TeslaDoor | null = null;
  let records: { key: string; record: Record<string, unknown> }[];
  let letters: string[];
  let produce: () => Promise<void>;
  const said: string[] = [];
  let tests = 0;

  beforeAll(async () => {
    const message: KafkaConnection['message'] = (_, text) => said.push(text);
    const brokers = [await bootstrap()];
    connection = { brokers, clientId: 'test', topicPrefix: '', groupId: '', ssl: false, sasl: null, message };
    producer = kafkaClient(connection).producer({ allowAutoTopicCreation: false });
    await producer.connect();
  }, 60_000);
  afterAll(async () => {
    await door?.stop();
    await producer?.disconnect();
  });
  beforeEach(async () => {
    await door?.stop();
    door = null;
    namespace = unique(`tesla${++tests}`);
    connection = { ...connection, groupId: unique(`group${tests}`) };
    records = [];
    letters = [];
    produce = async () => {};
  });

  async function createTopics(...messages: TeslaMessage[]): Promise<void> {
    const admin = kafkaClient(connection).admin();
    await admin.connect();
    await createLedTopics(
      admin,
      messages.map((one) => ({ topic: `${namespace}_${one}`, numPartitions: 1 })),
    );
    await admin.disconnect();
  }
  const send = (message: TeslaMessage, ...values: Uint8Array[]) =>
    producer.send({
      topic: `${namespace}_${message}`,
      messages: values.map((value) => ({ key: 'V1', value: Buffer.from(value), timestamp: String(at + 1_000) })),
    });
  async function openDoor(): Promise<void> {
    const checked = new Door(kinds);
    door = await openTeslaDoor({
      connection,
      namespace,
      translator: new TeslaTranslator(kinds, VEHICLE_AS_BATTERY),
      classify: (line) => {
        const outcome = checked.classify(line, 0, line.length, at + 60_000);
        return 'topic' in outcome ? { topic: outcome.topic, key: Buffer.from(outcome.key).toString() } : outcome;
      },
      engine: {
        async produce(_, batch) {
          await produce();
          for (const { key, value } of batch) records.push({ key, record: JSON.parse(Buffer.from(value).toString()) });
          return [];
        },
        async refuse(lines) {
          for (const { reason } of lines) letters.push(reason);
        },
      },
      fail: (error) => said.push(`failed: ${error.message}`),
    });
  }
  const payload = (soc: number, ms = at) =>
    encodeTesla('V', { vin: 'V1', createdAt: stamp(ms), data: [{ key: 8, value: { float: soc } }] });
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 50 });

  test('passes messages on as our records, and sets aside what is none', { timeout: 60_000 }, async () => {
    await createTopics('V', 'alerts');
    await send('V', payload(50), Buffer.from([0xff]), encodeTesla('V', { createdAt: stamp(at), data: [] }));
    await send('alerts', encodeTesla('alerts', { vin: 'V1', createdAt: stamp(at), alerts: [{ name: 'A' }] }));
    await openDoor();
    await soon(() => expect([records.length, letters.length]).toEqual([2, 2]));
    const common = { serial: 'V1', kind: 'powerwall', deviceTime: at, receiveTime: at + 1_000 };
    const alerts = [{ name: 'A', startedAt: null, endedAt: null }];
    expect(records).toContainEqual({ key: 'V1', record: { ...common, fields: { soc: 0.5 } } });
    expect(records).toContainEqual({ key: 'V1', record: { ...common, fields: { alerts } } });
    expect(letters.sort()).toEqual(['missing_serial', 'undecodable']);
  });

  test('goes on where it stopped, and repeats what was not taken', { timeout: 60_000 }, async () => {
    await createTopics('V');
    await send('V', payload(1, at + 1), payload(2, at + 2));
    await openDoor();
    await soon(() => expect(records.length).toBe(2));
    await door?.stop();
    let failures = 2;
    produce = async () => {
      if (failures-- > 0) throw new Error('the log is behind');
    };
    await send('V', payload(3, at + 3));
    await openDoor();
    await soon(() => expect(records.length).toBe(3));
    expect(records.map(({ record }) => record.deviceTime)).toEqual([at + 1, at + 2, at + 3]);
    expect(failures).toBeLessThan(0);
    expect(said.filter((text) => text.startsWith('failed'))).toEqual([]);
  });

  test('is refused where there is none of the topics', { timeout: 60_000 }, async () => {
    await expect(openDoor()).rejects.toMatchObject({ code: 'tesla_topics_missing', reaction: 'fix-configuration' });
  });
});

describe('the file of a map', () => {
  const read = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'gridfold-tesla-'));
    const file = join(folder, 'map.yaml');
    writeFileSync(file, text);
    try {
      return readTeslaMap(file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test('is YAML or JSON', () => {
    const map = {
      kind: 'supercharger',
      fields: { Soc: { field: 'vehicleSoc', factor: 0.01 }, Version: { field: 'firmware' } },
    };
    expect(
      read('kind: supercharger\nfields:\n  Soc: {field: vehicleSoc, factor: 0.01}\n  Version: firmware\n'),
    ).toEqual(map);
    expect(read(JSON.stringify(map))).toEqual(map);
    expect(read('kind: x\nfields: {A: {field: b, words: {4: Charging}}}').fields.A.words).toEqual({ 4: 'Charging' });
  });

  test.each([
    [''],
    ['kind: ['],
    ['[]'],
    ['kind: 7\nfields: {}'],
    ['kind: x\nfields: [a]'],
    ['kind: x\nfields: {A: 7}'],
    ['kind: x\nfields: {A: {field: b, factr: 2}}'],
    ['kind: x\nfields: {A: {field: b, words: {4: 5}}}'],
    ['kind: x\nfields: {}\nkindd: y'],
  ])('%j is refused', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'tesla_map_invalid' }));
  });

  test('that is not there is refused', () => {
    expect(() => readTeslaMap('/none/such.yaml')).toThrow(expect.objectContaining({ code: 'tesla_map_invalid' }));
  });
});
