/** A process of the group as the others know it. */
export interface Member {
  /** Name within the group, for people. */
  readonly id: string;
  /** Where it serves HTTP and WebSocket, for instance `http://10.0.0.7:4343`. */
  readonly url: string;
  /** Release and machine versions, to notice and report skew. */
  readonly version: string;
}

/** Who owns which partition, as of one generation of the group. The same for all members that know the generation. */
export interface Assignment {
  /** Grows with every assignment. */
  readonly generation: number;
  /** Partitions that this process owns from now on, ascending. A partition means all topics' partitions of that number. */
  readonly partitions: readonly number[];
  /** By partition. */
  readonly owners: ReadonlyMap<number, Member>;
  /**
   * Partitions that are ours now and were another living member's before: it is about to hand them over. Its release
   * is worth waiting for, a short time; the claim fences it in any case.
   */
  readonly handedOver: ReadonlySet<number>;
}

/** What this process says of itself when partitions are shared out. */
export interface Standing {
  readonly url: string;
  readonly version: string;
  /** Newest local snapshot by partition, as a number that grows with commits: who has the newest is preferred. */
  readonly snapshots: ReadonlyMap<number, number>;
  /** Partitions at work here now, those that are being taken over included. */
  readonly owned: readonly number[];
  /** Partitions that failed here and that another process may do better: given to others while there are others. */
  readonly unfit?: readonly number[];
}

/** The group of processes that share the partitions. Without Kafka it has one member (sole-member.ts). */
export interface Membership {
  /**
   * Joins. `standing` is asked whenever partitions are shared out; `assigned` is called with each new assignment, in
   * order, synchronously, and must return at once. It is called again with one that was `current`, was not for a while,
   * and proves to hold still. Resolves after the first assignment.
   */
  join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void>;

  /**
   * The newest assignment that is known here; null before the first, and as soon as the group may have gone on without
   * this process: others may own its partitions then. It stays while the partitions are being shared out anew.
   */
  readonly current: Assignment | null;

  /** Asks for a new sharing-out, for instance after a partition failed here that is then `unfit` in the standing. */
  rejoin(): void;

  /** Leaves the group; the others share out at once. Call it after everything is released. */
  leave(): Promise<void>;
}
