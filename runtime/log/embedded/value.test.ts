import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkValue, encodeValue, identityOf, recordsOf, type ValueHeader } from './value.ts';

const header = {
  previousCrc: 0xfedcba98,
  identity: identityOf('telemetry', 3),
  baseOffset: 2 ** 40 + 7,
  timestamp: 1_657_270_800_123,
  bytesBefore: 2 ** 44 + 1,
  logBytesBefore: 2 ** 45 + 3,
};

const recordLists = fc.array(fc.tuple(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 40 })), {
  minLength: 1,
  maxLength: 60,
});

function encode(records: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const keyEnd: number[] = [];
  const valueEnd: number[] = [];
  let size = 0;
  for (const [key, value] of records) {
    keyEnd.push(size + key.length);
    size += key.length + value.length;
    valueEnd.push(size);
  }
  const bytes = Buffer.concat(records.flat());
  return encodeValue(header, records.length, Uint32Array.from(keyEnd), Uint32Array.from(valueEnd), bytes).value;
}

describe('value', () => {
  it('returns records and header as they were put in, wherever the bytes lie in memory', () => {
    fc.assert(
      fc.property(recordLists, fc.integer({ min: 0, max: 3 }), (records, shift) => {
        const encoded = encode(records);
        const moved = new Uint8Array(encoded.length + shift).subarray(shift);
        moved.set(encoded);
        const found = checkValue(moved, header.identity, header.baseOffset) as ValueHeader;
        expect(found).toMatchObject({ ...header, count: records.length });
        const batch = recordsOf(moved, found);
        const back = records.map((_, i) => [
          Uint8Array.from(batch.bytes.subarray(batch.keyStart[i], batch.keyEnd[i])),
          Uint8Array.from(batch.bytes.subarray(batch.valueStart[i], batch.valueEnd[i])),
        ]);
        expect(back).toEqual(records);
        expect(batch.baseOffset).toBe(header.baseOffset);
      }),
    );
  });

  it('notices every flipped bit and every missing byte', () => {
    const encoded = encode([[Buffer.from('key'), Buffer.from('value')]]);
    for (let bit = 0; bit < 8 * encoded.length; bit++) {
      const damaged = Uint8Array.from(encoded);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      expect(checkValue(damaged, header.identity, header.baseOffset)).toBeTypeOf('string');
    }
    for (let length = 0; length < encoded.length; length++) {
      expect(checkValue(encoded.subarray(0, length), header.identity, header.baseOffset)).toBeTypeOf('string');
    }
  });

  it('notices a value under a foreign key', () => {
    const encoded = encode([[Buffer.from('key'), Buffer.from('value')]]);
    expect(checkValue(encoded, identityOf('telemetry', 4), header.baseOffset)).toContain('another topic');
    expect(checkValue(encoded, header.identity, header.baseOffset + 1)).toContain('under another key');
  });
});
