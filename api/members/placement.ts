import type { Member } from '../../runtime/log/membership.ts';
import type { Engine } from '../../runtime/system/engine.ts';

/** Where each partition is at work, as of one moment. Equal objects are the same moment. */
export interface Placement {
  /** By partition: `''` here, the URL of its owner, or null while it moves. */
  readonly at: readonly (string | null)[];
  /** By partition, for those that are here: what grows with each start here. */
  readonly starts: readonly number[];
}

export type Placed = Pick<Engine, 'partitions' | 'place'>;

/** The placement now; `before` itself while nothing has changed since. */
export function placementOf(engine: Placed, before?: Placement): Placement {
  const at: (string | null)[] = [];
  const starts: number[] = [];
  for (let p = 0; p < engine.partitions; p++) {
    const place = engine.place(p);
    at.push(place.at === 'there' ? place.member.url : place.at === 'here' ? '' : null);
    starts.push(place.at === 'here' ? place.starts : 0);
  }
  const now = { at, starts };
  return before !== undefined && at.every((_, p) => isSame(before, now, p)) ? before : now;
}

/** Whether the partition has been at the same place all the time. */
export function isSame(before: Placement, now: Placement, partition: number): boolean {
  return before.at[partition] === now.at[partition] && before.starts[partition] === now.starts[partition];
}

/** The other processes that have partitions at work, and the partitions that nobody has now. */
export function elsewhere(engine: Placed): { readonly members: readonly Member[]; readonly moving: readonly number[] } {
  const members = new Map<string, Member>();
  const moving: number[] = [];
  for (let p = 0; p < engine.partitions; p++) {
    const place = engine.place(p);
    if (place.at === 'there') members.set(place.member.url, place.member);
    else if (place.at === 'moving') moving.push(p);
  }
  return { members: [...members.values()], moving };
}

/** The first partition from `from` that is not here. */
export function endOfRun(engine: Placed, from: number): number {
  let p = from;
  while (p < engine.partitions && engine.place(p).at === 'here') p++;
  return p;
}
