import type { Assignment, Member, Membership, Standing } from './membership.ts';

/** The group of a process that has its log for itself: it owns every partition from the start to the end. */
export class SoleMember implements Membership {
  current: Assignment | null = null;
  readonly #partitions: number;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  async join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    const { url, version } = standing();
    const self: Member = { id: 'self', url, version };
    const partitions = Array.from({ length: this.#partitions }, (_, p) => p);
    const owners = new Map(partitions.map((p) => [p, self]));
    this.current = { generation: 1, partitions, owners, handedOver: new Set() };
    assigned(this.current);
  }

  rejoin(): void {}

  async leave(): Promise<void> {
    this.current = null;
  }
}
