import fc from 'fast-check';
import { expect, test } from 'vitest';
import { murmur2 } from '../runtime/kernel/hash.ts';
import { Block } from './block.ts';
import { layoutOf, wayTo } from './layout.ts';
import { defineState } from './schema.ts';

const types = ['f64', 'u32', 'u8'] as const;
const columns = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [`c${i}`, { type: types[i % 3], doc: '', default: i % 4 === 0 ? 7 : 0 }]),
);
const schema = defineState('layout', 1, columns);

test('whatever the order in which columns came into use, blocks with the same ones share a layout', () => {
  const some = fc.uniqueArray(fc.nat(11), { minLength: 1 });
  fc.assert(
    fc.property(some, (added) => {
      const end = added.reduce((layout, c) => wayTo(schema, layout, c).to, layoutOf(schema, []));
      expect(end).toBe(layoutOf(schema, added.toReversed()));
      expect(end.stride % 8).toBe(0);
    }),
  );
});

test('rows keep their values while the block grows in both directions', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const) }),
    fc.record({ do: fc.constant('set' as const), slot: fc.nat(40), c: fc.nat(11), value: fc.nat(255) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const block = new Block(0, schema);
      const rows: number[][] = [];
      for (const one of steps) {
        if (one.do === 'add') {
          const serial = Buffer.from(`s${rows.length}`);
          block.add(serial, 0, serial.length, murmur2(serial));
          rows.push([...schema.defaults]);
        } else if (rows.length > 0) {
          const slot = one.slot % rows.length;
          if (block.offsets[one.c] < 0) block.allocate(one.c);
          block.set(one.c, slot, one.value);
          rows[slot][one.c] = one.value;
        }
      }
      expect(rows.map((row, slot) => row.map((_, c) => block.get(c, slot)))).toEqual(rows);
    }),
  );
});
