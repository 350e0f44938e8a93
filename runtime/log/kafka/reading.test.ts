import { type Admin, CompressionTypes, type Producer, type Transaction } from 'kafkajs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { systemClock } from '../../kernel/clock.ts';
import type { GridfoldError } from '../../kernel/errors.ts';
import { type Compression, type KafkaConnection, kafkaClient } from './connection.ts';
import { type KafkaLog, openKafkaLog } from './kafka-log.ts';
import { allValues, commitOf, nextValues, text, valued } from '../testing/collect.ts';
import { createLedTopics } from './testing/led-topics.ts';
import { makeTopics, testConnection } from './testing/test-log.ts';

describeKafka('reading from Kafka', ({ bootstrap }) => {
  let connection: KafkaConnection;
  let log: KafkaLog;
  let admin: Admin;
  const said: string[] = [];
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    said.length = 0;
    connection = testConnection(await bootstrap(), { message: (_, message) => said.push(message) });
    await makeTopics(connection);
    log = await openKafkaLog({ connection, partitions: 2 });
    admin = kafkaClient(connection).admin();
    await admin.connect();
  });
  afterEach(async () => {
    await log.close();
    await admin.disconnect();
    for (const close of closing.splice(0)) await close();
  });

  const telemetry = () => `${connection.topicPrefix}telemetry`;
  const failure = (call: Promise<unknown>) =>
    call.then(
      () => null,
      (error: GridfoldError) => error,
    );

  /** A producer of somebody else's. */
  async function foreign(transactionalId?: string): Promise<Producer> {
    const producer = kafkaClient(connection).producer({
      transactionalId,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    await producer.connect();
    closing.push(() => producer.disconnect());
    return producer;
  }

  async function write(to: Producer | Transaction, ...values: string[]): Promise<void> {
    await to.send({ topic: telemetry(), messages: values.map((value) => ({ value, partition: 0 })) });
  }

  /** What the broker's retention does, at once. */
  async function deleteBelow(topic: string, offset: number): Promise<void> {
    // kafkajs deletes only where it has asked for offsets before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  }

  it('passes over aborted transactions, wherever they lie between others', async () => {
    const [plain, one, two] = [await foreign(), await foreign('one'), await foreign('two')];
    await write(plain, 'a');
    for (let round = 0; round < 3; round++) {
      const [aborted, committed] = [await one.transaction(), await two.transaction()];
      await write(aborted, 'x', 'x');
      await write(committed, `c${round}`);
      await write(plain, `p${round}`);
      await write(aborted, 'x');
      await write(committed, `d${round}`);
      await aborted.abort();
      await committed.commit();
    }
    const last = await one.transaction();
    await write(last, 'x');
    await last.abort();
    const expected = ['a', ...[0, 1, 2].flatMap((i) => [`c${i}`, `p${i}`, `d${i}`])];
    await expect.poll(() => allValues(log, 'telemetry')).toEqual(expected);
    // Behind the last marker reading goes on at the very end, without a record.
    const { end } = await log.latest('telemetry', 0);
    const [batch, ...rest] = await log.read('telemetry', 0, end - 2, 1000);
    expect([batch.count, batch.baseOffset, rest]).toEqual([0, end, []]);
    await write(plain, 'b');
    expect(await nextValues(log, 'telemetry', end, 1)).toEqual(['b']);
  });

  it('waits for a transaction that is open, and tells when it is committed', async () => {
    const [plain, one] = [await foreign(), await foreign('one')];
    const transaction = await one.transaction();
    await write(plain, 'a');
    await write(transaction, 'b');
    await write(plain, 'c');
    expect(await nextValues(log, 'telemetry', 0, 1)).toEqual(['a']);
    const { end } = await log.latest('telemetry', 0);
    expect(end).toBe(1);
    expect(await log.read('telemetry', 0, 1, 1000)).toEqual([]);
    const rest = nextValues(log, 'telemetry', 1, 2);
    await transaction.commit();
    expect(await rest).toEqual(['b', 'c']);
  });

  it('names the exact range that retention has deleted, under a reader and for one that comes later', async () => {
    const plain = await foreign();
    await write(plain, ...Array.from({ length: 10 }, (_, i) => `${i}`));
    expect(await nextValues(log, 'telemetry', 0, 10)).toHaveLength(10);
    await deleteBelow(telemetry(), 7);
    const later = await openKafkaLog({ connection, partitions: 2 });
    closing.push(() => later.close());
    for (const reader of [later, log]) {
      await reader.latest('telemetry', 0);
      const error = await failure(reader.read('telemetry', 0, 3, 1000));
      expect(error).toMatchObject({ code: 'log_offset_out_of_range', reaction: 'stop' });
      expect(error?.message).toContain('3..6');
      expect(await allValues(reader, 'telemetry')).toEqual(['7', '8', '9']);
    }
  });

  it('learns of the deletion from the broker where nothing told it before', async () => {
    const plain = await foreign();
    await write(plain, ...Array.from({ length: 10 }, (_, i) => `${i}`));
    await log.latest('telemetry', 0);
    await deleteBelow(telemetry(), 7);
    const error = await failure(log.read('telemetry', 0, 3, 1000));
    expect(error).toMatchObject({ code: 'log_offset_out_of_range' });
    expect(error?.message).toContain('3..6');
  });

  it('leaves no record out where compaction leaves holes', async () => {
    const topic = `${connection.topicPrefix}compacted`;
    const settings = {
      'cleanup.policy': 'compact',
      'segment.ms': '50',
      'min.cleanable.dirty.ratio': '0.001',
      'max.compaction.lag.ms': '50',
    };
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await createLedTopics(admin, [{ topic, numPartitions: 2, configEntries }]);
    const plain = await foreign();
    const send = (...keys: string[]) =>
      plain.send({ topic, messages: keys.map((key, i) => ({ key, value: `${key}${i}`, partition: 0 })) });
    await send('a', 'b', 'a', 'c', 'd', 'd', 'e', 'a');
    // Only what lies in a closed segment is compacted; a later record closes it.
    await expect
      .poll(
        async () => {
          await send('z');
          return (await allValues(log, 'compacted')).filter((value) => !value.startsWith('z'));
        },
        { timeout: 40_000, interval: 500 },
      )
      .toEqual(['b1', 'c3', 'd5', 'e6', 'a7']);
    const batches = await log.read('compacted', 0, 0, 1 << 20);
    expect(batches.slice(0, 3).map(({ baseOffset, count }) => [baseOffset, count])).toEqual([
      [1, 1],
      [3, 1],
      [5, 3],
    ]);
  });

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'reads what it wrote with %s, and what others did',
    async (compression: Compression) => {
      const packed = await openKafkaLog({ connection: { ...connection, compression }, partitions: 2 });
      closing.push(() => packed.close());
      const values = Array.from({ length: 3000 }, (_, i) => `value ${i} ${'x'.repeat(i % 90)}`);
      await packed.append('telemetry', 0, valued(...values));
      const claim = await packed.claim('journal', 0);
      await packed.commit(claim, commitOf('j'.repeat(5000), values));
      await packed.claim('journal', 0);
      expect(await allValues(log, 'telemetry')).toEqual(values);
      expect(await allValues(log, 'derived')).toEqual(values);
      expect(await allValues(log, 'journal')).toEqual(['j'.repeat(5000)]);
      if (compression !== 'gzip') return;
      const producer = await foreign();
      const messages = values.map((value) => ({ value, partition: 0, headers: { 'a header': 'skipped' } }));
      await producer.send({ topic: telemetry(), messages, compression: CompressionTypes.GZIP });
      expect(await allValues(log, 'telemetry')).toEqual([...values, ...values]);
    },
  );

  it('holds a bounded number of bytes for a reader that does not come back', async () => {
    const small = await openKafkaLog({
      connection,
      partitions: 2,
      fetchPartitionBytes: 20_000,
      maxBufferedBytes: 50_000,
    });
    closing.push(() => small.close());
    const stop = small.onAppend('telemetry', 0, () => {});
    for (let i = 0; i < 40; i++) await log.append('telemetry', 0, valued('v'.repeat(10_000)));
    await small.read('telemetry', 0, 0, 1000);
    await expect.poll(() => small.stats.bufferedBytes).toBeGreaterThan(20_000);
    expect(small.stats.bufferedBytes).toBeLessThan(80_000);
    expect(await allValues(small, 'telemetry')).toHaveLength(40);
    expect(small.stats.bufferedBytes).toBeLessThan(80_000);
    stop();
  });

  it('serves readers at several places of one partition, each in order', async () => {
    const values = Array.from({ length: 400 }, (_, i) => `${i}-${'x'.repeat(500)}`);
    for (let i = 0; i < 400; i += 20) await log.append('telemetry', 0, valued(...values.slice(i, i + 20)));
    const few = await openKafkaLog({ connection, partitions: 2, fetchPartitionBytes: 15_000 });
    closing.push(() => few.close());
    const reads = [0, 37, 200, 0, 399].map(async (from) => {
      const found = await nextValues(few, 'telemetry', from, 400 - from);
      expect(found).toEqual(values.slice(from));
    });
    await Promise.all(reads);
  });

  it('tells of records that others write, without a reader', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = log.onAppend('telemetry', 1, resolve);
    const plain = await foreign();
    await plain.send({ topic: telemetry(), messages: [{ value: 'a', partition: 1 }] });
    await promise;
    expect(log.extent('telemetry', 1)).toEqual({ start: 0, end: 1 });
    stop();
  });

  it('writes the offsets of the group for people, and says when somebody moved them', async () => {
    const claim = await log.claim('journal', 0);
    await log.commit(
      claim,
      commitOf(
        'one',
        ['a'],
        new Map([
          ['telemetry', 41],
          ['lifecycle', 7],
        ]),
      ),
    );
    await log.claim('journal', 0);
    const offsets = await admin.fetchOffsets({ groupId: connection.groupId, topics: [telemetry()] });
    expect(offsets[0].partitions.find(({ partition }) => partition === 0)?.offset).toBe('41');
    expect(said).toEqual([]);
    await admin.setOffsets({
      groupId: connection.groupId,
      topic: telemetry(),
      partitions: [{ partition: 0, offset: '12' }],
    });
    await log.claim('journal', 0);
    expect(said).toEqual(['The offset of the consumer group is not what the journal says; the journal counts']);
    expect(text((await log.committed('journal', 0)).position as Uint8Array)).toBe('one');
  });

  it('refuses to start where retention has deleted the committed position', async () => {
    const claim = await log.claim('journal', 0);
    await log.commit(claim, commitOf('one', []));
    await log.claim('journal', 0);
    const { end } = await log.latest('journal', 0);
    const topic = `${connection.topicPrefix}journal`;
    await deleteBelow(topic, end);
    expect(await failure(log.claim('journal', 0))).toMatchObject({ code: 'journal_lost', reaction: 'stop' });
  });

  it('trims by age as the records are dated', async () => {
    const clock = { ...systemClock, now: () => now };
    let now = Date.now() - 60_000;
    const dated = await openKafkaLog({ connection, partitions: 2, clock });
    closing.push(() => dated.close());
    await dated.append('telemetry', 0, valued('a', 'b'));
    now += 50_000;
    const { end } = await dated.append('telemetry', 0, valued('c'));
    const keepAll = Number.POSITIVE_INFINITY;
    expect(await dated.trim('telemetry', 0, { maxAgeMs: 55_000, maxBytes: keepAll }, end)).toEqual({
      start: 0,
      end: 3,
    });
    now += 10_000;
    expect(await dated.trim('telemetry', 0, { maxAgeMs: 55_000, maxBytes: keepAll }, 1)).toEqual({ start: 1, end: 3 });
    expect(await dated.trim('telemetry', 0, { maxAgeMs: 55_000, maxBytes: keepAll }, end)).toEqual({
      start: 2,
      end: 3,
    });
    expect(await allValues(dated, 'telemetry')).toEqual(['c']);
  });

  it('says which topic is missing', async () => {
    const error = await failure(log.read('elsewhere', 0, 0, 1000));
    expect(error).toMatchObject({ code: 'log_topic_missing', reaction: 'fix-configuration' });
    expect(error?.message).toContain(`${connection.topicPrefix}elsewhere`);
  });

  it('fetches nothing more, and does nothing more, while what is fetched ahead of all readers is enough', async () => {
    const small = await openKafkaLog({ connection, partitions: 2, maxBufferedBytes: 1 });
    closing.push(() => small.close());
    for (const partition of [0, 1]) await log.append('telemetry', partition, valued('a', 'b'));
    for (const partition of [0, 1]) expect(await allValues(small, 'telemetry', partition)).toEqual(['a', 'b']);
    for (const partition of [0, 1]) await log.append('telemetry', partition, valued('c'));
    for (const partition of [0, 1]) expect(await allValues(small, 'telemetry', partition)).toEqual(['a', 'b', 'c']);
  });
});
