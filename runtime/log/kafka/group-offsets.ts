import { coordinators, type Link } from './link.ts';

/** Where the consumer group's offset and the journal's disagree; topics of which the group knows nothing are left out. */
export async function groupLag(
  link: Link,
  groupId: string,
  partition: number,
  committed: ReadonlyMap<string, number>,
): Promise<{ topic: string; journal: number; group: number }[]> {
  const topics = [...committed.keys()].map((topic) => ({ topic, partitions: [{ partition }] }));
  const { responses } = await link.persist(`offsets of group ${groupId}`, async () => {
    const broker = await link.coordinator(groupId, coordinators.group);
    return broker.offsetFetch({ groupId, topics });
  });
  return responses.flatMap(({ topic, partitions }) => {
    const group = Number(partitions[0]?.offset ?? -1);
    const journal = committed.get(topic);
    return journal === undefined || group < 0 || group === journal ? [] : [{ topic, journal, group }];
  });
}
