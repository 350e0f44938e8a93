import kafkajs, { type Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import type { KafkaConnection } from './connection.ts';
import { kafkaClient } from './connection.ts';
import { type TopicNeeds, wantedTopics } from './topic-needs.ts';
import type { TopicPlan } from './topic-plan.ts';
import { applyTopicPlan, prepareTopics, readTopicPlan } from './topics.ts';

const DAY = 86_400_000;
const { TOPIC } = kafkajs.ConfigResourceTypes;

describeKafka('topics of a real broker', ({ bootstrap, unique }) => {
  let admin: Admin;
  let said: string[];
  let connection: KafkaConnection;
  beforeAll(async () => {
    connection = {
      brokers: [await bootstrap()],
      clientId: 'test',
      topicPrefix: '',
      groupId: unique('group'),
      ssl: false,
      sasl: null,
      message: (_, text) => said.push(text),
    };
    said = [];
    admin = kafkaClient(connection).admin();
    await admin.connect();
  }, 60_000);
  afterAll(() => admin?.disconnect());

  const needsOf = (name: string, more: Partial<TopicNeeds> = {}): TopicNeeds => ({
    prefix: `${unique(name)}.`,
    partitions: 2,
    replicationFactor: null,
    retentionMs: 7 * DAY,
    retentionBytes: null,
    snapshotIntervalMs: 30_000,
    ...more,
  });
  const does = ({ topics }: TopicPlan) => topics.map(({ action }) => action.do);
  async function create(topic: string, numPartitions: number, settings: Record<string, string>): Promise<void> {
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions, configEntries }] });
    await vi.waitFor(async () => expect(await admin.listTopics()).toContain(topic), 10_000);
  }
  async function settingsOf(name: string): Promise<Record<string, string>> {
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name }] });
    return Object.fromEntries(resources[0].configEntries.map((entry) => [entry.configName, entry.configValue]));
  }

  it('are created as planned, and then there is nothing to do', async () => {
    const needs = needsOf('new');
    expect(new Set(does(await readTopicPlan(connection, needs)))).toEqual(new Set(['create']));
    expect(new Set(does(await applyTopicPlan(connection, needs)))).toEqual(new Set(['create']));
    expect(new Set(does(await applyTopicPlan(connection, { ...needs, partitions: null })))).toEqual(new Set(['keep']));
    expect(await settingsOf(`${needs.prefix}journal`)).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
    });
    expect(await settingsOf(`${needs.prefix}snapshots`)).toMatchObject({ 'cleanup.policy': 'compact' });
  });

  it('are created by one of the processes that start together, and all say how many partitions there are', async () => {
    const needs = { ...needsOf('together', { partitions: 3 }), create: true };
    const all = await Promise.all(Array.from({ length: 4 }, () => prepareTopics(connection, needs)));
    expect(all).toEqual(Array.from({ length: 4 }, () => ({ partitions: 3 })));
    expect(await prepareTopics(connection, { ...needs, partitions: null, create: false })).toEqual({ partitions: 3 });
  });

  it('that are missing are refused where nothing may be created', async () => {
    const prepared = prepareTopics(connection, { ...needsOf('missing'), create: false });
    await expect(prepared).rejects.toMatchObject({
      code: 'topics_refused',
      message: expect.stringContaining('missing, and kafka.createTopics is false'),
    });
  });

  it('are altered without losing what somebody else has set', async () => {
    const needs = needsOf('altered');
    const name = `${needs.prefix}journal`;
    await create(name, 2, { 'retention.ms': '1000', 'segment.bytes': '2000000' });
    await expect(prepareTopics(connection, { ...needs, create: true })).rejects.toMatchObject({
      code: 'topics_refused',
      message: expect.stringContaining('retention.ms is 1000 and must be -1'),
    });
    expect(does(await applyTopicPlan(connection, needs)).filter((one) => one === 'alter')).toHaveLength(1);
    expect(await settingsOf(name)).toMatchObject({ 'retention.ms': '-1', 'segment.bytes': '2000000' });
    expect(new Set(does(await readTopicPlan(connection, needs)))).toEqual(new Set(['keep']));
  });

  it('are used as they are, with a warning, where only less is kept than asked for', async () => {
    const needs = needsOf('short');
    await create(`${needs.prefix}telemetry`, 2, { 'retention.ms': String(DAY) });
    said.length = 0;
    expect(await prepareTopics(connection, { ...needs, create: true })).toEqual({ partitions: 2 });
    expect(said.join()).toContain(`telemetry: retention.ms is ${DAY}, less than ${7 * DAY}`);
  });

  it('of another number of partitions are refused, and nothing else is touched', async () => {
    const needs = needsOf('other');
    await create(`${needs.prefix}lifecycle`, 5, {});
    const refused = {
      code: 'topics_refused',
      reaction: 'fix-configuration',
      message: expect.stringContaining('lifecycle: 5 partitions there, and partitions is 2'),
    };
    await expect(applyTopicPlan(connection, needs)).rejects.toMatchObject(refused);
    await expect(prepareTopics(connection, { ...needs, create: true })).rejects.toMatchObject(refused);
    const there = await admin.listTopics();
    const names = wantedTopics(needs).map(({ name }) => name);
    expect(names.filter((name) => there.includes(name))).toEqual([`${needs.prefix}lifecycle`]);
  });

  it('that the brokers do not want are refused in their words', async () => {
    const applied = applyTopicPlan(connection, needsOf('copies', { replicationFactor: 7 }));
    await expect(applied).rejects.toMatchObject({
      code: 'kafka_refused',
      message: expect.stringMatching(/telemetry|lifecycle|contributions/),
    });
  });
});
