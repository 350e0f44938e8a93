import { describe, expect, it } from 'vitest';
import { decide } from './mend.ts';
import { judge, type Seen } from './verdict.ts';

const BYTES = 100;
const begin = { offset: 0, crc: 0, bytes: 0 };

/** Values of ten records each; value `i` has checksum `i + 1`. */
function good(i: number, previousCrc = i): Seen {
  const rest = { identity: 0, timestamp: 0, logBytesBefore: 0 };
  return {
    base: 10 * i,
    bytes: BYTES,
    header: { ...rest, crc: i + 1, previousCrc, count: 10, baseOffset: 10 * i, bytesBefore: BYTES * i },
  };
}

const bad = (i: number): Seen => ({ base: 10 * i, bytes: BYTES, header: 'checksum mismatch' });
const seam = (i: number) => ({ offset: 10 * i, crc: i, bytes: BYTES * i });

describe('verdict', () => {
  const cases: [string, Seen[], object][] = [
    ['nothing', [], { kind: 'whole', end: begin }],
    ['all good', [good(0), good(1)], { kind: 'whole', end: seam(2) }],
    ['damaged end', [good(0), bad(1), bad(2)], { kind: 'torn', end: seam(1) }],
    ['nothing but damage', [bad(0)], { kind: 'torn', end: begin }],
    ['damage below good ones', [good(0), bad(1), good(2)], { kind: 'holed', from: 10, resume: seam(2), end: seam(3) }],
    ['missing value', [good(0), good(2)], { kind: 'holed', from: 10, resume: seam(2), end: seam(3) }],
    ['missing first value', [good(1)], { kind: 'holed', from: 0, resume: seam(1), end: seam(2) }],
    ['two holes', [good(0), good(2), bad(3), good(4)], { kind: 'holed', from: 10, resume: seam(4), end: seam(5) }],
    ['hole and damaged end', [good(0), good(2), bad(3)], { kind: 'holed', from: 10, resume: null }],
    [
      'offsets fit, chain does not',
      [good(0), good(1, 77)],
      { kind: 'holed', from: 10, damage: 'values do not follow each other' },
    ],
  ];

  it.each(cases)('%s', (_, seen, expected) => {
    expect(judge(seen, begin)).toMatchObject(expected);
  });

  it('asks nothing of the oldest value when older ones were not looked at', () => {
    expect(judge([good(5), good(6)], null)).toEqual({ kind: 'whole', end: seam(7) });
  });
});

describe('decision', () => {
  const decideOn = (seen: Seen[], committedEnd: number) =>
    decide({ topic: 'derived', partition: 1, begin, verdict: judge(seen, begin) }, committedEnd);

  it('keeps what is whole', () => {
    expect(decideOn([good(0)], 10)).toEqual({ kind: 'keep', start: begin, end: seam(1) });
  });

  it('cuts a damaged end that no commit refers to', () => {
    expect(decideOn([good(0), bad(1)], 10)).toMatchObject({ kind: 'cut', end: seam(1), cut: { from: 10 } });
  });

  it('refuses a loss that a commit refers to, and never uses its offsets again', () => {
    const decision = decideOn([good(0), bad(1)], 20);
    expect(decision).toMatchObject({ kind: 'refuse', start: { offset: 20 }, end: { offset: 20 } });
    expect(decision).toHaveProperty('loss', 'derived/1: offsets 10..19 are lost, although a commit refers to them');
  });

  it('refuses a hole and names it; accepted, the newest unbroken run remains', () => {
    const decision = decideOn([good(0), good(2), good(3)], 40);
    expect(decision).toMatchObject({ kind: 'refuse', start: seam(2), end: seam(4) });
    expect(decision).toHaveProperty('loss', expect.stringContaining('offsets from 10 up to 19 are lost'));
  });

  it('keeps nothing of a partition whose newest value is damaged below newer loss', () => {
    expect(decideOn([good(0), good(2), bad(3)], 50)).toMatchObject({ start: { offset: 50 }, end: { offset: 50 } });
    expect(decideOn([good(0), good(2), bad(3)], 0)).toMatchObject({ start: { offset: 31 }, end: { offset: 31 } });
  });
});
