import type { Retention } from '../contract.ts';
import type { Link } from './link.ts';
import { listExtents, offsetForTime, type TopicPartition } from './list-offsets.ts';

/**
 * Deletes what `retention` lets go below `notPast` and returns the new start, or null where nothing goes. How many bytes
 * a partition holds only the broker knows: of `maxBytes` only 0 (nothing is kept) is heeded; a bound in between is the
 * topic's retention.bytes.
 */
export async function trimTo(
  link: Link,
  of: TopicPartition,
  { maxAgeMs, maxBytes }: Retention,
  notPast: number,
  now: number,
): Promise<number | null> {
  const [{ extent }] = await listExtents(link, [of]);
  const upTo = Math.min(notPast, extent.end);
  const isKept = maxBytes > 0 && maxAgeMs === Number.POSITIVE_INFINITY;
  if (isKept || upTo <= extent.start) return null;
  const youngest = maxBytes === 0 ? upTo : ((await offsetForTime(link, of, now - maxAgeMs)) ?? upTo);
  const offset = Math.min(upTo, youngest);
  if (offset <= extent.start) return null;
  const { topic, partition } = of;
  await link.persist(`trimming ${topic}/${partition}`, async () => {
    const broker = await link.leader(topic, partition);
    await broker.deleteRecords({ topics: [{ topic, partitions: [{ partition, offset: String(offset) }] }] });
  });
  return offset;
}
