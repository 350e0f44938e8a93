import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { currentOf, openTestFold, type Said, type TestFold } from '../../runtime/shard/testing/test-fold.ts';
import { deviceType } from './index.ts';
import { lives, tangles, type Told } from './testing/random-lives.ts';

/** `npm run test:lives` plays 10,000 of each. */
const numRuns = Number(process.env.GRIDFOLD_LIVES ?? 500);
const timeout = 60_000 + numRuns * 100;
const CLOCK = Date.UTC(2030, 0, 1);
const kind = 'powerwall';

let fold: TestFold;
let lifes = 0;
beforeAll(async () => {
  fold = await openTestFold(deviceType, { blocksPerKind: 256 });
});
afterAll(() => fold.close());

/** Plays records through the shard as those of a new asset; its current facts, the serial taken out of them. */
function play(records: readonly Told[], batch = 1): Map<string, Said['data']> {
  const serial = `LIFE-${++lifes}`;
  const before = fold.events().length;
  for (let i = 0; i < records.length; i += batch) {
    const some = records.slice(i, i + batch).map((r) => ({ ...r, serial, kind, source: 'test' }));
    fold.feed('lifecycle', some, CLOCK);
  }
  const facts = [...currentOf(fold.events().splice(before))];
  return new Map(JSON.parse(JSON.stringify(facts).replaceAll(serial, 'LIFE')) as [string, Said['data']][]);
}

const inAnyOrder = (told: readonly Told[]) =>
  fc.shuffledSubarray([...told, ...told.slice(0, 3)], { minLength: told.length + Math.min(3, told.length) });
const without = (type: string, facts: ReadonlyMap<string, unknown>) =>
  Object.fromEntries([...facts].filter(([id]) => !id.startsWith(`${type} `)));

interface Span {
  readonly fromTime: string;
  readonly toTime: string | null;
}
function spans(facts: ReadonlyMap<string, Said['data']>, type: string, region?: string): Span[] {
  return [...facts]
    .filter(([id]) => id.startsWith(region === undefined ? `${type} ` : `${type} LIFE/${region}/`))
    .map(([, { data }]) => data as unknown as Span)
    .sort((a, b) => Date.parse(a.fromTime) - Date.parse(b.fromTime));
}

/** Each ends where the next begins, the last is open. */
function expectUnbroken(intervals: readonly Span[]): void {
  const next = [...intervals.slice(1).map((one) => one.fromTime), null].slice(-intervals.length);
  expect(intervals.map((one) => one.toTime)).toEqual(intervals.length === 0 ? [] : next);
}

function expectApart(stays: readonly Span[]): void {
  for (const [i, { fromTime, toTime }] of stays.entries()) {
    const until = toTime === null ? Infinity : Date.parse(toTime);
    expect(until).toBeGreaterThan(Date.parse(fromTime));
    if (i + 1 < stays.length) expect(until).toBeLessThanOrEqual(Date.parse(stays[i + 1].fromTime));
  }
}

describe('lives', () => {
  test(
    'however wrong the books were, and in whatever order they came: put right, they say what truly happened',
    () => {
      fc.assert(
        fc.property(
          lives.chain(({ truth, books }) =>
            fc.tuple(fc.constant(truth), inAnyOrder(books), fc.integer({ min: 1, max: 9 })),
          ),
          ([truth, books, batch]) => {
            const right = without('lifecycle_change', play(truth, 100));
            expect(without('lifecycle_change', play(books, batch))).toEqual(right);
          },
        ),
        { numRuns },
      );
    },
    timeout,
  );

  test(
    'any list, circles and gaps in it too, ends in the same facts in any order of arrival, and its intervals fit',
    () => {
      fc.assert(
        fc.property(
          fc
            .oneof(
              tangles,
              lives.map(({ books }) => books),
            )
            .chain((told) => fc.tuple(fc.constant(told), inAnyOrder(told))),
          ([told, shuffled]) => {
            const facts = play(told, 100);
            expect(Object.fromEntries(play(shuffled))).toEqual(Object.fromEntries(facts));
            expectUnbroken(spans(facts, 'state_interval', 'lifecycle'));
            expectUnbroken(spans(facts, 'state_interval', 'firmware'));
            expectApart(spans(facts, 'slot_occupancy'));
            const ids = new Set(told.map((r) => r.id));
            const changes = [...facts.keys()].filter((id) => id.startsWith('lifecycle_change '));
            expect(changes).toHaveLength(ids.size);
          },
        ),
        { numRuns },
      );
    },
    timeout,
  );
});
