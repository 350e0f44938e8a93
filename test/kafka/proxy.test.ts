import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBroker, type TestBroker } from './broker.ts';
import { describeKafka } from './describe-kafka.ts';
import { ApiKey } from './frames.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { readCommitted } from './read-committed.ts';
import { createLedTopics } from '../../runtime/log/kafka/testing/led-topics.ts';

describeKafka('the proxy in front of a broker', () => {
  let broker: TestBroker;
  let proxy: FaultProxy;
  let kafka: kafkajs.Kafka;
  beforeAll(async () => {
    broker = await startBroker();
    proxy = await startProxy(broker.proxied);
    kafka = new kafkajs.Kafka({
      brokers: [proxy.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { initialRetryTime: 50, retries: 30, maxRetryTime: 500 },
    });
  });
  afterAll(async () => {
    await proxy?.refuse();
    await broker?.close();
  });

  async function createTopic(topic: string): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    await createLedTopics(admin, [{ topic, numPartitions: 1 }]);
    await admin.disconnect();
  }

  /** A transaction that has written `value` and waits for its end. */
  async function transactionOn(topic: string, value: string) {
    const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value }] });
    return { producer, transaction };
  }

  it.each([
    ['answer', ['first', 'second']],
    ['request', ['second']],
  ] as const)('loses the %s of EndTxn', async (lose, seen) => {
    const topic = `end-${lose}`;
    await createTopic(topic);
    const first = await transactionOn(topic, 'first');
    const cut = proxy.cut({ api: ApiKey.EndTxn, lose, nth: 1 });
    await expect(first.transaction.commit()).rejects.toThrow(/[Cc]onnection/);
    expect(cut.hits).toBe(1);
    cut.disarm();
    await first.producer.disconnect();

    const second = await transactionOn(topic, 'second');
    await second.transaction.commit();
    await second.producer.disconnect();
    expect(await readCommitted(proxy.bootstrap, topic, seen.length)).toEqual(seen);
  });

  it('cuts by chance, drawn from the generator it is given: a plain producer then sends twice', async () => {
    const topic = 'by-chance';
    await createTopic(topic);
    const draws = [0.9, 0.4, 0.9, 0.9];
    const cut = proxy.cut({ api: ApiKey.Produce, lose: 'answer', chance: 0.5, random: () => draws.shift()! });
    const producer = kafka.producer();
    await producer.connect();
    for (const value of ['a', 'b', 'c']) await producer.send({ topic, messages: [{ value }] });
    await producer.disconnect();
    cut.disarm();
    expect(draws).toEqual([]);
    expect(cut.hits).toBe(1);
    expect(await readCommitted(proxy.bootstrap, topic, 4)).toEqual(['a', 'b', 'b', 'c']);
  });

  it('refuses for a while; a client that tries again gets through afterwards', async () => {
    const admin = kafka.admin();
    await admin.connect();
    await proxy.refuse();
    const refused = new kafkajs.Kafka({
      brokers: [proxy.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    await expect(refused.connect()).rejects.toThrow('ECONNREFUSED');
    const topics = admin.listTopics();
    await proxy.accept();
    expect(await topics).toContain('__transaction_state');
    await admin.disconnect();
  });

  it('holds answers back', async () => {
    const hurried = new kafkajs.Kafka({
      brokers: [proxy.bootstrap],
      logLevel: kafkajs.logLevel.NOTHING,
      requestTimeout: 200,
      retry: { retries: 0 },
    }).admin();
    await hurried.connect();
    proxy.delayMs = 2000;
    await expect(hurried.listTopics()).rejects.toThrow('timed out');
    proxy.delayMs = 0;
    await hurried.disconnect();
  });
});
