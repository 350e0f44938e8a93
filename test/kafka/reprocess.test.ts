import { afterAll, expect, it } from 'vitest';
import { kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { reprocessStory } from '../acceptance/reprocess-story.ts';
import { describeKafka } from './describe-kafka.ts';
import { KafkaFolder } from './kafka-folder.ts';

describeKafka('reprocessing on Kafka', ({ bootstrap, unique }) => {
  let folder: KafkaFolder | null = null;
  afterAll(() => folder?.remove());

  it('folds the topics of the fleet once more into topics of its own, and deletes these with the set', async () => {
    const brokers = await bootstrap();
    const prefix = unique('reprocess');
    folder = new KafkaFolder({ brokers, prefix, partitions: 2 });
    await reprocessStory(folder, 288);
    const connection = {
      clientId: 'test',
      topicPrefix: '',
      groupId: '',
      ssl: false,
      sasl: null,
      message() {},
    } as const;
    const admin = kafkaClient({ ...connection, brokers: [brokers] }).admin();
    await admin.connect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
    await admin.disconnect();
    expect(topics).toContain(`${prefix}.derived`);
    expect(topics.filter((topic) => topic.startsWith(`${prefix}.v2.`))).toEqual([]);
  }, 600_000);
});
