import { afterEach, expect, it } from 'vitest';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { commitOf, text } from '../testing/collect.ts';
import { type KafkaConnection, kafkaClient } from './connection.ts';
import { type KafkaLog, openKafkaLog } from './kafka-log.ts';
import { makeTopics, testConnection } from './testing/test-log.ts';

describeKafka('a claim', ({ bootstrap }) => {
  const logs: KafkaLog[] = [];
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()));
  });

  async function opened(connection: KafkaConnection): Promise<KafkaLog> {
    const log = await openKafkaLog({ connection, partitions: 2 });
    logs.push(log);
    return log;
  }

  it('waits while the leader of the journal gives out less than was committed', async () => {
    const waits = Promise.withResolvers<string>();
    const connection = testConnection(await bootstrap());
    await makeTopics(connection);
    const first = await opened(connection);
    const second = await opened({ ...connection, message: () => waits.resolve('waits') });
    const claim = await first.claim('journal', 0);
    await first.commit(claim, commitOf('one', []));

    // A transaction of somebody else holds back the end, as a leader does that has not caught up.
    const transactionalId = `${connection.groupId}-stranger`;
    const stranger = kafkaClient(connection).producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await stranger.connect();
    const open = await stranger.transaction();
    await open.send({ topic: `${connection.topicPrefix}journal`, messages: [{ value: 'stranger', partition: 0 }] });
    await first.commit(claim, commitOf('two', []));

    const claimed = second.claim('journal', 0);
    expect(await Promise.race([claimed.then(() => 'claimed'), waits.promise])).toBe('waits');
    await open.abort();
    await stranger.disconnect();
    await claimed;
    const { position } = await second.committed('journal', 0);
    expect(text(position!)).toBe('two');
  });
});
