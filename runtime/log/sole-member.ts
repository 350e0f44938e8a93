import type { Assignment, Member, Membership, Standing } from './membership.ts';

/** The group of a process that has its log for itself: it owns every partition from the start to the end. */
export class SoleMember implements Membership {
  current: Assignment | null = null;
  readonly #partitions: number;
  #assigned: (assignment: Assignment) => void = () => {};

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  async join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    const { url, version } = standing();
    const self: Member = { id: 'self', url, version };
    const partitions = Array.from({ length: this.#partitions }, (_, p) => p);
    const owners = new Map(partitions.map((p) => [p, self]));
    this.current = { generation: 1, partitions, owners, handedOver: new Set() };
    this.#assigned = assigned;
    assigned(this.current);
  }

  /** There is nobody to share with: what was let go, because its claim was lost, comes back. */
  rejoin(): void {
    queueMicrotask(() => {
      if (this.current === null) return;
      this.current = { ...this.current, generation: this.current.generation + 1 };
      this.#assigned(this.current);
    });
  }

  async leave(): Promise<void> {
    this.current = null;
  }
}
