import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthAt } from '../../snapshots/window-length.ts';
import { baseState, contentOf, isBase, timeOf } from './entry-layout.ts';
import { compareEntries, isDuplicate } from './entry-order.ts';
import { decodeReadingEntry } from './entry-reader.ts';
import { MAX_FIELDS, Reading } from './reading.ts';
import { EntryWriter } from './window-entry.ts';

const KIND = 2;
const TIME = Date.UTC(2022, 6, 8);
/** The last field is a text. */
const SIZED = (1 << 30) - 1;
const writer = new EntryWriter();

interface Told {
  deviceTime: number;
  receiveTime: number;
  txid: number;
  seqNo: number;
  resend: boolean;
  present: number;
  invalid: number;
  values: number[];
  extra: [string, unknown][] | null;
}

function entryOf(told: Partial<Told>, slot = 7): Uint8Array {
  const { values = [], ...rest } = told;
  const reading = Object.assign(new Reading(), { deviceTime: TIME, receiveTime: TIME + 250 }, rest);
  reading.values.set(values);
  return writer.bytes.slice(0, writer.reading(slot, reading, SIZED));
}

/** What the entry says; values only where they count. */
function decoded(entry: Uint8Array): Told {
  const into = Object.assign(new Reading(), { txid: 1, seqNo: 1, resend: true, invalid: 1, extra: [] });
  into.values.fill(Number.NaN);
  decodeReadingEntry(entry, KIND, SIZED, into);
  expect(into.kind).toBe(KIND);
  const { deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra } = into;
  return { deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra, values: counted(into) };
}

function counted({ present, invalid, values }: Pick<Told, 'present' | 'invalid'> & { values: ArrayLike<number> }) {
  return Array.from({ length: MAX_FIELDS }, (_, i) => (((present & ~invalid & SIZED) >>> i) & 1 ? values[i] : 0));
}

const time = fc.oneof(
  fc.integer({ min: TIME, max: TIME + 5 }),
  fc.integer({ min: -7000, max: 70_000 }).map((ms) => TIME + ms),
  fc.constantFrom(0, 1, -1, TIME + 0.5, 2 ** 48 - 1, 2 ** 48, Number.MAX_SAFE_INTEGER, 1e300),
);
const mask = fc.oneof(fc.nat(3), fc.nat(0xffff), fc.nat(2 ** MAX_FIELDS - 1));
const value = fc.oneof(fc.nat(3), fc.integer({ min: -5000, max: 5000 }), fc.double(), fc.constantFrom(-0, Number.NaN));
const told: fc.Arbitrary<Told> = fc
  .record({
    deviceTime: time,
    receiveTime: time,
    txid: fc.oneof({ weight: 2, arbitrary: fc.nat(1) }, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    seqNo: fc.oneof(fc.constantFrom(-1, 0, 0.5, 2 ** 32 - 1, 2 ** 32), fc.nat(), fc.maxSafeNat()),
    resend: fc.boolean(),
    present: mask,
    invalid: mask,
    values: fc.array(value, { minLength: MAX_FIELDS, maxLength: MAX_FIELDS }),
    extra: fc.option(
      fc.array(fc.tuple(fc.string(), fc.jsonValue() as fc.Arbitrary<unknown>), { minLength: 1, maxLength: 3 }),
      { freq: 3 },
    ),
  })
  .map((t) => ({ ...t, invalid: t.invalid & t.present, extra: t.extra && JSON.parse(JSON.stringify(t.extra)) }));

describe('a reading in a window', () => {
  it('comes back as it was, and begins with its length and slot', () => {
    fc.assert(
      fc.property(told, fc.nat(65_535), (t, slot) => {
        const entry = entryOf(t, slot);
        expect(decoded(entry)).toEqual({ ...t, values: counted(t) });
        expect(timeOf(entry)).toBe(t.deviceTime);
        expect(isBase(entry)).toBe(false);
        expect(lengthAt(entry, 0)).toBe(entry.length);
        const head = entry.length < 255 ? 1 : 5;
        expect(entry[head] | (entry[head + 1] << 8)).toBe(slot);
      }),
      { numRuns: 3000, verbose: 1 },
    );
  });

  it('is told from another by what it says, not by when and how it came', () => {
    const few = fc.record({
      present: fc.nat(7),
      invalid: fc.nat(3),
      seqNo: fc.constantFrom(-1, 0, 1, 0.5, 1.25),
      values: fc.array(fc.constantFrom(0, 1, 16, -0, 0.5), { minLength: 3, maxLength: 3 }),
      extra: fc.constantFrom<[string, unknown][] | null>(null, [['a', 1]]),
    });
    const way = fc.record({
      receiveTime: fc.constantFrom(TIME, TIME + 90_000, TIME + 0.5),
      resend: fc.boolean(),
      txid: fc.constantFrom(0, 0, 1, 2 ** 53 - 1),
    });
    fc.assert(
      fc.property(few, few, way, way, fc.boolean(), (a, b, ofA, ofB, isSame) => {
        const [x, y] = [
          { ...a, invalid: a.invalid & a.present },
          isSame ? { ...a, invalid: a.invalid & a.present } : { ...b, invalid: b.invalid & b.present },
        ];
        const said = (t: typeof x) =>
          JSON.stringify([t, counted(t).map((v) => (Object.is(v, -0) ? '-0' : v))], notValues);
        const saysSame = said(x) === said(y);
        const [one, two] = [entryOf({ ...x, ...ofA }), entryOf({ ...y, ...ofB })];
        expect(isDuplicate(one, two)).toBe(saysSame || (ofA.txid !== 0 && ofA.txid === ofB.txid));
        expect(compareEntries(one, two) === 0).toBe(saysSame && ofA.txid === ofB.txid);
        expect(Math.sign(compareEntries(one, two))).toBe(0 - Math.sign(compareEntries(two, one)));
      }),
      { numRuns: 3000, verbose: 1 },
    );
  });

  it('is another one where the same bytes mean something else', () => {
    const four = entryOf({ present: 15, values: [1, 1, 1, 0] });
    const numbered = entryOf({ present: 0, seqNo: 0x1010100f });
    expect(contentOf(four)).toEqual(contentOf(numbered));
    expect(isDuplicate(four, numbered)).toBe(false);
  });

  it('is in order by device time, then sequence number, then txid', () => {
    const inOrder = [
      { deviceTime: TIME - 1, seqNo: 9 },
      { txid: 5 },
      { seqNo: 0, txid: 9 },
      { seqNo: 0.5, txid: 2 ** 32 },
      { seqNo: 2 ** 31, txid: 1 },
      { seqNo: 2 ** 31, txid: 2 ** 32 },
      { seqNo: 2 ** 31, txid: 2 ** 52 },
      { seqNo: 2 ** 33 },
      { deviceTime: TIME + 0.5 },
      { deviceTime: TIME + 1 },
    ].map((t) => entryOf(t));
    expect([...inOrder].reverse().sort(compareEntries)).toEqual(inOrder);
  });
});

it.each([3, 242, 243, 244, 5000])('a base gives back its state of %d bytes', (length) => {
  const state = Uint8Array.from({ length }, (_, i) => i);
  const size = writer.base(300, TIME + 0.5, state);
  const entry = writer.bytes.slice(0, size);
  expect([isBase(entry), timeOf(entry), lengthAt(entry, 0)]).toEqual([true, TIME + 0.5, size]);
  expect(baseState(entry)).toEqual(state);
});

// What stands in windows on disks and in logs: where one of these changes, so does WINDOW_FORMAT (snapshots/image-table.ts).
it.each<[string, Partial<Told>, string]>([
  ['two fields', { present: 3, values: [4000, 0.5331] }, '13070000002c1bdb810199160302fa003b4d01'],
  ['txid, 24 fields', { txid: 2 ** 53 - 2, present: 1 << 23 }, '17070024002c1bdb81019916feffffffffff1f00008000'],
  [
    'late, sent again',
    { receiveTime: TIME + 3_600_000, resend: true, present: 1, values: [-1] },
    '12070041002c1bdb8101801a52db810101f0',
  ],
  ['of a clock ahead', { receiveTime: TIME - 5535, present: 0 }, '0d070000002c1bdb8101000000'],
  ['odd times', { deviceTime: TIME + 0.5, present: 1 }, '160700020008c0b2b11d784200a0cfb2b11d78420100'],
  ['sequence number', { seqNo: 258, present: 1 << 8 }, '13070018002c1bdb8101991602010000000100'],
  [
    'wide sequence number, invalid, extra',
    { seqNo: 0.5, present: 3, invalid: 2, extra: [['fw', '1']] },
    '1f070088002c1bdb8101991607000000000000e03f0302009192a26677a131',
  ],
])('%s is written as ever', (_, t, hex) => {
  expect(Buffer.from(entryOf(t)).toString('hex')).toBe(hex);
});

/** Values that do not count may differ. */
function notValues(name: string, value: unknown): unknown {
  return name === 'values' ? undefined : value;
}
