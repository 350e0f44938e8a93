import { expect, test } from 'vitest';
import type { Place } from '../../runtime/system/engine.ts';
import { elsewhere, endOfRun, isSame, placementOf } from './placement.ts';

const here = (starts = 1): Place => ({ at: 'here', starts });
const there = (url: string): Place => ({ at: 'there', member: { id: url, url, version: '1' } });
const moving: Place = { at: 'moving' };
const engine = (...places: Place[]) => ({ partitions: places.length, place: (p: number) => places[p] });

test('a placement is the same object until a partition goes somewhere', () => {
  const before = placementOf(engine(here(), there('b'), moving));
  expect(before).toEqual({ at: ['', 'b', null], starts: [1, 0, 0] });
  expect(placementOf(engine(here(), there('b'), moving), before)).toBe(before);
  const after = placementOf(engine(here(), there('c'), moving), before);
  expect([0, 1, 2].map((p) => isSame(before, after, p))).toEqual([true, false, true]);
});

test('a partition that was away and came back between two looks is noticed', () => {
  const before = placementOf(engine(here(1)));
  expect(isSame(before, placementOf(engine(here(2)), before), 0)).toBe(false);
});

test('others are named once, and partitions without an owner by number', () => {
  const { members, moving: left } = elsewhere(engine(here(), there('b'), moving, there('b'), there('c')));
  expect([members.map(({ url }) => url), left]).toEqual([['b', 'c'], [2]]);
});

test('a run ends at the first partition that is not here', () => {
  const some = engine(here(), here(), there('b'), here());
  expect([0, 1, 2, 3].map((p) => endOfRun(some, p))).toEqual([2, 2, 2, 4]);
});
