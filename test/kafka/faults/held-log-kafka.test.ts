import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';
import { describeKafka } from '../describe-kafka.ts';
import { extentsOf, holdLog } from './held-log.ts';
import { createLedTopics } from '../../../runtime/log/kafka/testing/led-topics.ts';

describeKafka('the log that the verifier holds', (kafka) => {
  test('shows nothing of aborted transactions that overlap', async () => {
    const bootstrap = await kafka.bootstrap();
    const client = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING });
    const prefix = `${kafka.unique('held')}.`;
    const topic = `${prefix}t`;
    const admin = client.admin();
    await admin.connect();
    await createLedTopics(admin, [{ topic, numPartitions: 1 }]);
    await admin.disconnect();
    const begin = async (name: string) => {
      const producer = client.producer({ transactionalId: prefix + name, idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: name, partition: 0 }] });
      return { transaction, producer };
    };
    const began = [await begin('first'), await begin('second'), await begin('kept')];
    const [first, second, kept] = began.map(({ transaction }) => transaction);
    await second.abort();
    await first.abort();
    await kept.commit();
    for (const { producer } of began) await producer.disconnect();

    const source = { bootstrap, prefix, partitions: 1 };
    // Three records and three markers; these are there some moments after the end was confirmed.
    const end = async () => (await extentsOf(source, ['t'])).get('t/0')?.end;
    await expect.poll(end, { timeout: 20_000 }).toBe(6);
    const log = await holdLog(source, ['t']);
    const [batch, ...others] = await log.read('t', 0, 0);
    expect(others).toEqual([]);
    expect(Buffer.from(batch.bytes.subarray(batch.valueStart[0], batch.valueEnd[0])).toString()).toBe('kept');
    expect([batch.baseOffset, batch.count]).toEqual([2, 1]);
  });
});
