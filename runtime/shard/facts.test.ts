import { expect, test } from 'vitest';
import type { DerivedType } from './derived.ts';
import { difference, FactMap } from './facts.ts';

const sum: DerivedType = {
  name: 'sum',
  table: 'sums',
  doc: 'Sums',
  key: 'serial',
  columns: [{ name: 'wh', type: 'double', doc: 'Wh' }],
  lazy: true,
};

function told(closed: Record<string, number>, open: Record<string, number>): FactMap {
  const facts = new FactMap();
  for (const [key, wh] of Object.entries(closed)) facts.emit(sum, key, 0, { wh });
  facts.beginOpen();
  for (const [key, wh] of Object.entries(open)) facts.emit(sum, key, 0, { wh });
  return facts;
}

const said = (before: FactMap, after: FactMap, unsaid: boolean) =>
  difference(before, after, unsaid).map(({ fact, op }) => `${op} ${fact.key}`);

test('a lazy fact that was closed has been said: only what changes is said again', () => {
  expect(said(told({ a: 1, b: 2 }, { c: 3 }), told({ a: 1, b: 5 }, { c: 3 }), true)).toEqual(['upsert b', 'upsert c']);
});

test('a lazy fact that was open and not published is said even where it closes with the same value', () => {
  expect(said(told({ a: 1 }, { b: 2 }), told({ a: 1, b: 2 }, {}), true)).toEqual(['upsert b']);
  expect(said(told({ a: 1 }, { b: 2 }), told({ a: 1, b: 2 }, {}), false)).toEqual([]);
});

test('what is no more is taken back, whether it was published or not', () => {
  expect(said(told({ a: 1 }, { b: 2 }), told({}, {}), true)).toEqual(['retract a', 'retract b']);
});
