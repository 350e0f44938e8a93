import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Broker } from '../../../scripts/kafka/broker.ts';
import { startBrokers, type TestBrokers } from '../../../test/kafka/brokers.ts';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { allValues, commitOf, valued } from '../testing/collect.ts';
import type { KafkaConnection } from './connection.ts';
import { type KafkaLog, openKafkaLog } from './kafka-log.ts';
import { makeTopics, testConnection } from './testing/test-log.ts';

const PARTITIONS = 2;
/** Less than the 30 s after which kafkajs itself gives up a call, and more than a leader takes to be replaced. */
const FROZEN_AT_MOST_MS = 25_000;

describeKafka('a log on three brokers', () => {
  let brokers: TestBrokers;
  const logs: KafkaLog[] = [];
  const said: string[] = [];
  beforeAll(async () => {
    // So long a coordinator waits for a broker that stands still, before it writes the end of a transaction elsewhere.
    brokers = await startBrokers({ count: 3, settings: { 'request.timeout.ms': 3_000 } });
  }, 240_000);
  afterAll(async () => {
    for (const node of brokers?.nodes ?? []) node.thaw();
    await brokers?.start();
    await Promise.all(logs.map((log) => log.close()));
    await brokers?.close();
  });

  /** Topics with replicas on all nodes, led by the first; of `single` only that one has a copy. */
  async function connectionTo(nodes: readonly Broker[], single = '') {
    const message = (_: string, text: string) => void said.push(text);
    const connection = testConnection('', { brokers: nodes.map(({ bootstrap }) => bootstrap), message });
    const ids = nodes.map(({ options }) => options.cluster!.nodeId);
    await makeTopics(connection, PARTITIONS, (name) => (name === single ? ids.slice(0, 1) : ids));
    return connection;
  }

  async function opened(connection: KafkaConnection): Promise<KafkaLog> {
    const log = await openKafkaLog({ connection, partitions: PARTITIONS });
    logs.push(log);
    return log;
  }

  it('goes on, and opens, while the leader of all stands still; says that it waits', { timeout: 180_000 }, async () => {
    const [frozen] = brokers.nodes;
    const connection = await connectionTo(brokers.nodes);
    const log = await opened(connection);
    const claim = await log.claim('journal', 0);
    await log.append('telemetry', 0, valued('before'));
    await log.commit(claim, commitOf('one', []));

    let isFrozen = true;
    const thaw = () => {
      isFrozen = false;
      frozen.thaw();
    };
    frozen.freeze();
    const timer = setTimeout(thaw, FROZEN_AT_MOST_MS);
    await Promise.all([
      log.append('telemetry', 0, valued('after')),
      log.commit(claim, commitOf('two', [])),
      opened({ ...connection, groupId: `${connection.groupId}-other` }),
    ]);
    expect(await allValues(log, 'telemetry')).toEqual(['before', 'after']);
    expect(isFrozen, `all of it within ${FROZEN_AT_MOST_MS} ms`).toBe(true);
    expect(said).toContain('Kafka does not answer as it should; waiting');
    clearTimeout(timer);
    thaw();
  });

  it('follows the leaders that moved while another partition has none', { timeout: 180_000 }, async () => {
    const [, killed, third] = brokers.nodes;
    const connection = await connectionTo([killed, third, brokers.nodes[0]], 'telemetry');
    const log = await opened(connection);
    await log.append('telemetry', 0, valued('before'));
    await log.append('lifecycle', 0, valued('before'));

    await killed.kill();
    const waits = log.append('telemetry', 0, valued('after'));
    await log.append('lifecycle', 0, valued('after'));
    expect(await allValues(log, 'lifecycle')).toEqual(['before', 'after']);
    expect(log.health.ok).toBe(false);
    await killed.start();
    await waits;
    expect(await allValues(log, 'telemetry')).toEqual(['before', 'after']);
  });
});
