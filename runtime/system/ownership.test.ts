import { describe, expect, it } from 'vitest';
import type { Assignment, Membership, Standing } from '../log/membership.ts';
import { type Holdings, Ownership } from './ownership.ts';

/** A group whose assignments the test hands out. */
class Group implements Membership {
  current: Assignment | null = null;
  rejoins = 0;
  left = false;
  standing!: () => Standing;
  assigned!: (assignment: Assignment) => void;

  async join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    this.standing = standing;
    this.assigned = assigned;
    this.give([0, 1]);
  }

  give(partitions: readonly number[], handedOver: readonly number[] = []): void {
    const member = (id: string) => ({ id, url: `http://${id}`, version: '1' });
    const owners = new Map([0, 1, 2].map((p) => [p, member(partitions.includes(p) ? 'self' : 'other')]));
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

/** Partitions at work, and every step in order; a step waits until the test lets it go. */
class Recorded implements Holdings {
  readonly steps: string[] = [];
  readonly at = new Set<number>();
  readonly gates: (() => void)[] = [];
  held = false;
  failing = -1;

  async take(partition: number, handedOver: boolean): Promise<void> {
    this.steps.push(`take ${partition}${handedOver ? ' from its owner' : ''}`);
    if (this.held) await new Promise<void>((resolve) => this.gates.push(resolve));
    if (partition === this.failing) throw new Error('cannot');
    expect(this.at.has(partition)).toBe(false);
    this.at.add(partition);
  }

  async release(partition: number): Promise<void> {
    this.steps.push(`release ${partition}`);
    expect(this.at.delete(partition)).toBe(true);
  }

  snapshots(): ReadonlyMap<number, number> {
    return new Map();
  }
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

async function open() {
  const group = new Group();
  const holdings = new Recorded();
  const ownership = new Ownership(group, holdings, 3);
  await ownership.start({ url: 'http://self', version: '1' });
  return { group, holdings, ownership };
}

describe('ownership of partitions', () => {
  it('takes what is assigned first, and says where the others are', async () => {
    const { group, holdings, ownership } = await open();
    expect([...holdings.at]).toEqual([0, 1]);
    expect(ownership.place(0)).toEqual({ at: 'here' });
    expect(ownership.place(2)).toMatchObject({ at: 'there', member: { url: 'http://other' } });
    expect(group.standing().owned).toEqual([0, 1]);
    expect(ownership.members().map((m) => m.id)).toEqual(['self', 'other']);
    expect(ownership.isSettled).toBe(true);
  });

  it('releases what went and takes what came, and leaves alone what stayed', async () => {
    const { group, holdings } = await open();
    group.give([1, 2], [2]);
    await turns();
    expect(holdings.steps.slice(2)).toEqual(['release 0', 'take 2 from its owner']);
  });

  it('does not move a partition that went and came back before its turn', async () => {
    const { group, holdings, ownership } = await open();
    holdings.held = true;
    group.give([0, 1, 2]);
    group.give([0, 1]);
    expect(ownership.place(2)).toMatchObject({ at: 'there' });
    group.give([0, 1, 2]);
    await turns();
    expect(holdings.steps.slice(2)).toEqual(['take 2']);
    holdings.gates[0]();
    await turns();
    expect([...holdings.at]).toEqual([0, 1, 2]);
  });

  it('lets a fenced partition go and asks the group, and takes it again when that says so', async () => {
    const { group, holdings, ownership } = await open();
    ownership.fenced(1);
    await turns();
    expect(holdings.steps.slice(2)).toEqual(['release 1']);
    expect(group.rejoins).toBe(1);
    expect(ownership.place(1)).toEqual({ at: 'moving' });
    group.give([0, 1]);
    await turns();
    expect(ownership.place(1)).toEqual({ at: 'here' });
  });

  it('tries a partition that could not be taken again with the next assignment', async () => {
    const { group, holdings, ownership } = await open();
    holdings.failing = 2;
    group.give([0, 1, 2]);
    await turns();
    expect(ownership.isSettled).toBe(false);
    holdings.failing = -1;
    group.give([0, 1, 2]);
    await turns();
    expect([...holdings.at]).toEqual([0, 1, 2]);
  });

  it('offers a partition that failed to the others, once, and keeps it when it comes back', async () => {
    const { group, holdings, ownership } = await open();
    ownership.failed(1);
    await turns();
    expect(group.standing()).toMatchObject({ owned: [0], unfit: [1] });
    expect(group.rejoins).toBe(1);
    holdings.failing = 1;
    group.give([0, 1]);
    await turns();
    expect(group.rejoins).toBe(1);
    expect(ownership.isSettled).toBe(false);
  });

  it('releases everything before it leaves the group', async () => {
    const { group, holdings, ownership } = await open();
    await ownership.stop();
    expect(holdings.at.size).toBe(0);
    expect(group.left).toBe(true);
  });
});
