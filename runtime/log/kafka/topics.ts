import kafkajs, { type Admin } from 'kafkajs';
import { GridfoldError } from '../../kernel/errors.ts';
import { type KafkaConnection, kafkaClient } from './connection.ts';
import { explainFailure } from './explain-failure.ts';
import { type TopicNeeds, wantedTopics } from './topic-needs.ts';
import { type FoundTopic, planTopics, type TopicPlan } from './topic-plan.ts';
import { type Permission, refusals } from './topic-refusals.ts';

export interface PrepareOptions extends TopicNeeds {
  /** Whether topics that are missing are created; else they are refused. */
  readonly create: boolean;
}

/** Tries of one request before brokers count as away: about 4 s, or 20 s where nothing answers at all. */
const RETRY = { retries: 4, initialRetryTime: 300, maxRetryTime: 2_000 };
const CREATE_TIMEOUT_MS = 30_000;

/** Creation is tried again while other processes create the same topics; each try leaves fewer. */
const ROUNDS = 4;

const ALL: Permission = { create: true, alter: true };

/** Value of `configSource` for what was set on the topic itself. */
const SET_ON_TOPIC = 1;
const { TOPIC } = kafkajs.ConfigResourceTypes;

/** What would be done; changes nothing. Throws `kafka_unreachable` and the other errors of {@link explainFailure}. */
export async function readTopicPlan(connection: KafkaConnection, needs: TopicNeeds): Promise<TopicPlan> {
  return withAdmin(connection, (admin) => plan(admin, needs));
}

/**
 * Creates and alters what the plan says, unless it refuses a topic: then nothing is done, and `topics_refused` names
 * each. Returns what was done.
 */
export async function applyTopicPlan(connection: KafkaConnection, needs: TopicNeeds): Promise<TopicPlan> {
  return withAdmin(connection, async (admin) => {
    const first = await plan(admin, needs);
    refuse(first, ALL);
    const created = await createMissing(admin, needs, first);
    refuse(created, ALL);
    await alter(admin, created);
    const done = created.topics.map((topic, i) => (first.topics[i].action.do === 'create' ? first.topics[i] : topic));
    return { ...created, topics: done };
  });
}

/**
 * Makes sure at the start of a process that the topics can be used: creates those that are missing when `create` says
 * so, never changes one that is there. Throws `topics_refused` with every reason; what is only odd goes to `message`.
 */
export async function prepareTopics(
  connection: KafkaConnection,
  { create, ...needs }: PrepareOptions,
): Promise<{ readonly partitions: number }> {
  return withAdmin(connection, async (admin) => {
    const first = await plan(admin, needs);
    refuse(first, { create, alter: false });
    const made = await createMissing(admin, needs, first);
    refuse(made, { create, alter: false });
    for (const { topic, warnings, action } of made.topics) {
      for (const warning of warnings) connection.message('warn', `topic ${topic}: ${warning}`);
      for (const { setting, from, to } of action.do === 'alter' ? action.changes : []) {
        connection.message(
          'warn',
          `topic ${topic}: ${setting} is ${from}, less than ${to}; gridfold topics apply sets it`,
        );
      }
    }
    return { partitions: made.partitions };
  });
}

async function withAdmin<T>(connection: KafkaConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(connection, RETRY).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw explainFailure(error, connection.brokers);
  } finally {
    await admin.disconnect();
  }
}

async function plan(admin: Admin, needs: TopicNeeds): Promise<TopicPlan> {
  const names = wantedTopics(needs).map(({ name }) => name);
  const { topics } = await admin.fetchTopicMetadata();
  const present = topics.filter(({ name }) => names.includes(name));
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

/** Settings by topic, or null when reading them is not allowed. */
async function readSettings(admin: Admin, names: readonly string[]): Promise<Map<string, readonly Entry[]> | null> {
  if (names.length === 0) return new Map();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: TOPIC, name })),
    });
    return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries as Entry[]]));
  } catch (error) {
    if (explainFailure(error, []).code === 'kafka_denied') return null;
    throw error;
  }
}

/** As kafkajs gives it: its type lacks the source. */
interface Entry {
  readonly configName: string;
  readonly configValue: string;
  readonly configSource: number;
}

/** Creates what is missing, also while other processes do so; returns the plan of what is there then. */
async function createMissing(admin: Admin, needs: TopicNeeds, first: TopicPlan): Promise<TopicPlan> {
  let current = first;
  for (let round = 0; round < ROUNDS; round++) {
    const missing = current.topics.flatMap(({ topic, action }) => (action.do === 'create' ? { topic, action } : []));
    if (missing.length === 0) return current;
    await admin.createTopics({
      timeout: CREATE_TIMEOUT_MS,
      topics: missing.map(({ topic, action }) => ({
        topic,
        numPartitions: action.partitions,
        replicationFactor: needs.replicationFactor ?? -1,
        configEntries: Object.entries(action.settings).map(([name, value]) => ({ name, value })),
      })),
    });
    current = await plan(admin, needs);
  }
  throw new GridfoldError(
    'kafka_failed',
    'stop',
    'Topics were created and are still not seen: is another program deleting them, or may we not describe them?',
  );
}

/**
 * Kafka's request replaces all that was set on a topic, so what stands there is read first and kept. The one who sets
 * something else in the same moment may lose it; nobody else changes topics of ours while this runs.
 */
async function alter(admin: Admin, { topics }: TopicPlan): Promise<void> {
  const changed = topics.flatMap(({ topic, action }) =>
    action.do === 'alter' ? [{ topic, changes: action.changes }] : [],
  );
  const settings = await readSettings(
    admin,
    changed.map(({ topic }) => topic),
  );
  for (const { topic, changes } of changed) {
    const kept = (settings?.get(topic) ?? []).filter(({ configSource }) => configSource === SET_ON_TOPIC);
    const values = new Map(kept.map(({ configName, configValue }) => [configName, configValue]));
    for (const { setting, to } of changes) values.set(setting, to);
    const configEntries = Array.from(values, ([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries }] });
  }
}

function refuse(current: TopicPlan, permission: Permission): void {
  const reasons = refusals(current, permission);
  if (reasons.length === 0) return;
  const text = ['The topics cannot be used as they are:', ...reasons].join('\n');
  throw new GridfoldError('topics_refused', 'fix-configuration', text);
}
