import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_VALUE_BYTES, readValue, valueBytes, writeValue } from './value-code.ts';

const room = new Uint8Array(2 * MAX_VALUE_BYTES);
const view = new DataView(room.buffer);

function written(value: number): Uint8Array {
  room.fill(0xa5);
  return room.slice(0, writeValue(view, 0, Float64Array.of(value), 0));
}

const decimal = (places: number) =>
  fc
    .oneof(fc.integer({ min: -1e5, max: 1e5 }), fc.integer(), fc.maxSafeInteger())
    .map((n) => Number(`${n}e-${places}`));
/** Numbers where one way of writing ends and the next begins. */
const edges = [4, 8, 12, 20, 28, 32, 36, 44, 48, 53].flatMap((bits) => [2 ** (bits - 1), 2 ** (bits - 1) - 1]);
const edge = fc
  .tuple(fc.constantFrom(...edges), fc.constantFrom(1, 10, 100, 1000, 10_000), fc.constantFrom(1, -1), fc.nat(2))
  .map(([n, scale, sign, more]) => (sign * (n + more - 1)) / scale);
const special = fc.constantFrom(
  ...[0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324, 2.2e-308, Number.MAX_VALUE, 2 ** 53, 0.1 + 0.2, 1e-5],
);
const number = fc.oneof(
  fc.integer({ min: -20, max: 5000 }),
  fc.integer(),
  ...[1, 2, 3, 4, 5, 6].map(decimal),
  edge,
  fc.float(),
  fc.double(),
  special,
);

it('come back bit for bit, wherever they stand and end', () => {
  fc.assert(
    fc.property(number, fc.nat(6), (value, start) => {
      const end = start + written(value).length;
      const bytes = new Uint8Array(end).fill(0x5a);
      bytes.set(written(value), start);
      expect(Object.is(readValue(bytes, start), value)).toBe(true);
      expect(start + valueBytes(bytes, start)).toBe(end);
    }),
    { numRuns: 5000, verbose: 1 },
  );
});

it('are the same bytes where they are the same number, whatever bits a NaN has', () => {
  const bits = new BigUint64Array([0x7ff0000000000001n, 0xfff8000000000000n, 0x7ff8000000000000n]);
  const numbers = new Float64Array(bits.buffer);
  const all = [0, 1, 2].map((i) => {
    room.fill(0);
    return Buffer.from(room.subarray(0, writeValue(view, 0, numbers, i))).toString('hex');
  });
  expect(new Set(all)).toEqual(new Set(['0f000000000000f87f']));
});

// What stands in windows on disks and in logs: where one of these changes, so does WINDOW_FORMAT (snapshots/image-table.ts).
it.each([
  [0, '00'],
  [-8, '80'],
  [7, '70'],
  [8, '8100'],
  [-2048, '0180'],
  [4000, '02fa00'],
  [524_288, '03008000'],
  [134_217_728, '040000800000'],
  [-1_780_293_630_000, '047db0e317e6'],
  [0.5, '5500'],
  [-1234.5, '76fcfc'],
  [717_299.4, '2738d706'],
  [50_000_000.1, '1850d6dc01'],
  [3_435_973_836.7, 'f8ffffff7f'],
  [3_435_973_836.8, '0d0000000032'],
  [240.12, 'c9dc05'],
  [-60_000.01, 'fa2747fa'],
  [0.5331, '3b4d01'],
  [99.9999, 'fc23f400'],
  [1_000_000_000.123, 'bd07514a8d0e'],
  [-0, '0e00000080'],
  [1.100000023841858, '0ecdcc8c3f'],
  [0.1 + 0.2, '0f343333333333d33f'],
])('%d is written as %s', (value, hex) => {
  expect(Buffer.from(written(value)).toString('hex')).toBe(hex);
});
