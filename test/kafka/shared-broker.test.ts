import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import type { TestProject } from 'vitest/node';
import { describeKafka } from './describe-kafka.ts';
import setup from './shared-broker.ts';
import { createLedTopics } from '../../runtime/log/kafka/testing/led-topics.ts';

it('starts nothing for a run in which no suite asks', async () => {
  const provided: Record<string, string> = {};
  const teardown = await setup({
    provide: (key: string, value: string) => (provided[key] = value),
  } as never as TestProject);
  expect(provided.sharedBroker).toMatch(/^http:/);
  await teardown();
  await expect(fetch(provided.sharedBroker)).rejects.toThrow();
});

describeKafka('the broker that suites share', (kafka) => {
  it('is the same for all and serves', async () => {
    const [one, other] = await Promise.all([kafka.bootstrap(), kafka.bootstrap()]);
    expect(other).toBe(one);
    const admin = new kafkajs.Kafka({ brokers: [one], logLevel: kafkajs.logLevel.NOTHING }).admin();
    const topic = kafka.unique('topic');
    await admin.connect();
    await createLedTopics(admin, [{ topic, numPartitions: 3 }]);
    expect(await admin.listTopics()).toContain(topic);
    await admin.disconnect();
  });
});
