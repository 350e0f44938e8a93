import type { Admin, ITopicConfig } from 'kafkajs';

const LEADERS_WITHIN_MS = 30_000;

/**
 * Creates topics and waits until each partition has a leader. A broker with much to do tells of new topics some moments
 * later, and kafkajs's own waiting takes that for a failure.
 */
export async function createLedTopics(admin: Admin, wanted: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics: wanted, waitForLeaders: false });
  const topics = wanted.map(({ topic }) => topic);
  const deadline = performance.now() + LEADERS_WITHIN_MS;
  while (!(await areLed(admin, topics))) {
    if (performance.now() > deadline) throw new Error(`${topics.join(', ')}: no leaders yet`);
  }
}

async function areLed(admin: Admin, wanted: string[]): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted });
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch {
    return false;
  }
}
