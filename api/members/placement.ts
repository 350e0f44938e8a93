import type { Member } from '../../runtime/log/membership.ts';
import type { Engine } from '../../runtime/system/engine.ts';

/** Where each partition is at work, as of one moment. Equal objects are the same moment. */
export interface Placement {
  /** By partition: `''` here, the URL of its owner, or null while it moves. */
  readonly at: readonly (string | null)[];
}

export type Placed = Pick<Engine, 'partitions' | 'place'>;

/** The placement now; `before` itself while nothing has changed since. */
export function placementOf(engine: Placed, before?: Placement): Placement {
  const at: (string | null)[] = [];
  let isSame = before !== undefined && before.at.length === engine.partitions;
  for (let p = 0; p < engine.partitions; p++) {
    at.push(urlOf(engine, p));
    isSame &&= at[p] === before?.at[p];
  }
  return isSame ? (before as Placement) : { at };
}

function urlOf(engine: Placed, partition: number): string | null {
  const place = engine.place(partition);
  if (place.at === 'there') return place.member.url;
  return place.at === 'here' ? '' : null;
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
