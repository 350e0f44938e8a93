import type { Extent } from '../contract.ts';
import { journalLost } from './failures.ts';
import { type Fetcher, nextStored } from './fetcher.ts';
import { decodeFrame, type JournalFrame } from './journal-frame.ts';
import { passing } from './link.ts';

/** The newest committed journal record, and the offset after it. */
export interface NewestFrame extends JournalFrame {
  readonly next: number;
}

/** What is needed to look for it: an answer to one fetch. */
export type FetchOnce = Pick<Fetcher, 'once'>;

/**
 * Looks for the newest committed record from the end of a journal's partition backwards, in steps that double: behind it
 * lie the markers and the records of aborted transactions. Null where nothing was ever committed; throws `journal_lost`
 * where retention has removed all, and an error that passes where a leader does not give out what lies below `end`: an
 * older record would be taken for the newest.
 */
export async function newestFrame(
  fetcher: FetchOnce,
  topic: string,
  partition: number,
  { start, end }: Extent,
): Promise<NewestFrame | null> {
  for (let back = 2, from = end; from > start; back *= 2) {
    const to = from;
    from = Math.max(start, end - back);
    const found = await lastBetween(fetcher, topic, partition, from, to);
    if (found !== null) return found;
  }
  if (start > 0) throw journalLost(topic, partition, start);
  return null;
}

/** The last committed record of `[from, to)`. */
async function lastBetween(
  fetcher: FetchOnce,
  topic: string,
  partition: number,
  from: number,
  to: number,
): Promise<NewestFrame | null> {
  let found: NewestFrame | null = null;
  for (let next = from; next < to; ) {
    const { segment } = await fetcher.once(topic, partition, next);
    if (segment === null || segment.nextOffset <= next) {
      throw passing(`the leader of ${topic}/${partition} gives nothing at ${next}, and it ends at ${to} or later`);
    }
    while (!segment.isRead) {
      for (const { baseOffset, count, bytes, valueStart, valueEnd } of await nextStored(topic, partition, segment)) {
        if (count === 0) continue;
        const frame = decodeFrame(bytes, valueStart[count - 1], valueEnd[count - 1]);
        found = { ...frame, next: baseOffset + count };
      }
    }
    next = segment.nextOffset;
  }
  return found;
}
