import { setTimeout } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { GridfoldError } from '../../kernel/errors.ts';
import { explainFailure } from './explain-failure.ts';
import { type TopicNeeds, wantedTopics } from './topic-needs.ts';
import { type FoundTopic, type PlannedTopic, planTopics, type TopicAction, type TopicPlan } from './topic-plan.ts';

const CREATE_TIMEOUT_MS = 30_000;

/** How long brokers may take until each has heard of a change, and how often they are asked. */
const VISIBLE_WITHIN_MS = 30_000;
const PAUSE_MS = 50;

/** Value of `configSource` for what was set on the topic itself. */
const SET_ON_TOPIC = 1;
const { TOPIC } = kafkajs.ConfigResourceTypes;

/** As kafkajs gives it: its type lacks the source. */
interface Entry {
  readonly configName: string;
  readonly configValue: string;
  readonly configSource: number;
}

/** The plan for what the brokers say now. */
export async function planWith(admin: Admin, needs: TopicNeeds): Promise<TopicPlan> {
  const names = new Set(wantedTopics(needs).map(({ name }) => name));
  const { topics } = await admin.fetchTopicMetadata();
  const present = topics.filter(({ name }) => names.has(name));
  const settings = await readSettings(
    admin,
    present.map(({ name }) => name),
  );
  const found = present.map(({ name, partitions }): FoundTopic => {
    const entries = settings?.get(name);
    return {
      name,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      settings: entries === undefined ? null : new Map(entries.map((entry) => [entry.configName, entry.configValue])),
    };
  });
  return planTopics(needs, found);
}

/**
 * Creates what is missing, also while other processes do so; returns the plan of what is there then. That the topics
 * are seen is waited for here: kafkajs gives up where a broker has not heard of them yet.
 */
export async function createMissing(admin: Admin, needs: TopicNeeds, first: TopicPlan): Promise<TopicPlan> {
  const deadline = performance.now() + VISIBLE_WITHIN_MS;
  let current = first;
  for (let missing = those('create', current); missing.length > 0; missing = those('create', current)) {
    if (performance.now() > deadline) throw stillDue('created', missing);
    await admin.createTopics({
      timeout: CREATE_TIMEOUT_MS,
      waitForLeaders: false,
      topics: missing.map(({ topic, action }) => ({
        topic,
        numPartitions: action.partitions,
        replicationFactor: needs.replicationFactor ?? -1,
        configEntries: Object.entries(action.settings).map(([name, value]) => ({ name, value })),
      })),
    });
    await setTimeout(PAUSE_MS);
    current = await planWith(admin, needs);
  }
  return current;
}

/**
 * Alters what the plan says, and waits until it is seen. Kafka's request replaces all that was set on a topic, so what
 * stands there is read first and kept; who sets something else in the same moment may lose it.
 */
export async function alterTopics(admin: Admin, needs: TopicNeeds, plan: TopicPlan): Promise<void> {
  const altered = those('alter', plan);
  const settings = await readSettings(
    admin,
    altered.map(({ topic }) => topic),
  );
  for (const { topic, action } of altered) {
    const kept = (settings?.get(topic) ?? []).filter(({ configSource }) => configSource === SET_ON_TOPIC);
    const values = new Map(kept.map(({ configName, configValue }) => [configName, configValue]));
    for (const { setting, to } of action.changes) values.set(setting, to);
    const configEntries = Array.from(values, ([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries }] });
  }
  const deadline = performance.now() + VISIBLE_WITHIN_MS;
  for (let due = altered; due.length > 0; due = those('alter', await planWith(admin, needs))) {
    if (performance.now() > deadline) throw stillDue('altered', due);
    await setTimeout(PAUSE_MS);
  }
}

type Due<Kind extends TopicAction['do']> = PlannedTopic & { readonly action: Extract<TopicAction, { do: Kind }> };

function those<Kind extends TopicAction['do']>(kind: Kind, { topics }: TopicPlan): Due<Kind>[] {
  return topics.filter((topic): topic is Due<Kind> => topic.action.do === kind);
}

function stillDue(what: string, topics: readonly { readonly topic: string }[]): GridfoldError {
  const names = topics.map(({ topic }) => topic).join(', ');
  return new GridfoldError(
    'kafka_failed',
    'stop',
    `These were ${what}, and after ${VISIBLE_WITHIN_MS} ms the brokers do not show it: ${names}. Does another program undo it, or is the right Describe missing?`,
  );
}

/** Settings by topic, or null when reading them is not allowed. A broker may hear of a new topic later than others. */
async function readSettings(admin: Admin, names: readonly string[]): Promise<Map<string, readonly Entry[]> | null> {
  if (names.length === 0) return new Map();
  for (const deadline = performance.now() + VISIBLE_WITHIN_MS; ; ) {
    try {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: names.map((name) => ({ type: TOPIC, name })),
      });
      return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries as Entry[]]));
    } catch (error) {
      if (explainFailure(error, []).code === 'kafka_denied') return null;
      if (!isUnknownTopic(error) || performance.now() > deadline) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

function isUnknownTopic(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: { type?: string } };
  return (type ?? cause?.type) === 'UNKNOWN_TOPIC_OR_PARTITION';
}
