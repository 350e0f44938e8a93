import type { Assignment, Membership, Standing } from '../../log/membership.ts';

/** A group whose assignments the test hands out. */
export class Group implements Membership {
  current: Assignment | null = null;
  rejoins = 0;
  left = false;
  readonly #partitions: number;
  standing!: () => Standing;
  assigned!: (assignment: Assignment) => void;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  async join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    this.standing = standing;
    this.assigned = assigned;
    this.give([0, 1]);
  }

  give(partitions: readonly number[], handedOver: readonly number[] = []): void {
    const member = (id: string) => ({ id, url: `http://${id}`, version: '1' });
    const all = Array.from({ length: this.#partitions }, (_, p) => p);
    const owners = new Map(all.map((p) => [p, member(partitions.includes(p) ? 'self' : 'other')]));
    const generation = (this.current?.generation ?? 0) + 1;
    this.current = { generation, partitions, owners, handedOver: new Set(handedOver) };
    this.assigned(this.current);
  }

  rejoin(): void {
    this.rejoins += 1;
  }

  async leave(): Promise<void> {
    this.left = true;
  }
}
