import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, type Sharing, share } from './assigner.ts';

function member(id: string, facts: Partial<Omit<Candidate, 'id'>> = {}): Candidate {
  const nothing = new Set<number>();
  return { id, generation: 0, assigned: nothing, owned: nothing, snapshots: new Map(), unfit: nothing, ...facts };
}

function partitionsOf(sharing: Sharing, id: string): number[] {
  return [...sharing.owners.keys()].filter((p) => sharing.owners[p] === id);
}

/** The member as it states itself once it works on what it was given. */
function settled(m: Candidate, sharing: Sharing, generation: number): Candidate {
  const owned = new Set(partitionsOf(sharing, m.id));
  return { ...m, generation, owned, assigned: owned };
}

const anySet = (count: number) => fc.uniqueArray(fc.nat(count - 1)).map((list) => new Set(list));
const anyMember = (count: number): fc.Arbitrary<Omit<Candidate, 'id'>> =>
  fc.record({
    generation: fc.nat(3),
    assigned: anySet(count),
    owned: anySet(count),
    snapshots: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(5))).map((list) => new Map(list)),
    unfit: anySet(count),
  });
const anyGroup = fc
  .integer({ min: 1, max: 24 })
  .chain((count) =>
    fc
      .array(anyMember(count), { minLength: 1, maxLength: 7 })
      .map((facts) => ({ count, members: facts.map((f, i) => ({ id: `m${i}`, ...f })) })),
  );
const anyFreshGroup = fc.record({ count: fc.integer({ min: 1, max: 64 }), size: fc.integer({ min: 1, max: 9 }) });

describe('sharing out partitions', () => {
  it('gives every partition one owner, and sizes differ by at most one, whatever members say', () => {
    fc.assert(
      fc.property(anyGroup, ({ count, members }) => {
        const sharing = share(count, members);
        expect(sharing.owners).toHaveLength(count);
        const sizes = members.map((m) => partitionsOf(sharing, m.id).length);
        expect(sizes.reduce((a, b) => a + b)).toBe(count);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('does not depend on the order of the members', () => {
    fc.assert(
      fc.property(
        anyGroup.chain((g) =>
          fc.record({ group: fc.constant(g), order: fc.shuffledSubarray(g.members, { minLength: g.members.length }) }),
        ),
        ({ group, order }) => {
          expect(share(group.count, order)).toEqual(share(group.count, group.members));
        },
      ),
    );
  });

  it('moves nothing while the group stays the same', () => {
    fc.assert(
      fc.property(anyGroup, ({ count, members }) => {
        const fit = members.map((m) => ({ ...m, unfit: new Set<number>() }));
        const first = share(count, fit);
        const again = share(
          count,
          fit.map((m) => settled(m, first, 4)),
        );
        expect(again).toEqual({ owners: first.owners, handedOver: new Set() });
      }),
    );
  });

  it('moves at most the share of a member that joins, all of it to that member', () => {
    fc.assert(
      fc.property(anyFreshGroup, ({ count, size }) => {
        const members = Array.from({ length: size }, (_, i) => member(`m${i}`));
        const before = share(count, members);
        const after = share(count, [member('a newcomer'), ...members.map((m) => settled(m, before, 1))]);
        const moved = [...after.owners.keys()].filter((p) => after.owners[p] !== before.owners[p]);
        expect(moved).toEqual(partitionsOf(after, 'a newcomer'));
        expect(moved.length).toBeLessThanOrEqual(Math.ceil(count / (size + 1)));
        expect([...after.handedOver].sort((a, b) => a - b)).toEqual(moved);
      }),
    );
  });

  it('leaves those who stay what they have when a member goes', () => {
    fc.assert(
      fc.property(anyFreshGroup, ({ count, size }) => {
        const members = Array.from({ length: size + 1 }, (_, i) => member(`m${i}`));
        const before = share(count, members);
        const after = share(
          count,
          members.slice(1).map((m) => settled(m, before, 1)),
        );
        const moved = [...after.owners.keys()].filter((p) => after.owners[p] !== before.owners[p]);
        expect(moved).toEqual(partitionsOf(before, 'm0'));
        expect(after.handedOver.size).toBe(0);
      }),
    );
  });

  it('prefers the newest local snapshot for a partition that nobody has at work', () => {
    const old = member('a', { snapshots: new Map([[0, 4], [1, 9]]) }); // biome-ignore format: a table
    const fresh = member('b', { snapshots: new Map([[0, 7], [1, 2]]) }); // biome-ignore format: a table
    expect(share(2, [old, fresh]).owners).toEqual(['b', 'a']);
  });

  it('hands a member that comes back the partitions it has snapshots of', () => {
    const snapshots = new Map([4, 5].map((p): [number, number] => [p, 10]));
    const back = member('back', { snapshots });
    const others = ['x', 'y'].map((id, i) => {
      const owned = new Set([3 * i, 3 * i + 1, 3 * i + 2]);
      return member(id, { generation: 1, owned, assigned: owned, snapshots: new Map([...owned].map((p) => [p, 12])) });
    });
    const sharing = share(6, [back, ...others]);
    expect(partitionsOf(sharing, 'back')).toContain(5);
    expect(sharing.owners.filter((id) => id === 'back')).toHaveLength(2);
    expect(sharing.handedOver).toEqual(new Set(partitionsOf(sharing, 'back')));
  });

  it('believes the newer assignment when two members say that they have a partition at work', () => {
    const zombie = member('a', { generation: 3, owned: new Set([0, 1]), assigned: new Set([0, 1]) });
    const rightful = member('b', { generation: 5, owned: new Set([0, 1]), assigned: new Set([0, 1]) });
    const sharing = share(2, [zombie, rightful]);
    expect(sharing.handedOver.size).toBe(1);
    expect(sharing.owners[[...sharing.handedOver][0]]).toBe('a');
  });

  it('believes the one it was given to while the owner before is about to hand it over', () => {
    const leaving = member('a', { generation: 5, owned: new Set([0, 1]), assigned: new Set([1]) });
    const taking = member('b', { generation: 5, owned: new Set([0]), assigned: new Set([0]) });
    expect(share(2, [leaving, taking])).toEqual({ owners: ['b', 'a'], handedOver: new Set() });
  });

  it('does not give a partition back to where it failed, if there is another member', () => {
    const assigned = new Set([0, 1]);
    const failed = member('a', { generation: 2, assigned, owned: new Set([1]), unfit: new Set([0]) });
    const other = member('b', { generation: 2, assigned: new Set([2, 3]), owned: new Set([2, 3]) });
    const sharing = share(4, [failed, other]);
    expect(sharing.owners[0]).toBe('b');
    expect(partitionsOf(sharing, 'a')).toHaveLength(2);
    expect(share(1, [member('a', { unfit: new Set([0]) })]).owners).toEqual(['a']);
  });
});
