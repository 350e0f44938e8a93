/** What the assigner knows of a member of the group. */
export interface Candidate {
  readonly id: string;
  /** Newest assignment the member knows, 0 for none: a member that was away states what others own by now. */
  readonly generation: number;
  /** What that assignment gave it. */
  readonly assigned: ReadonlySet<number>;
  /** Partitions at work there. */
  readonly owned: ReadonlySet<number>;
  /** Newest local snapshot by partition. */
  readonly snapshots: ReadonlyMap<number, number>;
  /** Partitions that failed there. */
  readonly unfit: ReadonlySet<number>;
}

/** Who gets what. */
export interface Sharing {
  /** Index is the partition, value the id of its owner. */
  readonly owners: readonly string[];
  /** Partitions that leave a living member for another. */
  readonly handedOver: ReadonlySet<number>;
}

/**
 * Shares out the partitions: each to one member, sizes differ by at most one. Who has a partition at work keeps it as
 * far as that allows; one that has to move goes to the newest local snapshot, and else to who has least. The order
 * of the candidates does not matter.
 */
export function share(partitions: number, candidates: readonly Candidate[]): Sharing {
  if (candidates.length === 0) throw new RangeError('No member to share the partitions out to.');
  const members = [...candidates].sort(byId);
  const holders = Array.from({ length: partitions }, (_, p) => holderOf(p, members));
  const seats = new Seats(partitions, members);
  keep(seats, holders);
  placeWarm(seats);
  placeRest(seats);
  swapUnfit(seats);
  const owners = seats.owners.map((owner) => owner!.id);
  const moved = owners.map((owner, p) => (holders[p] !== null && holders[p].id !== owner ? p : -1));
  return { owners, handedOver: new Set(moved.filter((p) => p >= 0)) };
}

/** The places at the table: who sits where, and how many more each may take. */
class Seats {
  readonly owners: (Candidate | null)[];
  readonly members: readonly Candidate[];
  readonly #least: number;
  readonly #sizes: Map<Candidate, number>;
  /** How many members may still hold one more than the least. */
  #extras: number;

  constructor(partitions: number, members: readonly Candidate[]) {
    this.owners = Array.from({ length: partitions }, () => null);
    this.members = members;
    this.#least = Math.floor(partitions / members.length);
    this.#extras = partitions % members.length;
    this.#sizes = new Map(members.map((m) => [m, 0]));
  }

  size(member: Candidate): number {
    return this.#sizes.get(member)!;
  }

  room(member: Candidate): number {
    const size = this.size(member);
    return Math.max(0, this.#least - size) + (size <= this.#least && this.#extras > 0 ? 1 : 0);
  }

  give(p: number, member: Candidate): void {
    const size = this.size(member);
    if (size === this.#least) this.#extras -= 1;
    this.#sizes.set(member, size + 1);
    this.owners[p] = member;
  }

  /** Those of the open partitions. */
  open(): number[] {
    return [...this.owners.keys()].filter((p) => this.owners[p] === null);
  }
}

/** Who has the partition at work. Of several that say so, who was given it by the newest assignment. */
function holderOf(p: number, members: readonly Candidate[]): Candidate | null {
  const claim = (m: Candidate): [number, number, number] => [m.generation, m.assigned.has(p) ? 1 : 0, snapshot(m, p)];
  return best(
    members.filter((m) => m.owned.has(p)),
    claim,
  );
}

/** Holders keep what they have up to their room; who has most comes first to the larger shares. */
function keep(seats: Seats, holders: readonly (Candidate | null)[]): void {
  const held = new Map(seats.members.map((m): [Candidate, number[]] => [m, []]));
  holders.forEach((holder, p) => {
    if (holder !== null && !holder.unfit.has(p)) held.get(holder)!.push(p);
  });
  const hungry = seats.members.filter((m) => held.get(m)!.length < seats.room(m));
  for (const [member, own] of [...held].sort(([, a], [, b]) => b.length - a.length)) {
    const lead = (p: number) => snapshot(member, p) - Math.max(-1, ...hungry.map((m) => snapshot(m, p)));
    const dearestFirst = own.sort((a, b) => lead(b) - lead(a) || a - b);
    for (const p of dearestFirst.slice(0, seats.room(member))) seats.give(p, member);
  }
}

/** Open partitions go to the newest snapshot, as long as there is room. */
function placeWarm(seats: Seats): void {
  for (const p of seats.open()) {
    const warm = seats.members.filter((m) => seats.room(m) > 0 && m.snapshots.has(p) && !m.unfit.has(p));
    const owner = best(warm, (m) => [snapshot(m, p), -seats.size(m)]);
    if (owner !== null) seats.give(p, owner);
  }
}

function placeRest(seats: Seats): void {
  for (const p of seats.open()) {
    const free = seats.members.filter((m) => seats.room(m) > 0);
    seats.give(p, best(free, (m) => [m.unfit.has(p) ? 0 : 1, -seats.size(m)])!);
  }
}

/** A partition that came back to where it failed changes places with one of a member that may do better. */
function swapUnfit(seats: Seats): void {
  const { owners } = seats;
  owners.forEach((owner, p) => {
    if (!owner!.unfit.has(p)) return;
    const other = owners.findIndex((m, q) => !m!.unfit.has(p) && !owner!.unfit.has(q) && m !== owner);
    if (other >= 0) [owners[p], owners[other]] = [owners[other], owner];
  });
}

function snapshot(member: Candidate, p: number): number {
  return member.snapshots.get(p) ?? -1;
}

function byId(a: Candidate, b: Candidate): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The one that ranks highest, place by place; the first of equals; null of none. */
function best(members: readonly Candidate[], rank: (member: Candidate) => readonly number[]): Candidate | null {
  return members.reduce<Candidate | null>((top, m) => (top === null || higher(rank(m), rank(top)) ? m : top), null);
}

function higher(a: readonly number[], b: readonly number[]): boolean {
  const place = a.findIndex((value, i) => value !== b[i]);
  return place >= 0 && a[place] > b[place];
}
