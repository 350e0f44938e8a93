import { GridfoldError } from '../kernel/errors.ts';
import type { Assignment, Member, Membership, Standing } from '../log/membership.ts';

/** What takes up and gives back a partition as a whole: all actor types of it. Calls for one partition come one at a time. */
export interface Holdings {
  /** Claims and recovers the partition. `handedOver`: its owner before us is alive and about to release it. */
  take(partition: number, handedOver: boolean): Promise<void>;
  /** Commits, snapshots, lets go. Does not reject: what could not be finished the next owner replays. */
  release(partition: number): Promise<void>;
  /** Newest snapshot by partition, as {@link Standing.snapshots}. */
  snapshots(): ReadonlyMap<number, number>;
}

/** Where a partition is assigned to; here only once it is held. */
export type Assigned =
  | { readonly at: 'here' }
  | { readonly at: 'there'; readonly member: Member }
  | { readonly at: 'moving' };

/**
 * Which partitions this process works on: follows the assignments of the group, one step at a time per partition. A step
 * looks at the newest assignment when its turn comes, so that a partition that goes and comes back meanwhile is not moved.
 */
export class Ownership {
  readonly #membership: Membership;
  readonly #holdings: Holdings;
  readonly #held = new Set<number>();
  /** Failed here for good; another process may do better. */
  readonly #unfit = new Set<number>();
  /** Could not be taken; what is left of the attempt is still here. */
  readonly #refused = new Set<number>();
  readonly #turns = new Map<number, Promise<void>>();
  readonly #partitions: number;
  #stopping = false;

  constructor(membership: Membership, holdings: Holdings, partitions: number) {
    this.#membership = membership;
    this.#holdings = holdings;
    this.#partitions = partitions;
  }

  /** Joins the group; resolves when what was assigned first is at work, rejects with what keeps a partition from it. */
  async start(self: { readonly url: string; readonly version: string }): Promise<void> {
    const standing = (): Standing => ({
      ...self,
      owned: [...this.#held],
      unfit: [...this.#unfit],
      snapshots: this.#holdings.snapshots(),
    });
    let first: readonly Promise<void>[] | null = null;
    await this.#membership.join(standing, (assignment) => {
      const turns = this.#follow(assignment);
      first ??= turns;
      for (const turn of turns) turn.catch(() => {});
    });
    await Promise.all(first ?? []);
  }

  /** Another process has claimed the partition: it is let go here, and the group is asked who is to have it. */
  fenced(partition: number): void {
    if (this.#stopping) return;
    this.#turn(partition, async () => {
      if (!this.#held.delete(partition)) return;
      await this.#holdings.release(partition);
      this.#membership.rejoin();
    }).catch(() => {});
  }

  /** The partition cannot go on here, by a fault that does not pass: others may have it, if there are any. */
  failed(partition: number): void {
    if (this.#stopping) return;
    this.#turn(partition, async () => {
      if (!this.#held.has(partition) || !this.#offer(partition)) return;
      this.#held.delete(partition);
      await this.#holdings.release(partition);
    }).catch(() => {});
  }

  /** Offers the partition to the group, once: who gets it back after that keeps it as it is. */
  #offer(partition: number): boolean {
    const others = this.members().length > 1;
    if (!others || this.#unfit.has(partition)) return false;
    this.#unfit.add(partition);
    this.#membership.rejoin();
    return true;
  }

  /** Whether the partition is to be at work here, as far as is known now. */
  isOurs(partition: number): boolean {
    return !this.#stopping && (this.#membership.current?.partitions.includes(partition) ?? false);
  }

  place(partition: number): Assigned {
    const assignment = this.#membership.current;
    if (assignment === null) return { at: 'moving' };
    if (assignment.partitions.includes(partition)) return this.#held.has(partition) ? { at: 'here' } : { at: 'moving' };
    const member = assignment.owners.get(partition);
    return member === undefined ? { at: 'moving' } : { at: 'there', member };
  }

  /** Whether there is an assignment, and everything of it is held here. */
  get isSettled(): boolean {
    return this.#membership.current?.partitions.every((p) => this.#held.has(p)) ?? false;
  }

  /** Everybody in the group who owns something, this process included. */
  members(): readonly Member[] {
    const owners = this.#membership.current?.owners.values() ?? [];
    return [...new Map([...owners].map((member) => [member.id, member])).values()];
  }

  /** Releases everything, then leaves the group: the others can go on where we ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const releases = [...this.#held].map((p) => this.#turn(p, () => this.#holdings.release(p)));
    await Promise.all(releases);
    this.#held.clear();
    await this.#membership.leave();
  }

  #follow({ partitions, handedOver }: Assignment): Promise<void>[] {
    const ours = new Set(partitions);
    const turns: Promise<void>[] = [];
    for (let p = 0; p < this.#partitions; p++) {
      if (ours.has(p) || this.#turns.has(p)) turns.push(this.#turn(p, () => this.#settle(p, handedOver.has(p))));
    }
    return turns;
  }

  async #settle(partition: number, handedOver: boolean): Promise<void> {
    const current = this.#membership.current;
    if (current === null || this.#stopping) return;
    const isOurs = current.partitions.includes(partition);
    if (!isOurs) return this.#letGo(partition);
    if (this.#held.has(partition)) return;
    this.#held.add(partition);
    try {
      await this.#holdings.take(partition, handedOver);
      this.#unfit.delete(partition);
      this.#refused.delete(partition);
    } catch (error) {
      await this.#afterRefusal(partition, error);
    }
  }

  /** What failed here stays for people to see, as long as the partition belongs here. */
  async #letGo(partition: number): Promise<void> {
    const isHere = this.#held.delete(partition) || this.#refused.has(partition);
    this.#refused.delete(partition);
    if (isHere) await this.#holdings.release(partition);
  }

  async #afterRefusal(partition: number, error: unknown): Promise<void> {
    this.#held.delete(partition);
    this.#refused.add(partition);
    // It went elsewhere meanwhile: then that is why, and no fault. Should it stay after all, we are told again.
    if (!this.isOurs(partition) && !this.#stopping) return this.#letGo(partition);
    if (error instanceof GridfoldError && error.reaction === 'rejoin') this.#membership.rejoin();
    else this.#offer(partition);
    throw error;
  }

  /** After what is under way for the partition, whatever became of it. */
  #turn(partition: number, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(partition) ?? Promise.resolve();
    const turn = before.catch(() => {}).then(work);
    this.#turns.set(partition, turn);
    return turn;
  }
}
