import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partitionOf, murmur2 } from '../../runtime/kernel/hash.ts';
import { freePort } from '../../scripts/kafka/ports.ts';
import { type AuditAnswer, type FeedAnswer, gridfold, type Outcome } from '../acceptance/gridfold.ts';
import { live, metric, run } from '../acceptance/running.ts';
import { startBroker, type TestBroker } from './broker.ts';
import { describeKafka } from './describe-kafka.ts';
import { type Cluster, KafkaFolder, type Settings } from './kafka-folder.ts';
import { createLedTopics } from '../../runtime/log/kafka/testing/led-topics.ts';

const TIMEOUT = 180_000;
const folders: KafkaFolder[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

function folderOf(cluster: Cluster, kafka: Settings = {}): KafkaFolder {
  const folder = new KafkaFolder(cluster, kafka);
  folders.push(folder);
  return folder;
}

/** A `gridfold run` that is expected to refuse. */
function refusal({ dir, flags }: KafkaFolder): Promise<Outcome> {
  return gridfold(['run', '--no-sim', '--port', '0', '--json', '--data-dir', dir, ...flags]);
}

const reading = (minute: number) =>
  JSON.stringify({
    serial: 'PW-1',
    kind: 'powerwall',
    deviceTime: `2026-06-01T10:${String(minute).padStart(2, '0')}:00Z`,
    receiveTime: `2026-06-01T10:${String(minute).padStart(2, '0')}:00Z`,
    txid: `t${minute}`,
    fields: { powerW: 1000 },
  });

describeKafka('gridfold run refuses', ({ bootstrap, unique }) => {
  let admin: Admin;
  let kafka: kafkajs.Kafka;
  const clusterOf = async (name: string, partitions = 2): Promise<Cluster> => ({
    brokers: await bootstrap(),
    prefix: unique(name),
    partitions,
  });

  beforeAll(async () => {
    kafka = new kafkajs.Kafka({ brokers: [await bootstrap()], logLevel: kafkajs.logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
  });
  afterAll(() => admin?.disconnect());

  it(
    'topics of another number of partitions, and says what to do',
    async () => {
      const cluster = await clusterOf('other');
      await createLedTopics(admin, [{ topic: `${cluster.prefix}.telemetry`, numPartitions: 3 }]);
      const { code, stdout, stderr } = await refusal(folderOf(cluster));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('telemetry: 3 partitions there, and partitions is 2');
      expect(stderr).toContain('[topics_refused]');
    },
    TIMEOUT,
  );

  it(
    'missing topics where it may not create them',
    async () => {
      const cluster = await clusterOf('missing');
      const { code, stderr } = await refusal(folderOf(cluster, { createTopics: false }));
      expect(code).toBe(1);
      expect(stderr).toContain(`${cluster.prefix}.telemetry`);
      expect(stderr).toContain('missing, and kafka.createTopics is false');
      expect((await admin.listTopics()).filter((topic) => topic.startsWith(cluster.prefix))).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'brokers that do not answer, by name',
    async () => {
      const brokers = `127.0.0.1:${await freePort()}`;
      const { code, stderr } = await refusal(folderOf({ ...(await clusterOf('nobody')), brokers }));
      expect(code).toBe(1);
      expect(stderr).toContain(`No answer from ${brokers}`);
      expect(stderr).toContain('[kafka_unreachable]');
    },
    TIMEOUT,
  );

  it(
    'records that retention took, by range; --accept-loss goes on and says so',
    async () => {
      const cluster = await clusterOf('lost');
      const folder = folderOf(cluster);
      const topic = `${cluster.prefix}.telemetry`;
      const partition = partitionOf(murmur2(Buffer.from('PW-1')), cluster.partitions);
      const file = join(folder.base, 'readings.ndjson');
      writeFileSync(file, `${[0, 1, 2].map(reading).join('\n')}\n`);
      expect(await folder.json<FeedAnswer>('ingest', file)).toMatchObject({ accepted: 3, settled: true });

      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic, messages: [3, 4, 5, 6].map((minute) => ({ key: 'PW-1', value: reading(minute) })) });
      const ends = await admin.fetchTopicOffsets(topic);
      expect(ends).toContainEqual(expect.objectContaining({ partition, high: '7' }));
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: '6' }] });

      const { code, stderr } = await refusal(folder);
      expect(code).toBe(1);
      expect(stderr).toContain(`telemetry-${partition} 3..5`);
      expect(stderr).toContain('--accept-loss');
      // Nothing was passed over by the attempt.
      expect((await refusal(folder)).stderr).toContain(`telemetry-${partition} 3..5`);

      const accepted = await run(folder, '--no-sim', '--accept-loss');
      await live(accepted.url);
      await metric(accepted.url, 'gridfold_ingest_records_total', (n) => n >= 1);
      accepted.child.kill('SIGTERM');
      expect(await accepted.ended).toMatchObject({ code: 0 });
      const gaps = await folder.sql(`SELECT serial, class, from_time FROM data_gaps_current ORDER BY from_time`);
      process.stdout.write(`after a loss: ${JSON.stringify(gaps)}\n`);
      expect(gaps).toContainEqual({ serial: 'PW-1', class: 'lost', from_time: '2026-06-01T10:02:00.000Z' });
      expect((await folder.json<AuditAnswer>('audit')).ok).toBe(true);
      await producer.disconnect();
    },
    TIMEOUT,
  );
});

describeKafka('gridfold run on a broker with SASL over TLS', ({ unique }) => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startBroker({ saslAndTls: true });
  });
  afterAll(() => broker?.close());

  it(
    'refuses a wrong password without showing it, and works with the right one',
    async () => {
      const { bootstrap: brokers, caFile: sslCa, user, password } = broker.secured;
      const cluster = { brokers, prefix: unique('secured'), partitions: 2 };
      const wrong = folderOf(cluster, { ssl: true, sslCa, sasl: `scram-sha-512:${user}:wrong-horse` });
      const { code, stderr } = await refusal(wrong);
      expect(code).toBe(1);
      expect(stderr).toContain('[kafka_login_refused]');
      expect(stderr).not.toContain('wrong-horse');

      const folder = folderOf(cluster, { ssl: true, sslCa, sasl: `scram-sha-512:${user}:${password}` });
      const file = join(folder.base, 'readings.ndjson');
      writeFileSync(file, `${[0, 1].map(reading).join('\n')}\n`);
      expect(await folder.json<FeedAnswer>('ingest', file)).toMatchObject({ accepted: 2, settled: true });
      expect(await folder.json<AuditAnswer>('audit')).toMatchObject({ ok: true });
    },
    TIMEOUT,
  );
});
