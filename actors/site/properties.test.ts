import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTestFold } from '../../runtime/shard/testing/test-fold.ts';
import { siteType } from './index.ts';
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
  tell,
  type Told,
  to,
  told,
  values,
} from './testing/told.ts';

const RUNS = Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 60);
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

test.each(['site', 'cabinet'])('order and repetition of what a %s is told do not matter', async (kind) => {
  await fc.assert(
    fc.asyncProperty(delivery, async ({ records, arrived }) => {
      const here = (all: readonly Told[]) => all.map((record) => to(kind, 'S', record));
      expect(await currentAfter(here(arrived))).toEqual(await currentAfter(here(records)));
    }),
    { numRuns: RUNS },
  );
});

test('totals equal the sum of the members at every minute, computed anew from all records', {
  timeout: 300_000,
}, async () => {
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

test('a gateway gap is where all members are silent at once', { timeout: 300_000 }, async () => {
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

const HOURS = 60;
const LATE_HOURS = 20;

/** A life of sixty hours in which contributions come up to twenty hours late, some twice. */
const life = fc.array(
  fc.record({
    serial,
    minute: fc.integer({ min: 0, max: HOURS * 60 - 1 }),
    late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(LATE_HOURS * 60) }),
    twice: fc.boolean(),
    power,
    what: fc.constantFrom('values', 'values', 'values', 'energy', 'gap', 'state'),
    length: fc.integer({ min: 1, max: 600 }),
  }),
  { minLength: 50, maxLength: 250 },
);

type Event = typeof life extends fc.Arbitrary<(infer E)[]> ? E : never;

function contributionOf({ serial, minute, power, what, length }: Event, version: number): Told {
  const at = START + minute * MINUTE;
  const kind = kindOf(serial);
  const end = at + length * MINUTE;
  if (what === 'values') return values(serial, kind, at, { powerW: power }, version);
  if (what === 'energy') return energy(serial, kind, at - (at % QUARTER), length, length * 2, version);
  const data = { fromTime: at, toTime: end };
  if (what === 'gap') return told(serial, kind, 'data_gap', key(serial, at), at, { ...data, class: 'silent' }, version);
  const state = { ...data, region: 'operation', state: length % 2 === 0 ? 'standby' : 'charging' };
  return told(serial, kind, 'state_interval', key(serial, at), at, state, version);
}

/** A gap of the site that reaches over the floor, while one of the silences that it is made of does not. */
const silenceInTwoParts = [
  happened('C', 10, 'gap', 350),
  ...['A', 'C'].map((serial) => happened(serial, 0, 'values', 1)),
  happened('A', 0, 'gap', 255),
  happened('A', 255, 'gap', 105),
  ...['A', 'B'].map((serial) => happened(serial, 1800, 'values', 1)),
];

function happened(serial: string, minute: number, what: Event['what'], length: number): Event {
  return { serial, minute, late: 0, twice: false, power: null, what, length };
}

test('what is forgotten beyond the horizon changes nothing that comes within it', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (events) => {
      const stays = SERIALS.map((s) => stay(s, kindOf(s), `own-${s}`, START, null));
      const arrivals = events
        .flatMap((event, i) => {
          const record = contributionOf(event, i + 2);
          const arrived = START + (event.minute + event.late) * MINUTE;
          return event.twice
            ? [
                { record, arrived },
                { record, arrived: arrived + 30 * MINUTE },
              ]
            : [{ record, arrived }];
        })
        .sort((a, b) => a.arrived - b.arrived);
      const live = await openTestFold(siteType, { blocksPerKind: 1 });
      try {
        tell(live, stays);
        for (const { record, arrived } of arrivals) tell(live, [record], arrived);
        const expected = await currentAfter([...stays, ...arrivals.map(({ record }) => record)]);
        expect(live.current()).toEqual(expected);
      } finally {
        await live.close();
      }
    }),
    { numRuns: RUNS, examples: [[silenceInTwoParts]] },
  );
});
