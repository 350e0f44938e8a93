import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyMergePatch } from '../testing/live-client.ts';
import type { Document } from './document.ts';
import { mergePatch } from './patch.ts';

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'toString');
const { document } = fc.letrec<{ document: Document; value: Document }>((tie) => ({
  document: fc.dictionary(name, tie('value') as fc.Arbitrary<never>, { maxKeys: 4, noNullPrototype: false }) as never,
  value: fc.oneof({ maxDepth: 3 }, leaf, tie('document')) as never,
}));
const bare = (value: unknown): never => applyMergePatch(undefined, JSON.parse(JSON.stringify(value))) as never;

test('the patch of two documents, applied to the first, gives the second', () => {
  fc.assert(
    fc.property(document, document, (a, b) => {
      const [before, after] = [bare(a), bare(b)];
      const patch = mergePatch(before, after);
      const result = patch === null ? before : applyMergePatch(before, JSON.parse(JSON.stringify(patch)));
      expect(JSON.stringify(sorted(result))).toBe(JSON.stringify(sorted(after)));
    }),
  );
});

test('equal documents need no patch, whatever their order', () => {
  expect(mergePatch(bare({ a: 1, b: { c: [1] } }), bare({ b: { c: [1] }, a: 1 }))).toBeNull();
});

test('an array is replaced whole', () => {
  expect({ ...mergePatch(bare({ a: [1, 2] }), bare({ a: [1] })) }).toEqual({ a: [1] });
});

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}
