import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTestFold } from './testing/test-fold.ts';
import { type LampRecord, toyType } from './testing/toy.ts';
import { fireTimers, publishOpen } from './timers.ts';

const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

/** Readings of three lamps within 20 hours, distinct in time per lamp. */
const readings = fc
  .uniqueArray(
    fc.record({
      lamp: fc.integer({ min: 0, max: 2 }),
      minute: fc.integer({ min: 0, max: 1200 }),
      level: fc.option(fc.integer({ min: 0, max: 900 }), { nil: null }),
      mode: fc.option(fc.constantFrom('off', 'dim', 'bright'), { nil: undefined }),
      note: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
    }),
    { selector: (r) => `${r.lamp} ${r.minute}`, maxLength: 60 },
  )
  .map((list) =>
    list.map(
      ({ lamp, minute, level, mode, note }): LampRecord => ({
        serial: `LAMP-${lamp}`,
        deviceTime: START + minute * 60_000,
        txid: `${lamp}-${minute}`,
        level,
        mode,
        note,
      }),
    ),
  );

/** The same readings, disturbed: shuffled, some of them twice, in batches of any size, with timers and publications between. */
const disturbed = readings.chain((list) =>
  fc.tuple(
    fc.constant(list),
    fc.shuffledSubarray([...list, ...list.slice(0, Math.floor(list.length / 3))], {
      minLength: list.length + Math.floor(list.length / 3),
    }),
    fc.array(
      fc.record({
        size: fc.integer({ min: 1, max: 20 }),
        advance: fc.integer({ min: 0, max: 600_000 }),
        publish: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  ),
);

async function run(
  records: readonly LampRecord[],
  turns: readonly { size: number; advance: number; publish: boolean }[],
) {
  const test = await openTestFold(toyType);
  let clock = START + 30 * HOUR;
  for (let i = 0, turn = 0; i < records.length; turn++) {
    const { size, advance, publish } = turns[turn % turns.length];
    test.feed('telemetry', records.slice(i, i + size), clock);
    i += size;
    clock += advance;
    fireTimers(test.fold, clock, 100);
    if (publish) publishOpen(test.fold, clock, 100);
  }
  // In the end nobody is silent any longer than the readings say.
  while (publishOpen(test.fold, clock, 100) > 0);
  return test;
}

async function expectSame(
  list: readonly LampRecord[],
  shuffled: readonly LampRecord[],
  turns: readonly { size: number; advance: number; publish: boolean }[],
): Promise<void> {
  const ordered = [...list].sort((a, b) => a.deviceTime - b.deviceTime);
  const plain = await run(ordered, [{ size: 1000, advance: 0, publish: false }]);
  const wild = await run(shuffled, turns);
  try {
    const [a, b] = [plain.current(), wild.current()];
    const silent = (m: Map<string, unknown>) =>
      [...m].filter(
        ([id, v]) => !(id.startsWith('silence') && (v as { data: { toTime: unknown } }).data.toTime === null),
      );
    expect(silent(b)).toEqual(silent(a));
    for (const serial of new Set(list.map((r) => r.serial))) {
      const [x, y] = [plain, wild].map(({ fold }) => {
        const { asset } = fold.lookup(Buffer.from(serial)) as NonNullable<ReturnType<typeof fold.lookup>>;
        const columns = fold.kinds[0].kind.state.names.filter(
          (_, c) => fold.kinds[0].kind.state.isFold[c] === 1 && fold.kinds[0].kind.state.names[c] !== 'lastReceiveTime',
        );
        return [columns.map((name) => [name, asset.getAt(fold.kinds[0].kind.state.index(name))]), asset.readSide()];
      });
      expect(y).toEqual(x);
    }
  } finally {
    await plain.close();
    await wild.close();
  }
}

test('duplicates, any order, any batches and timers between end in the same facts and state', async () => {
  await fc.assert(
    fc.asyncProperty(disturbed, ([list, shuffled, turns]) => expectSame(list, shuffled, turns)),
    { numRuns: 150, verbose: 1 },
  );
}, 120_000);

/** One lamp, a reading a minute, most of them late by up to `lateness` places: bases are noted anew all the time. */
const longAndLate = fc
  .record({ count: fc.integer({ min: 200, max: 500 }), lateness: fc.integer({ min: 20, max: 400 }), seed: fc.nat() })
  .map(({ count, lateness, seed }) => {
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const list = Array.from(
      { length: count },
      (_, minute): LampRecord => ({
        serial: 'LAMP',
        deviceTime: START + minute * 60_000,
        txid: `${minute}`,
        level: Math.floor(random() * 900),
        mode: ['off', 'dim', 'bright'][Math.floor(random() * 3)],
      }),
    );
    const arrival = (record: LampRecord, i: number) => ({ record, at: i + (random() < 0.5 ? random() * lateness : 0) });
    const sent = [...list, ...list.filter(() => random() < 0.1)].map(arrival);
    return [list, sent.sort((a, b) => a.at - b.at).map(({ record }) => record)] as const;
  });

test('the same over long stretches of late readings', async () => {
  const turns = [{ size: 17, advance: 30_000, publish: true }];
  await fc.assert(
    fc.asyncProperty(longAndLate, ([list, sent]) => expectSame(list, sent, turns)),
    { numRuns: 15, verbose: 1 },
  );
}, 120_000);
