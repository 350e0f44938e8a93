import type { Extent } from '../contract.ts';
import type { Link } from './link.ts';
import { READ_COMMITTED } from './wire/kafkajs.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

const LATEST = -1;
const EARLIEST = -2;

/** Asks the leaders for the extents of partitions of known topics, side by side, two calls to each. */
export async function listExtents(
  link: Link,
  wanted: readonly TopicPartition[],
): Promise<(TopicPartition & { extent: Extent })[]> {
  const found = new Map<string, TopicPartition & { extent: { start: number; end: number } }>();
  const ask = ([node, partitions]: readonly [number | null, TopicPartition[]]) =>
    link.persist(`offsets of node ${node}`, async () => {
      const ends = await offsetsAt(link, partitions, LATEST);
      const starts = await offsetsAt(link, partitions, EARLIEST);
      for (const [i, { topic, partition }] of partitions.entries()) {
        found.set(`${topic}/${partition}`, { topic, partition, extent: { start: starts[i], end: ends[i] } });
      }
    });
  await Promise.all([...byLeader(link, wanted)].map(ask));
  return [...found.values()];
}

/** First offset whose record is not older than `timestamp`, or null where all are. */
export async function offsetForTime(link: Link, of: TopicPartition, timestamp: number): Promise<number | null> {
  const [offset] = await link.persist('offsets by time', () => offsetsAt(link, [of], timestamp));
  return offset < 0 ? null : offset;
}

function byLeader(link: Link, wanted: readonly TopicPartition[]): Map<number | null, TopicPartition[]> {
  return Map.groupBy(wanted, ({ topic, partition }) => link.leaderOf(topic, partition));
}

/** Of partitions that one node led when they were grouped; where they moved since, the call fails and is repeated. */
async function offsetsAt(link: Link, of: readonly TopicPartition[], timestamp: number): Promise<number[]> {
  const offsets = new Map<string, number>();
  for (const [, partitions] of byLeader(link, of)) {
    const broker = await link.leader(partitions[0].topic, partitions[0].partition);
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => ({ partition, timestamp })),
    }));
    const { responses } = await broker.listOffsets({ replicaId: -1, isolationLevel: READ_COMMITTED, topics });
    for (const { topic, partitions: answers } of responses) {
      for (const { partition, offset } of answers) offsets.set(`${topic}/${partition}`, Number(offset));
    }
  }
  return of.map(({ topic, partition }) => offsets.get(`${topic}/${partition}`) ?? 0);
}
