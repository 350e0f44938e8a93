import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, stripFrames } from './journal-frame.ts';

const frame = fc.record({
  generation: fc.maxSafeNat(),
  position: fc.uint8Array({ maxLength: 60 }),
  inputs: fc.array(fc.tuple(fc.string(), fc.maxSafeNat()), { maxLength: 4 }).map((entries) => new Map(entries)),
  journal: fc.uint8Array({ maxLength: 200 }),
});

describe('what a commit writes into the journal', () => {
  it('comes back', () => {
    fc.assert(
      fc.property(frame, fc.nat({ max: 20 }), (written, before) => {
        const bytes = encodeFrame(written);
        const within = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(3)]);
        expect(decodeFrame(within, before, before + bytes.length)).toEqual(written);
      }),
    );
  });

  it('is read as the journal record alone', () => {
    const frames = ['one', '', 'three'].map((journal, i) =>
      encodeFrame({ generation: i, position: Buffer.alloc(i), inputs: new Map(), journal: Buffer.from(journal) }),
    );
    const ends = Uint32Array.from([0, 1, 2], (i) => frames.slice(0, i + 1).reduce((sum, f) => sum + f.length, 0));
    const starts = Uint32Array.from([0, ends[0], ends[1]]);
    const bytes = Buffer.concat(frames);
    const batch = {
      baseOffset: 0,
      count: 3,
      timestamp: 0,
      bytes,
      keyStart: starts,
      keyEnd: starts,
      valueStart: starts.slice(),
      valueEnd: ends,
    };
    stripFrames(batch);
    const read = [0, 1, 2].map((i) => bytes.toString('utf8', batch.valueStart[i], batch.valueEnd[i]));
    expect(read).toEqual(['one', '', 'three']);
  });

  it('is refused where it is something else', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('{"json":"by somebody"}'), Buffer.alloc(40, 1)]) {
      expect(() => decodeFrame(bytes, 0, bytes.length)).toThrow('unknown format');
    }
  });
});
