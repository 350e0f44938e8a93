import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cursorFactory } from '../../snapshots/cursor.ts';
import { defineState, type StateSchema } from '../../snapshots/schema.ts';
import { packState, restoreState, scratchRow, StateBuffer } from './base.ts';

const schema = defineState('kettle', 1, {
  lastAt: { type: 'f64', doc: 'ms' },
  heardAt: { type: 'f64', scope: 'engine', doc: 'ms' },
  level: { type: 'f64', default: Number.NaN, doc: 'Share' },
  count: { type: 'u32', doc: 'Boilings' },
  mode: { type: 'u8', default: 255, doc: 'Mode' },
  sideSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the side record' },
  lifeSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the lifecycle list' },
});

function row() {
  const cursor = cursorFactory(schema)();
  scratchRow(cursor, schema as unknown as StateSchema);
  return cursor;
}

const number = fc.oneof(fc.integer({ min: 0, max: 2 ** 45 }), fc.double(), fc.constantFrom(0, -0, Number.NaN, 0.25));
const values = fc.record({
  lastAt: number,
  level: number,
  count: fc.nat(2 ** 32 - 1),
  mode: fc.nat(255),
});

it('a packed state is restored over any other, but for what is the engine’s', () => {
  const [from, to] = [row(), row()];
  fc.assert(
    fc.property(values, values, fc.option(fc.record({ note: fc.string() })), (said, before, side) => {
      Object.assign(from, said);
      from.writeSide(side);
      Object.assign(to, before, { heardAt: 5 });
      restoreState(to, packState(from, new StateBuffer()));
      for (const name of ['lastAt', 'level', 'count', 'mode'] as const) {
        expect(Object.is(to[name], said[name]), `${name} ${to[name]}`).toBe(true);
      }
      expect(to.readSide()).toEqual(side);
      expect(to.heardAt).toBe(5);
    }),
    { numRuns: 1000, verbose: 1 },
  );
});

// What stands in windows on disks and in logs: where this changes, so does WINDOW_FORMAT (snapshots/image-table.ts).
it('is packed as ever', () => {
  const cursor = row();
  Object.assign(cursor, { lastAt: 1_657_238_400_000, level: 0.5, count: 2 ** 31, mode: 0, heardAt: 1 });
  cursor.writeSide({ a: 1 });
  expect(Buffer.from(packState(cursor, new StateBuffer())).toString('hex')).toBe(
    '040004c0b2b11d18025500030400000008000400de0001a16101',
  );
});
