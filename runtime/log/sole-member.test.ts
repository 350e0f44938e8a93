import { expect, it } from 'vitest';
import type { Assignment } from './membership.ts';
import { SoleMember } from './sole-member.ts';

it('has every partition, also after it lost one and asked again, until it leaves', async () => {
  const member = new SoleMember(2);
  const told: Assignment[] = [];
  const standing = () => ({ url: 'http://self', version: '1', snapshots: new Map<number, number>(), owned: [] });
  await member.join(standing, (assignment) => told.push(assignment));
  member.rejoin();
  expect(told).toHaveLength(1);
  await Promise.resolve();
  expect(told.map(({ generation, partitions }) => [generation, partitions])).toEqual([
    [1, [0, 1]],
    [2, [0, 1]],
  ]);
  expect(member.current).toBe(told[1]);
  member.rejoin();
  await member.leave();
  await Promise.resolve();
  expect(told).toHaveLength(2);
  expect(member.current).toBeNull();
});
