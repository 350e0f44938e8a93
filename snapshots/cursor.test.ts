import { expect, it } from 'vitest';
import { cursorFactory } from './cursor.ts';
import { defineState } from './schema.ts';

it('cursors of one schema have one shape, whoever makes them, and those of another have another', () => {
  const [schema, other] = [1, 1].map((version) =>
    defineState('kind', version, { soc: { type: 'f64', doc: 'charge' } }),
  );
  const [first, second] = [cursorFactory(schema)(), cursorFactory(schema)()];
  expect(Object.getPrototypeOf(first)).toBe(Object.getPrototypeOf(second));
  expect(Object.getPrototypeOf(cursorFactory(other)())).not.toBe(Object.getPrototypeOf(first));
});
