import type { Assignment, Membership, Standing } from '../../runtime/log/membership.ts';

/** Owns the partitions that it was given, from the start to the end: rebalances are no part of the figures. */
export class FixedMember implements Membership {
  current: Assignment | null = null;
  readonly #partitions: readonly number[];

  constructor(partitions: readonly number[]) {
    this.#partitions = partitions;
  }

  async join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    const { url, version } = standing();
    const owners = new Map(this.#partitions.map((p) => [p, { id: 'self', url, version }]));
    this.current = { generation: 1, partitions: this.#partitions, owners, handedOver: new Set() };
    assigned(this.current);
  }

  rejoin(): void {}

  async leave(): Promise<void> {
    this.current = null;
  }
}
