import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startBroker, type TestBroker } from '../../../test/kafka/broker.ts';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { ApiKey } from '../../../test/kafka/frames.ts';
import { type FaultProxy, startProxy } from '../../../test/kafka/proxy.ts';
import type { GridfoldError } from '../../kernel/errors.ts';
import { type KafkaConnection, kafkaClient } from './connection.ts';
import { type KafkaLog, openKafkaLog } from './kafka-log.ts';
import { allValues, commitOf, text, valued } from '../testing/collect.ts';
import { makeTopics, testConnection } from './testing/test-log.ts';

const { FindCoordinator, InitProducerId, ListOffsets, Metadata } = ApiKey;
const { AddPartitionsToTxn, AddOffsetsToTxn, Produce, TxnOffsetCommit, EndTxn } = ApiKey;
const names = Object.fromEntries(Object.entries(ApiKey).map(([name, key]) => [key, name]));
const steps = [AddPartitionsToTxn, AddOffsetsToTxn, Produce, TxnOffsetCommit, EndTxn];
const named = (api: number) => [names[api], api] as const;

describeKafka('the log on Kafka under faults', () => {
  let broker: TestBroker;
  let proxy: FaultProxy;
  const open: KafkaLog[] = [];

  beforeAll(async () => {
    broker = await startBroker();
    proxy = await startProxy(broker.proxied);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((log) => log.close()));
  });
  afterAll(async () => {
    await proxy?.refuse();
    await broker?.close();
  });

  async function opened(connection: KafkaConnection): Promise<KafkaLog> {
    const log = await openKafkaLog({ connection, partitions: 2 });
    open.push(log);
    return log;
  }

  /** A log behind the proxy, and the same one as another process sees it, around the proxy. */
  async function pair() {
    const connection = testConnection(proxy.bootstrap);
    await makeTopics(connection);
    const around = { ...connection, brokers: [broker.bootstrap] };
    return { log: await opened(connection), other: await opened(around), around };
  }

  /** The group's offset of telemetry in partition 0. */
  async function groupOffset(connection: KafkaConnection): Promise<number> {
    const admin = kafkaClient(connection).admin();
    await admin.connect();
    const topic = `${connection.topicPrefix}telemetry`;
    const [{ partitions }] = await admin.fetchOffsets({ groupId: connection.groupId, topics: [topic] });
    await admin.disconnect();
    return Number(partitions.find(({ partition }) => partition === 0)?.offset);
  }

  const inputs = new Map([['telemetry', 3]]);
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: GridfoldError) => error,
    );

  it('a commit takes three turns, and does not ask again who coordinates it', async () => {
    const { log } = await pair();
    const claim = await log.claim('journal', 0);
    await log.commit(claim, commitOf('one', ['a'], inputs));
    const turns: string[] = [];
    const listen = (turn: string, api: number) => {
      const hear = () => {
        if (turns.at(-1) !== turn) turns.push(turn);
        return 1;
      };
      return proxy.cut({ api, lose: 'request', chance: 0.5, random: hear });
    };
    const heard = [
      ...[AddPartitionsToTxn, AddOffsetsToTxn].map((api) => listen('add', api)),
      ...[Produce, TxnOffsetCommit].map((api) => listen('write', api)),
      listen('end', EndTxn),
      listen('find', FindCoordinator),
    ];
    await log.commit(claim, commitOf('two', ['b'], inputs));
    for (const cut of heard) cut.disarm();
    expect(turns).toEqual(['add', 'write', 'end']);
  });

  it.each(
    [...steps, InitProducerId].flatMap((api) =>
      (['answer', 'request'] as const).map((lose) => [...named(api), lose] as const),
    ),
  )('commits once though one %s (%i) loses its %s', async (_, api, lose) => {
    const { log, other } = await pair();
    const early = api === InitProducerId ? proxy.cut({ api, lose, nth: 1 }) : null;
    const claim = await log.claim('journal', 0);
    await log.commit(claim, commitOf('one', ['a', 'b'], inputs));
    const cut = early ?? proxy.cut({ api, lose, nth: 1 });
    await log.commit(claim, commitOf('two', ['c', 'd'], inputs));
    await log.commit(claim, commitOf('three', ['e'], inputs));
    expect(cut.hits).toBe(1);
    cut.disarm();
    await other.claim('journal', 0);
    expect(await allValues(other, 'derived')).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await allValues(other, 'journal')).toEqual(['one', 'two', 'three']);
    expect(text((await other.committed('journal', 0)).position as Uint8Array)).toBe('three');
  });

  it.each(steps.map(named))('an owner that hangs at %s (%i) is fenced, and nothing of it is seen', async (_, api) => {
    const { log, other } = await pair();
    const claim = await log.claim('journal', 0);
    await log.commit(claim, commitOf('one', ['a'], inputs));
    const cut = proxy.cut({ api, lose: 'request' });
    const hanging = failure(log.commit(claim, commitOf('zombie', ['z'], inputs)));
    await expect.poll(() => cut.hits, { timeout: 20_000 }).toBeGreaterThan(0);
    const current = await other.claim('journal', 0);
    expect(text((await other.committed('journal', 0)).position as Uint8Array)).toBe('one');
    cut.disarm();
    expect(await hanging).toMatchObject({ code: 'log_fenced', reaction: 'rejoin' });
    expect(await failure(log.commit(claim, commitOf('again', ['z'])))).toMatchObject({ code: 'log_fenced' });
    expect(
      await failure(log.publish(claim, new Map([['snapshots', [{ key: Buffer.from('k'), value: null }]]]))),
    ).toMatchObject({
      code: 'log_fenced',
    });
    expect(log.health.ok).toBe(true);
    await other.commit(current, commitOf('two', ['b']));
    await other.claim('journal', 0);
    expect(await allValues(other, 'derived')).toEqual(['a', 'b']);
    expect(await allValues(other, 'journal')).toEqual(['one', 'two']);
  });

  it('the next owner sees a commit whose confirmation its owner never heard', async () => {
    const { log, other } = await pair();
    const claim = await log.claim('journal', 0);
    const cut = proxy.cut({ api: EndTxn, lose: 'answer' });
    const unheard = failure(log.commit(claim, commitOf('one', ['a'], inputs)));
    await expect.poll(() => cut.hits, { timeout: 20_000 }).toBeGreaterThan(0);
    await other.claim('journal', 0);
    expect(text((await other.committed('journal', 0)).position as Uint8Array)).toBe('one');
    expect(await allValues(other, 'derived')).toEqual(['a']);
    cut.disarm();
    expect(await unheard).toMatchObject({ code: 'log_fenced' });
  });

  it('a record too large gives up the offsets beside it, once it is known what became of them', async () => {
    const { log, other, around } = await pair();
    const claim = await log.claim('journal', 0);
    await log.commit(claim, commitOf('one', ['a'], inputs));
    const cut = proxy.cut({ api: TxnOffsetCommit, lose: 'answer', nth: 1 });
    const large = commitOf('large', ['x'.repeat(2 << 20)], new Map([['telemetry', 9]]));
    expect(await failure(log.commit(claim, large))).toMatchObject({ code: 'log_refused' });
    expect(cut.hits).toBe(1);
    cut.disarm();
    await log.commit(claim, commitOf('two', ['b'], new Map()));
    await other.claim('journal', 0);
    expect(await allValues(other, 'derived')).toEqual(['a', 'b']);
    expect(await allValues(other, 'journal')).toEqual(['one', 'two']);
    expect(await groupOffset(around)).toBe(3);
  });

  it('an owner that is fenced while it gives up a record too large hears of the fence', async () => {
    const { log, other } = await pair();
    const claim = await log.claim('journal', 0);
    const cut = proxy.cut({ api: EndTxn, lose: 'request' });
    const giving = failure(log.commit(claim, commitOf('large', ['x'.repeat(2 << 20)], inputs)));
    await expect.poll(() => cut.hits, { timeout: 20_000 }).toBeGreaterThan(0);
    await other.claim('journal', 0);
    cut.disarm();
    expect(await giving).toMatchObject({ code: 'log_fenced' });
    expect(await failure(log.commit(claim, commitOf('again', ['z'])))).toMatchObject({ code: 'log_fenced' });
  });

  it.each(['answer', 'request'] as const)('appends once though each fourth Produce loses its %s', async (lose) => {
    const { log, other } = await pair();
    let turn = 0;
    const cut = proxy.cut({ api: Produce, lose, chance: 0.5, random: () => (turn++ % 4 === 1 ? 0 : 1) });
    const expected: string[] = [];
    for (let i = 0; i < 12; i++) {
      expected.push(`a-${i}`, `b-${i}`);
      const [first, second] = await Promise.all([
        log.append('telemetry', 0, valued(`a-${i}`)),
        log.append('telemetry', 0, valued(`b-${i}`)),
      ]);
      expect([first, second]).toEqual([
        { start: 2 * i, end: 2 * i + 1 },
        { start: 2 * i + 1, end: 2 * i + 2 },
      ]);
    }
    cut.disarm();
    expect(cut.hits).toBeGreaterThan(1);
    expect(await allValues(other, 'telemetry')).toEqual(expected);
  });

  it('does not take for never written what a leader does not give out yet', async () => {
    const { log, other } = await pair();
    await log.append('telemetry', 0, valued('a'));
    // The end is asked for first, then the start: by then the answer is that nothing stands at 2.
    let heard = 0;
    const written = Promise.withResolvers<unknown>();
    const hear = () => {
      heard += 1;
      if (heard === 2) written.resolve(other.append('telemetry', 0, valued('b', 'c')));
      return 1;
    };
    const listening = proxy.cut({ api: ListOffsets, lose: 'request', chance: 0.5, random: hear });
    const [{ baseOffset, count }] = await log.read('telemetry', 0, 2, 1 << 20);
    await written.promise;
    listening.disarm();
    expect(baseOffset + count).toBe(3);
  });

  it('is well again though who leads was asked in vain, and nobody asked again', async () => {
    const { log } = await pair();
    await log.append('telemetry', 0, valued('before'));
    const cuts = [Produce, Metadata].map((api) => proxy.cut({ api, lose: 'answer', nth: 1 }));
    await log.append('telemetry', 0, valued('after'));
    await expect.poll(() => cuts.map(({ hits }) => hits), { timeout: 20_000 }).toEqual([1, 1]);
    await expect.poll(() => log.health.ok, { timeout: 20_000 }).toBe(true);
    for (const cut of cuts) cut.disarm();
  });

  it('says once that the cluster is away, waits, and says when it is back', async () => {
    const said: string[] = [];
    const connection = testConnection(proxy.bootstrap, {
      message: (level, message) => said.push(`${level}: ${message}`),
    });
    await makeTopics(connection);
    const log = await opened(connection);
    const claim = await log.claim('journal', 0);
    await proxy.refuse();
    const committing = log.commit(claim, commitOf('one', ['a']));
    const appending = log.append('telemetry', 0, valued('t'));
    await expect.poll(() => log.health.ok, { timeout: 20_000 }).toBe(false);
    expect(log.health.reason).not.toBe('');
    await proxy.accept();
    await Promise.all([committing, appending]);
    expect(await allValues(log, 'telemetry')).toEqual(['t']);
    await log.claim('journal', 0);
    expect(await allValues(log, 'derived')).toEqual(['a']);
    await expect.poll(() => log.health.ok, { timeout: 20_000 }).toBe(true);
    expect(said.filter((line) => line.startsWith('warn'))).toEqual([
      'warn: Kafka does not answer as it should; waiting',
    ]);
    expect(said.filter((line) => line.startsWith('info'))).toEqual(['info: Kafka answers again']);
  });
});
