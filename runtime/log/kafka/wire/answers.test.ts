import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Answers } from './answers.ts';

/** Pushes `bytes` in pieces of the sizes given, over and over, each in the same buffer, as a socket does. */
function answersOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const got: Buffer[] = [];
  const answers = new Answers((answer) => got.push(answer));
  const shared = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.min(sizes[i % sizes.length], bytes.length - at);
    shared.set(bytes.subarray(at, at + size));
    answers.push(shared.subarray(0, size));
    shared.fill(0xee);
    at += size;
  }
  return got;
}

const onWire = (payload: Uint8Array) => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(payload.length);
  return Buffer.concat([size, payload]);
};

describe('answers', () => {
  test('come out as they stood on the wire, however the socket cut them', () => {
    const payload = fc.uint8Array({ maxLength: 20_000 });
    const sizes = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), sizes, (payloads, cut) => {
        const wanted = payloads.map(onWire);
        expect(answersOf(Buffer.concat(wanted), cut).map((answer) => answer.toString('hex'))).toEqual(
          wanted.map((answer) => answer.toString('hex')),
        );
      }),
    );
  });

  test.each([-1, 2 ** 31 - 1])('of %i bytes are refused before memory is taken for them', (claimed) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(claimed);
    expect(() => new Answers(() => {}).push(head)).toThrow(`an answer of ${claimed} bytes`);
  });
});
