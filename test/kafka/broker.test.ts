import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBroker, type TestBroker } from './broker.ts';
import { describeKafka } from './describe-kafka.ts';
import { readCommitted } from './read-committed.ts';
import { createLedTopics } from '../../runtime/log/kafka/testing/led-topics.ts';

describeKafka('a broker of a suite of its own', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startBroker();
  });
  afterAll(() => broker?.close());

  it.each(['stop', 'kill'] as const)('has its records again after %s and start', async (end) => {
    const topic = `kept-${end}`;
    const kafka = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    const admin = kafka.admin();
    await createLedTopics(admin, [{ topic, numPartitions: 1 }]);
    await producer.send({ topic, messages: [{ value: 'before' }] });
    await admin.disconnect();
    await producer.disconnect();

    const pid = broker.pid;
    await broker[end]();
    expect(broker.pid).toBeNull();
    await broker.start();
    expect(broker.pid).not.toBe(pid);
    expect(await readCommitted(broker.bootstrap, topic, 1)).toEqual(['before']);
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const module = JSON.stringify(new URL('./broker.ts', import.meta.url));
    const script = `import { startBroker } from ${module}; const b = await startBroker(); console.log(b.dir, b.bootstrap);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(owner.stdout, 'data');
    const [dir, bootstrap] = String(line).trim().split(' ');
    const [host, port] = bootstrap.split(':');
    const connection = connect({ host, port: Number(port) });
    await once(connection, 'connect');
    owner.kill('SIGKILL');
    connection.resume().on('error', () => {});
    await once(connection, 'close');
    rmSync(dir, { recursive: true, force: true });
  });

  it('says what the server says when a setting is wrong', async () => {
    await expect(startBroker({ settings: { 'num.io.threads': 'many' } })).rejects.toMatchObject({
      code: 'broker-failed',
      message: expect.stringContaining('num.io.threads'),
    });
  });
});

describeKafka('a broker with SASL and TLS', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startBroker({ saslAndTls: true });
  });
  afterAll(() => broker?.close());

  const topicsFor = async (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512', password: string) => {
    const { bootstrap, ca, user } = broker.secured;
    const admin = new kafkajs.Kafka({
      brokers: [bootstrap],
      ssl: { ca: [ca] },
      sasl: { mechanism, username: user, password } as kafkajs.SASLOptions,
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 1 },
    }).admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    return topics;
  };

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('lets the user in by %s', async (mechanism) => {
    expect(await topicsFor(mechanism, broker.secured.password)).toEqual([]);
    await expect(topicsFor(mechanism, 'wrong')).rejects.toThrow(/[Aa]uthentication failed/);
  });
});
