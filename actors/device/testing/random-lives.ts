import fc from 'fast-check';
import { LIFECYCLE_EVENTS } from '../lifecycle.machine.ts';

/** A lifecycle record as it comes through the door, without its serial. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly eventTime: number;
  readonly recordTime: number;
  readonly data: Readonly<Record<string, unknown>>;
}

type ValueOf<A> = A extends fc.Arbitrary<infer T> ? T : never;

const START = Date.UTC(2022, 0, 1);
const HOUR = 3_600_000;

/** Events in an order in which a life can go, so that most random lists get far. */
const USUAL: readonly string[] = [
  'manufactured',
  'shipped',
  'installed',
  'commissioningStarted',
  'commissioned',
  'firmwareUpdate',
  'maintenanceStarted',
  'maintenanceCompleted',
  'firmwareUpdate',
  'decommissioned',
  'installed',
  'replacedBy',
];
const PHASES = ['downloading', 'installing', 'rebooting', 'completed', 'failed'];

/** All data that any type reads, so that a correction that names the right data leaves nothing of the wrong. */
const data = fc
  .record({ n: fc.nat(2), phase: fc.constantFrom(...PHASES), capacityWh: fc.constantFrom(12_000, 13_500) })
  .map(({ n, phase, capacityWh }) => ({
    siteId: `S-${n}`,
    position: `battery-${n % 2}`,
    cabinet: `C-${n}`,
    region: `R-${n}`,
    replaces: `PW-${n}`,
    newSerial: `PW-${n}`,
    model: `M-${n}`,
    version: `1.${n}`,
    ratedW: 5000 + n,
    capacityWh,
    phase,
    reason: n === 1 ? 'moved' : 'retired',
  }));
const anyType = fc.constantFrom<string[]>(...LIFECYCLE_EVENTS, 'firmwareUpdate');
const happening = fc.record({ type: anyType, hour: fc.nat(400), data });
type Happening = ValueOf<typeof happening>;

/** What the books say of one happening before all is put right. */
const mistakes = fc.record({
  /** It never happened. */
  bogus: fc.boolean(),
  /** Wrong versions before the right one; each corrects the one before it, or the first. */
  wrong: fc.array(fc.record({ what: happening, ofTheFirst: fc.boolean() }), { maxLength: 3 }),
  /** The void of the record is taken back, that again, and so on. */
  voids: fc.nat(2),
  /** A correction that was itself taken back. */
  takenBack: fc.option(happening, { nil: undefined }),
});

/**
 * What truly happened, at distinct times, and the books about it: records that are wrong at first, corrections of
 * corrections, rival corrections of which the last counts, voids, voids of voids.
 */
export const lives = fc
  .record({
    usual: fc.nat(USUAL.length),
    first: fc.array(data, { minLength: USUAL.length, maxLength: USUAL.length }),
    more: fc.uniqueArray(happening, { maxLength: 8, selector: ({ hour }) => hour }),
    mistakes: fc.array(mistakes, { minLength: USUAL.length + 8, maxLength: USUAL.length + 8 }),
  })
  .map(({ usual, first, more, mistakes: all }) => {
    const happenings: Happening[] = [
      ...USUAL.slice(0, usual).map((type, i) => ({ type, hour: i * 24 + 0.5, data: first[i] })),
      ...more,
    ];
    const truth: Told[] = [];
    const books: Told[] = [];
    happenings.forEach((what, i) => {
      const { told, happened } = booksOf(`${i}`, what, all[i]);
      books.push(...told);
      if (happened) truth.push(told.at(-1 - voidsOf(all[i])) as Told);
    });
    return { truth: truth.map(plain), books };
  });

function voidsOf({ bogus, voids }: { bogus: boolean; voids: number }): number {
  return bogus ? 1 + 2 * voids : 2 * voids;
}

function booksOf(name: string, right: Happening, how: ValueOf<typeof mistakes>) {
  const told: Told[] = [];
  const versions = [...how.wrong.map((w) => w.what), right];
  versions.forEach((what, n) => {
    const target = n === 0 ? null : how.wrong[n - 1].ofTheFirst ? `${name}-0` : `${name}-${n - 1}`;
    told.push(tell(`${name}-${n}`, what, n, target));
  });
  const last = told[told.length - 1];
  if (how.takenBack !== undefined) {
    const wrong = tell(`${name}-x`, how.takenBack, 20, last.id);
    told.unshift(wrong, takeBack(`${name}-xv`, wrong.id, 21));
  }
  // Taking the first back takes its corrections with it.
  for (let n = 0, target = `${name}-0`; n < voidsOf(how); n++, target = `${name}-v${n - 1}`) {
    told.push(takeBack(`${name}-v${n}`, target, 30 + n));
  }
  return { told, happened: !how.bogus };
}

function tell(id: string, what: Happening, nth: number, supersedes: string | null): Told {
  const eventTime = START + what.hour * HOUR;
  const recordTime = START + (500 + nth) * HOUR;
  if (supersedes === null) return { id, type: what.type, eventTime, recordTime, data: what.data };
  return { id, type: 'corrected', eventTime, recordTime, data: { ...what.data, supersedes, type: what.type } };
}

function takeBack(id: string, supersedes: string, nth: number): Told {
  return { id, type: 'voided', eventTime: START, recordTime: START + (1000 + nth) * HOUR, data: { supersedes } };
}

/** A right correction as the record that should have been written at once. */
function plain(told: Told): Told {
  if (told.type !== 'corrected') return told;
  const { supersedes: _, type, ...rest } = told.data;
  return { ...told, type: type as string, data: rest };
}

/** Lists without any sense: they supersede each other and what is not there, at equal times and in circles. */
export const tangles = fc
  .array(
    fc.record({
      type: fc.oneof(anyType, fc.constantFrom('corrected', 'voided')),
      hour: fc.nat(12),
      late: fc.nat(2),
      of: fc.nat(15),
      renamed: fc.option(anyType, { nil: undefined }),
      data,
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((list) =>
    list.map(({ type, hour, late, of, renamed, data: said }, i): Told => {
      const eventTime = START + hour * HOUR;
      const supersedes = type === 'corrected' || type === 'voided' ? { supersedes: `t-${of}` } : {};
      const renaming = type === 'corrected' && renamed !== undefined ? { type: renamed } : {};
      const recordTime = eventTime + late * HOUR;
      return { id: `t-${i}`, type, eventTime, recordTime, data: { ...said, ...supersedes, ...renaming } };
    }),
  );
