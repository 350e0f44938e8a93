import type { Member } from '../../runtime/log/membership.ts';
import { Problem } from '../http/problem.ts';
import { partitionName } from './gather.ts';
import { endOfRun, type Placed } from './placement.ts';

export interface Page<T> {
  readonly items: T[];
  readonly cursor: string | null;
  /** As in {@link Gathered}. */
  readonly incomplete: readonly string[];
}

export interface PageSource<T> {
  /** Of the partitions here, from the cursor on, before the partition `until`. */
  here(cursor: string, limit: number, until: number): { items: T[]; cursor: string | null };
  /** Of another process: of its partitions that follow each other from the cursor on. */
  there(member: Member, cursor: string, limit: number): Promise<{ items: T[]; cursor: string | null }>;
}

const CURSOR = /^\d{1,6}\.\d{1,10}\.\d{1,10}$/;
/** Other processes are asked so often for one page; a page that is not full by then has a cursor to go on from. */
const maxAsked = 16;

/**
 * A page over all partitions in their order, whoever has them. A request that was passed on is answered with what
 * stands here without a break, and a cursor at the first partition that does not.
 */
export async function pageOverGroup<T>(
  engine: Placed,
  source: PageSource<T>,
  query: { readonly cursor?: string; readonly limit: number },
  forwarded: boolean,
): Promise<Page<T>> {
  if (query.cursor !== undefined && !CURSOR.test(query.cursor)) throw badCursor();
  const items: T[] = [];
  const missing = new Set<string>();
  let cursor = query.cursor ?? '0.0.0';
  for (let asked = 0; items.length < query.limit && asked < maxAsked; ) {
    const partition = Number(cursor.split('.', 1)[0]);
    if (partition >= engine.partitions) break;
    const place = engine.place(partition);
    const left = query.limit - items.length;
    if (place.at === 'here') {
      const until = endOfRun(engine, partition);
      const page = source.here(cursor, left, until);
      items.push(...page.items);
      cursor = page.cursor ?? startOf(until);
      if (page.cursor !== null) break;
    } else if (forwarded) {
      break;
    } else if (place.at === 'there' && !missing.has(place.member.url)) {
      asked += 1;
      const page = await fromOther(source, place.member, cursor, left);
      if (page === null) missing.add(place.member.url);
      else items.push(...page.items);
      cursor = page === null ? startOf(partition + 1) : (page.cursor ?? startOf(engine.partitions));
    } else {
      if (place.at === 'moving') missing.add(partitionName(partition));
      cursor = startOf(partition + 1);
    }
  }
  const isEnd = Number(cursor.split('.', 1)[0]) >= engine.partitions;
  return { items, cursor: isEnd ? null : cursor, incomplete: [...missing] };
}

/** Null where it gave nothing: it is away, or has not taken the partition yet. */
async function fromOther<T>(source: PageSource<T>, member: Member, cursor: string, limit: number) {
  try {
    const page = await source.there(member, cursor, limit);
    return page.cursor === cursor ? null : page;
  } catch (error) {
    if (error instanceof Problem && error.status === 503) return null;
    throw error;
  }
}

function startOf(partition: number): string {
  return `${partition}.0.0`;
}

function badCursor(): Problem {
  const detail = 'Give the cursor of the page before, with the same search.';
  return new Problem(400, 'bad_cursor', detail, { errors: [{ pointer: '/querystring/cursor', detail }] });
}
