import { describe, expect, it } from 'vitest';
import { GridfoldError } from '../kernel/errors.ts';
import { type Holdings, Ownership } from './ownership.ts';
import { Group } from './testing/group.ts';

/** Partitions at work, and every step in order; a step waits until the test lets it go. */
class Recorded implements Holdings {
  readonly steps: string[] = [];
  readonly at = new Set<number>();
  /** What could not be taken, until it is released or taken anew. */
  readonly left = new Set<number>();
  readonly gates: (() => void)[] = [];
  held = false;
  failing = -1;
  failure = new Error('cannot');

  async take(partition: number, handedOver: boolean): Promise<void> {
    this.steps.push(`take ${partition}${handedOver ? ' from its owner' : ''}`);
    if (this.held) await new Promise<void>((resolve) => this.gates.push(resolve));
    const isLeft = this.left.delete(partition);
    expect(this.at.has(partition)).toBe(isLeft);
    this.at.add(partition);
    if (partition !== this.failing) return;
    this.left.add(partition);
    throw this.failure;
  }

  async release(partition: number): Promise<void> {
    this.steps.push(`release ${partition}`);
    expect(this.at.delete(partition)).toBe(true);
    this.left.delete(partition);
  }

  snapshots(): ReadonlyMap<number, number> {
    return new Map();
  }
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

async function open() {
  const group = new Group(3);
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

  it('does not call a partition unfit that moved on, or was claimed, while it was taken', async () => {
    const { group, holdings, ownership } = await open();
    holdings.held = true;
    holdings.failing = 2;
    group.give([0, 1, 2]);
    await turns();
    expect(ownership.isOurs(2)).toBe(true);
    group.give([0, 1]);
    expect(ownership.isOurs(2)).toBe(false);
    holdings.gates[0]();
    await turns();
    expect(group.standing()).toMatchObject({ owned: [0, 1], unfit: [] });
    expect(group.rejoins).toBe(0);
    holdings.held = false;
    holdings.failure = new GridfoldError('log_fenced', 'rejoin', 'claimed by another');
    group.give([0, 1, 2]);
    await turns();
    expect(group.standing()).toMatchObject({ owned: [0, 1], unfit: [] });
    expect(group.rejoins).toBe(1);
    group.give([0, 1]);
    await turns();
    expect([...holdings.at]).toEqual([0, 1]);
  });

  it('releases everything before it leaves the group', async () => {
    const { group, holdings, ownership } = await open();
    await ownership.stop();
    expect(holdings.at.size).toBe(0);
    expect(group.left).toBe(true);
  });
});
