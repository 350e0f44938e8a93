import fc from 'fast-check';
import { expect, it } from 'vitest';
import { answerCorrelation, frames, requestApi, requestCorrelation } from './frames.ts';

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const frame of stream) all.push(frame);
  return all;
}

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

it('gives the same frames however the bytes arrive', async () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(bodies, sizes, async (parts, cuts) => {
      const sent = parts.map(framed);
      expect(await collect(frames(pieces(Buffer.concat(sent), cuts)))).toEqual(sent);
    }),
  );
});

it('drops an unfinished frame and refuses an impossible one', async () => {
  const whole = framed(Buffer.from('abc'));
  expect(await collect(frames(pieces(Buffer.concat([whole, whole.subarray(0, 5)]), [])))).toEqual([whole]);
  await expect(collect(frames(pieces(Buffer.from('GET / HTTP/1.1'), [])))).rejects.toThrow('not Kafka');
});

it('reads the header', () => {
  const request = framed(Buffer.from([0, 26, 0, 1, 0, 0, 1, 2]));
  expect([requestApi(request), requestCorrelation(request)]).toEqual([26, 258]);
  expect(answerCorrelation(framed(Buffer.from([0, 0, 1, 2])))).toBe(258);
});
