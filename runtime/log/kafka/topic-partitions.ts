import { KAFKA_PARTITIONS } from './topic-needs.ts';

/** As the option `partitions` allows. */
const MOST_PARTITIONS = 256;

export interface PartitionChoice {
  readonly partitions: number;
  /** By topic: why its number of partitions cannot be used, and what to do. */
  readonly problems: ReadonlyMap<string, string>;
}

/**
 * The number of partitions of all topics, which must be one: an asset has the same partition in each of them.
 * `found` says how many there are in those that exist, the leading topic first; `configured` is what was asked for.
 */
export function choosePartitions(found: ReadonlyMap<string, number>, configured: number | null): PartitionChoice {
  const [leader] = found;
  const partitions = configured ?? leader?.[1] ?? KAFKA_PARTITIONS;
  const problems = new Map<string, string>();
  const agree = new Set(found.values()).size <= 1;
  for (const [topic, count] of found) {
    if (count > MOST_PARTITIONS) problems.set(topic, tooMany(count));
    else if (count === partitions) continue;
    else if (agree) problems.set(topic, otherThanAsked(count, partitions));
    else problems.set(topic, otherThan(count, partitions, configured === null ? leader[0] : null));
  }
  return { partitions, problems };
}

function tooMany(count: number): string {
  return `${count} partitions, and ${MOST_PARTITIONS} is the most that can be folded. Use another kafka.topicPrefix.`;
}

function otherThanAsked(count: number, asked: number): string {
  return (
    `${count} partitions there, and partitions is ${asked}. An asset's partition is the hash of its serial over their number, ` +
    `so the number stays. Set partitions to ${count} or leave it out, or use another kafka.topicPrefix.`
  );
}

function otherThan(count: number, wanted: number, leader: string | null): string {
  const other = leader === null ? `partitions is ${wanted}` : `${leader} has ${wanted}`;
  return (
    `${count} partitions, and ${other}. An asset must have the same partition in all topics. ` +
    'If nothing stands in it, delete it and it is created anew; else use another kafka.topicPrefix.'
  );
}
