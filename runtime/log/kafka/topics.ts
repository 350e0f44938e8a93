import type { Admin } from 'kafkajs';
import { GridfoldError } from '../../kernel/errors.ts';
import { type KafkaConnection, kafkaClient } from './connection.ts';
import { explainFailure } from './explain-failure.ts';
import { alterTopics, createMissing, planWith } from './topic-admin.ts';
import type { TopicNeeds } from './topic-needs.ts';
import type { TopicPlan } from './topic-plan.ts';
import { type Permission, refusals } from './topic-refusals.ts';

export interface PrepareOptions extends TopicNeeds {
  /** Whether topics that are missing are created; else they are refused. */
  readonly create: boolean;
}

/** Tries of one request before brokers count as away: about 4 s, or 20 s where nothing answers at all. */
const RETRY = { retries: 4, initialRetryTime: 300, maxRetryTime: 2_000 };
const DELETE_TIMEOUT_MS = 30_000;
const ALL: Permission = { create: true, alter: true };

/** What would be done; changes nothing. Throws `kafka_unreachable` and the other errors of {@link explainFailure}. */
export async function readTopicPlan(connection: KafkaConnection, needs: TopicNeeds): Promise<TopicPlan> {
  return withAdmin(connection, (admin) => planWith(admin, needs));
}

/**
 * Creates and alters what the plan says, unless it refuses a topic: then nothing is done, and `topics_refused` names
 * each. Returns what was done, once the brokers say so too.
 */
export async function applyTopicPlan(connection: KafkaConnection, needs: TopicNeeds): Promise<TopicPlan> {
  return withAdmin(connection, async (admin) => {
    const first = await planWith(admin, needs);
    refuse(first, ALL);
    const created = await createMissing(admin, needs, first);
    refuse(created, ALL);
    await alterTopics(admin, needs, created);
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
    const first = await planWith(admin, needs);
    refuse(first, { create, alter: false });
    const made = await createMissing(admin, needs, first);
    refuse(made, { create, alter: false });
    tellOddities(made, connection.message);
    return { partitions: made.partitions };
  });
}

/** Deletes every topic of the prefix that we made or would make; those that are missing are no error. */
export async function deleteTopics(connection: KafkaConnection, needs: TopicNeeds): Promise<void> {
  await withAdmin(connection, async (admin) => {
    const { topics } = await planWith(admin, needs);
    const there = topics.filter(({ action }) => action.do !== 'create').map(({ topic }) => topic);
    if (there.length > 0) await admin.deleteTopics({ topics: there, timeout: DELETE_TIMEOUT_MS });
  });
}

function tellOddities({ topics }: TopicPlan, message: KafkaConnection['message']): void {
  for (const { topic, warnings, action } of topics) {
    for (const warning of warnings) message('warn', `topic ${topic}: ${warning}`);
    for (const { setting, from, to } of action.do === 'alter' ? action.changes : []) {
      message('warn', `topic ${topic}: ${setting} is ${from}, less than ${to}; gridfold topics apply sets it`);
    }
  }
}

function refuse(plan: TopicPlan, permission: Permission): void {
  const reasons = refusals(plan, permission);
  if (reasons.length === 0) return;
  const text = ['The topics cannot be used as they are:', ...reasons].join('\n');
  throw new GridfoldError('topics_refused', 'fix-configuration', text);
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
