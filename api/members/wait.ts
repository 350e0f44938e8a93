import type { InputTopic } from '../http/ingest.ts';
import { Problem } from '../http/problem.ts';
import { type Group, ownerOf } from './group.ts';

/** Everything below `offset` of the partition. */
export interface Wanted {
  readonly topic: InputTopic;
  readonly partition: number;
  readonly offset: number;
}

/** Reads `topic:partition:next` positions, comma separated; the schema has checked their form. */
export function parsePositions(text: string, partitions: number): Wanted[] {
  return text.split(',').map((one) => {
    const [topic, partition, offset] = one.split(':');
    if (Number(partition) >= partitions) {
      const detail = `There are ${partitions} partitions, counted from 0.`;
      throw new Problem(400, 'unknown_partition', detail, { errors: [{ pointer: '/querystring/minPos', detail }] });
    }
    return { topic: topic as InputTopic, partition: Number(partition), offset: Number(offset) };
  });
}

export function formatPositions(positions: readonly Wanted[]): string {
  return positions.map(({ topic, partition, offset }) => `${topic}:${partition}:${offset}`).join(',');
}

/** Resolves when all of it is folded, each where its partition is at work. Throws `wait_timeout`, `partition_moving`. */
export async function waitForAll(
  group: Group,
  positions: readonly Wanted[],
  timeoutMs: number,
  forwarded: boolean,
): Promise<void> {
  const owners = positions.map((one) => ({ one, owner: ownerOf(group, one.partition, forwarded) }));
  const byOwner = Map.groupBy(owners, ({ owner }) => owner?.url ?? null);
  const waits = [...byOwner.values()].map((list) => {
    const wanted = list.map(({ one }) => one);
    const [{ owner }] = list;
    if (owner === null) {
      return Promise.all(
        wanted.map(({ topic, partition, offset }) => group.engine.waitFor(topic, partition, offset, timeoutMs)),
      );
    }
    const query = new URLSearchParams({ minPos: formatPositions(wanted), timeoutMs: String(timeoutMs) });
    return group.peers.json(owner, { path: `/v1/pipeline/wait?${query}`, waitMs: timeoutMs });
  });
  await Promise.all(waits);
}
