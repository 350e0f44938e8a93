import { elsewhere } from './placement.ts';
import type { Group } from './group.ts';
import type { Question } from './peers.ts';

export interface Gathered<T> {
  readonly answers: readonly T[];
  /** URLs of the processes that gave no answer, and `partition N` for those that nobody has now. */
  readonly incomplete: readonly string[];
}

/** The answers of all other processes that have partitions, asked at the same time. */
export async function gather<T>({ engine, peers }: Group, question: Question): Promise<Gathered<T>> {
  const { members, moving } = elsewhere(engine);
  const results = await Promise.allSettled(members.map((member) => peers.json<T>(member, question)));
  const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const silent = members.filter((_, i) => results[i].status === 'rejected').map(({ url }) => url);
  return { answers, incomplete: [...silent, ...moving.map(partitionName)] };
}

export function partitionName(partition: number): string {
  return `partition ${partition}`;
}

/** The field that says what an answer lacks; absent where it lacks nothing. */
export function lacking(incomplete: readonly string[]): { incomplete?: readonly string[] } {
  return incomplete.length === 0 ? {} : { incomplete };
}
