import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Oracle } from './testing/oracle.ts';
import {
  type Current,
  currentAfter,
  dataOf,
  energy,
  MINUTE,
  QUARTER,
  START,
  stay,
  type Told,
  told,
  values,
} from './testing/told.ts';

const RUNS = 150;
const KINDS = ['powerwall', 'inverter', 'supercharger'];
const SERIALS = ['A', 'B', 'C', 'D'];
const kindOf = (serial: string) => KINDS[SERIALS.indexOf(serial) % KINDS.length];
const key = (serial: string, at: number) => `${serial}/${new Date(at).toISOString()}`;

const serial = fc.constantFrom(...SERIALS);
const offset = fc.integer({ min: 0, max: 240 }).map((half) => START + half * 30_000);
const ending = fc.option(fc.integer({ min: 1, max: 200 }), { nil: null, freq: 2 });
const endOf = (from: number, halves: number | null) => (halves === null ? null : from + halves * 30_000);
const power = fc.option(fc.integer({ min: -5000, max: 5000 }), { nil: null, freq: 8 });

const spoken = fc.record({ serial, at: offset, power, stale: fc.constantFrom(3, 15) });
const record = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .record({ serial, from: offset, halves: ending, slot: fc.constantFrom('s1', 's2', 's3') })
      .map(({ serial, from, halves, slot }) => stay(serial, kindOf(serial), slot, from, endOf(from, halves))),
  },
  {
    weight: 8,
    arbitrary: spoken.map(({ serial, at, power, stale }) =>
      values(serial, kindOf(serial), at, { powerW: power }, 1, stale * MINUTE),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ serial, quarter: fc.integer({ min: 0, max: 8 }), wh: fc.integer({ min: 0, max: 900 }) })
      .map(({ serial, quarter, wh }) => energy(serial, kindOf(serial), START + quarter * QUARTER, wh, wh * 2, 1)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ serial, from: offset, halves: ending })
      .map(({ serial, from, halves }) =>
        told(
          serial,
          kindOf(serial),
          'data_gap',
          key(serial, from),
          from,
          { fromTime: from, toTime: endOf(from, halves), class: 'silent' },
          1,
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ serial, from: offset, halves: ending, state: fc.constantFrom('standby', 'charging') })
      .map(({ serial, from, halves, state }) =>
        told(
          serial,
          kindOf(serial),
          'state_interval',
          key(serial, from),
          from,
          { region: 'operation', state, fromTime: from, toTime: endOf(from, halves) },
          1,
        ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ serial, from: offset, halves: ending })
      .map(({ serial, from, halves }) =>
        told(
          serial,
          kindOf(serial),
          'fault',
          key(serial, from),
          from,
          { openedTime: from, closedTime: endOf(from, halves) },
          1,
        ),
      ),
  },
);

/** Versions of one fact grow; some versions take the fact back, or keep its span of time. */
const history = fc
  .array(fc.record({ record, op: fc.constantFrom('upsert', 'upsert', 'upsert', 'retract') }), { maxLength: 60 })
  .map((all): Told[] => [
    ...SERIALS.map((s, i) => stay(s, kindOf(s), `own-${s}`, START + i * MINUTE, null)),
    ...all.map(({ record, op }, i): Told => ({ ...record, op: op as Told['op'], version: i + 2 })),
  ]);

const delivery = history.chain((records) =>
  fc.record({
    records: fc.constant(records),
    arrived: fc
      .tuple(fc.shuffledSubarray(records, { minLength: records.length }), fc.shuffledSubarray(records))
      .map(([once, again]) => [...once, ...again]),
  }),
);

test('order and repetition of contributions do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(delivery, async ({ records, arrived }) => {
      expect(await currentAfter(arrived)).toEqual(await currentAfter(records));
    }),
    { numRuns: RUNS },
  );
});

test('totals equal the sum of the members at every minute, computed anew from all records', async () => {
  await fc.assert(
    fc.asyncProperty(delivery, async ({ records, arrived }) => {
      const current = await currentAfter(arrived);
      const expected = new Oracle(records);
      const rollups = byTime(current, 'site_rollup', 'minute');
      const totals = expected.rollups(START);
      expect([...rollups.keys()]).toEqual([...totals.keys()]);
      for (const [minute, row] of totals) expect(rollups.get(minute)).toMatchObject(row);
      const energies = byTime(current, 'site_energy_interval', 'startTime');
      const sums = expected.energies(START);
      expect([...energies.keys()]).toEqual([...sums.keys()]);
      for (const [start, row] of sums) expect(energies.get(start)).toMatchObject(row);
    }),
    { numRuns: RUNS },
  );
});

test('a gateway gap is where all members are silent at once', async () => {
  await fc.assert(
    fc.asyncProperty(delivery, async ({ records, arrived }) => {
      const gaps = dataOf(await currentAfter(arrived), 'data_gap').map(
        ({ fromTime, toTime }) =>
          [Date.parse(fromTime as string), toTime === null ? Infinity : Date.parse(toTime as string)] as const,
      );
      const oracle = new Oracle(records);
      const found: [number, number][] = [];
      for (const edge of oracle.edges) {
        const last = found.at(-1);
        const open = last !== undefined && last[1] === Infinity;
        if (oracle.allSilent(edge) && !open) found.push([edge, Infinity]);
        else if (!oracle.allSilent(edge) && open) last[1] = edge;
      }
      expect(gaps).toEqual(found.filter(([from, to]) => to - from > MINUTE));
    }),
    { numRuns: RUNS },
  );
});

function byTime(
  current: ReadonlyMap<string, Current>,
  type: string,
  start: string,
): Map<number, Record<string, unknown>> {
  return new Map(dataOf(current, type).map((data) => [Date.parse(data[start] as string), { ...data }]));
}
