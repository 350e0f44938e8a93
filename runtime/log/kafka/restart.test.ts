import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBroker, type TestBroker } from '../../../test/kafka/broker.ts';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { type KafkaLog, openKafkaLog } from './kafka-log.ts';
import { allValues, commitOf, nextValues, valued } from '../testing/collect.ts';
import { makeTopics, testConnection } from './testing/test-log.ts';

const ROUNDS = 60;
const RESTART_AT = [15, 35];

describeKafka('the log on Kafka while its broker restarts', () => {
  let broker: TestBroker;
  let log: KafkaLog;

  beforeAll(async () => {
    broker = await startBroker({ settings: { 'broker.session.timeout.ms': 2000 } });
    const connection = testConnection(broker.bootstrap);
    await makeTopics(connection);
    log = await openKafkaLog({ connection, partitions: 2 });
  });
  afterAll(async () => {
    await log?.close();
    await broker?.close();
  });

  it.each(['stop', 'kill'] as const)('loses and doubles nothing (%s)', { timeout: 180_000 }, async (how) => {
    const before = (await log.latest('telemetry', 0)).end;
    const [derivedBefore, journalBefore] = [await allValues(log, 'derived'), await allValues(log, 'journal')];
    const expected = Array.from({ length: ROUNDS }, (_, i) => `${how}-${i}`);
    const reading = nextValues(log, 'telemetry', before, ROUNDS);
    let restarting: Promise<void> = Promise.resolve();
    const restart = async () => {
      await broker[how]();
      await broker.start();
    };
    const claim = await log.claim('journal', 0);
    const appends: Promise<unknown>[] = [];
    for (const [i, value] of expected.entries()) {
      if (RESTART_AT.includes(i)) restarting = restarting.then(restart);
      appends.push(log.append('telemetry', 0, valued(value)));
      await log.commit(claim, commitOf(value, [value, value]));
    }
    await Promise.all([restarting, ...appends]);
    expect(await reading).toEqual(expected);
    await log.claim('journal', 0);
    expect(await allValues(log, 'telemetry')).toHaveLength(before === 0 ? ROUNDS : 2 * ROUNDS);
    expect(await allValues(log, 'derived')).toEqual([...derivedBefore, ...expected.flatMap((value) => [value, value])]);
    expect(await allValues(log, 'journal')).toEqual([...journalBefore, ...expected]);
    expect(log.health.ok).toBe(true);
  });
});
