import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../runtime/kernel/hash.ts';
import { fingerprintAscii } from './ascii.ts';
import { readNumber } from './number.ts';
import { PROBLEMS } from './problems.ts';
import * as P from './problems.ts';
import { REASONS, Reason } from './reasons.ts';
import { instantOf, parseTime, TIME_ABSENT, TIME_END, TIME_MIN } from './time.ts';
import { WordTable } from './words.ts';

describe('times', () => {
  it('are those of Date for every day, offset and fraction', () => {
    const offset = fc.integer({ min: -1439, max: 1439 });
    fc.assert(
      fc.property(
        fc.integer({ min: -62135596800000, max: 253402300799999 }),
        offset,
        fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 9 }),
        (ms, minutes, digits) => {
          const local = new Date(Math.floor(ms / 1000) * 1000 + minutes * 60000).toISOString();
          fc.pre(/^\d{4}-/.test(local));
          const sign = minutes < 0 ? '-' : '+';
          const zone = new Date(Math.abs(minutes) * 60000).toISOString().slice(11, 16);
          const fraction = digits === '' ? '' : `.${digits}`;
          const expected = Math.floor(ms / 1000) * 1000 + Number(digits.padEnd(3, '0').slice(0, 3));
          expect(parseTime(local.slice(0, 19) + fraction + sign + zone)).toBe(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('know every day of four centuries and no other', () => {
    for (let year = 1900; year < 2110; year++) {
      for (let month = 1; month <= 13; month++) {
        for (const day of [0, 1, 28, 29, 30, 31, 32]) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T00:00:00Z`;
          const date = new Date(Date.UTC(year, month - 1, day));
          const exists = month <= 12 && day > 0 && date.getUTCMonth() === month - 1;
          expect(parseTime(text), text).toBe(exists ? date.getTime() : NaN);
        }
      }
    }
  });

  it.each([
    '2022-07-08T02:00:00',
    '2022-07-08 02:00:00Z',
    '2022-07-08T24:00:00Z',
    '2016-12-31T23:59:60Z',
    '2022-07-08T02:60:00Z',
    '2022-07-08T02:00:00.Z',
    '2022-07-08T02:00:00.1',
    '2022-07-08T02:00:00+0700',
    '2022-07-08T02:00:00+24:00',
    '2022-07-08T02:00:00+07:60',
    '2022-07-08T02:00:00+07:00Z',
    '2022-07-08T02:00Z',
    '2022-7-08T02:00:00Z0',
    '2022-07-08T02:00:00ZZ',
    '+02022-07-08T02:00:00Z',
    '２022-07-08T02:00:00Z',
    '',
  ])('%s is none', (text) => {
    expect(parseTime(text)).toBeNaN();
  });

  it('outside 2000 to 2100 are none, and the zero time is absent', () => {
    expect(instantOf(TIME_MIN)).toBe(TIME_MIN);
    expect(instantOf(TIME_MIN - 1)).toBeNaN();
    expect(instantOf('2100-12-31T23:59:59.999Z')).toBe(TIME_END - 1);
    expect(instantOf(TIME_END)).toBeNaN();
    expect(instantOf('1999-12-31T23:30:00-01:00')).toBe(TIME_MIN + 1800000);
    expect(instantOf('0001-01-01T00:00:00Z')).toBe(TIME_ABSENT);
    expect(instantOf('0001-01-02T00:00:00Z')).toBeNaN();
    for (const value of [NaN, Infinity, 1.5, true, null, {}, []]) expect(instantOf(value)).toBeNaN();
  });
});

describe('numbers', () => {
  const out = new Float64Array(1);
  const read = (text: string) => {
    const bytes = Buffer.from(`${text}}`);
    return readNumber(bytes, 0, out, 0) === text.length ? out[0] : undefined;
  };

  it('are the doubles of JSON.parse for every number of digits and places', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(digits, fc.option(digits), fc.boolean(), (whole, fraction, negative) => {
        const text = `${negative ? '-' : ''}${whole.replace(/^0+(?=.)/, '')}${fraction === null ? '' : `.${fraction}`}`;
        expect(read(text)).toBe(JSON.parse(text) + 0);
      }),
      { numRuns: 10000 },
    );
  });

  it('of any double, as JavaScript writes it, come back', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, (x) => {
        expect(read(String(x))).toBe(x + 0);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(['', '-', '01', '-01', '00', '1.', '.1', '1.e1', '1e', '1e+', '-.1', '+1', '0x1', '000000000000', '1.5.5'])(
    '"%s" is none',
    (text) => {
      expect(read(text)).toBeUndefined();
    },
  );
});

describe('words', () => {
  it('are found among any others, and nothing else is', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 40 }), word, (words, probe) => {
        const table = new WordTable(words, '');
        const bytes = Buffer.from(`"${probe}"`);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        expect(table.find(bytes, 1, bytes.length - 1)).toBe(words.indexOf(probe));
        words.forEach((candidate, i) => {
          expect(table.behind(view, 0, bytes.length, i)).toBe(
            candidate === probe && probe.length > 1 ? bytes.length : -1,
          );
        });
      }),
    );
  });
});

it('the fingerprint of bytes is that of their text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 300 }), (text) => {
      expect(fingerprintAscii(Buffer.from(`xx${text}x`), 2, 2 + text.length)).toBe(fingerprint(text));
    }),
  );
});

it('codes are unique, documented and numbered as they are listed', () => {
  expect(new Set(REASONS.map((reason) => reason.code)).size).toBe(REASONS.length);
  expect(REASONS[0].code).toBe('ok');
  expect(REASONS.map((reason) => Reason[reason.code])).toEqual(REASONS.map((_, i) => i));
  for (const [name, index] of Object.entries(P)) {
    if (typeof index === 'number') expect(PROBLEMS[index].code).toBe(name.toLowerCase());
  }
});
