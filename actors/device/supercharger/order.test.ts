import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestFold } from '../../../runtime/shard/testing/test-fold.ts';
import { fireTimers, publishOpen } from '../../../runtime/shard/timers.ts';
import { deviceType } from '../index.ts';

const MINUTE = 60_000;
const START = Date.UTC(2024, 2, 1, 12);
const CLOCK = START + 20 * 3_600_000;

interface Told {
  readonly time: number;
  readonly fields: object;
}

/** Facts of a stall that got these readings in this order, through the shard's own fold. */
async function facts(readings: readonly Told[], batch = 1000): Promise<Map<string, unknown>> {
  const shard = await openTestFold(deviceType);
  const records = readings.map(({ time, fields }) => ({
    serial: 'SC-1',
    kind: 'supercharger',
    deviceTime: time,
    fields,
  }));
  let clock = CLOCK;
  for (let i = 0; i < records.length; i += batch) {
    shard.feed('telemetry', records.slice(i, i + batch), clock);
    clock += MINUTE;
    fireTimers(shard.fold, clock, 100);
  }
  // In the end nobody is silent any longer than the readings say.
  const last = { serial: 'SC-1', kind: 'supercharger', deviceTime: CLOCK, fields: { deliveredWh: 1e6 } };
  shard.feed('telemetry', [last], clock);
  while (publishOpen(shard.fold, clock, 100) > 0);
  const current = shard.current();
  await shard.close();
  return current;
}

const sessionsOf = (all: Map<string, unknown>) =>
  [...all].filter(([id]) => id.includes('charging_session')).map(([, fact]) => (fact as { data: object }).data);

/** Every order of a short list. */
function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, i) => permutations(list.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}

describe('readings of one instant', () => {
  const handOver: Told[] = [
    { time: START, fields: { sessionId: 'a', sessionEvent: 'Started', status: 'Occupied', deliveredWh: 0 } },
    { time: START + MINUTE, fields: { sessionId: 'a', sessionEvent: 'Ended', status: 'Available', deliveredWh: 500 } },
    { time: START + MINUTE, fields: { sessionId: 'b', sessionEvent: 'Started', status: 'Occupied', deliveredWh: 500 } },
    { time: START + 2 * MINUTE, fields: { sessionId: 'b', sessionEvent: 'Ended', deliveredWh: 900 } },
  ];

  it('end a session before they start the next, in whatever order they come', async () => {
    const calm = await facts(handOver);
    expect(sessionsOf(calm)).toMatchObject([
      { sessionId: 'a', energyWh: 500, closedBy: 'ended', endTime: '2024-03-01T12:01:00.000Z' },
      { sessionId: 'b', energyWh: 400, closedBy: 'ended', startTime: '2024-03-01T12:01:00.000Z' },
    ]);
    for (const order of permutations(handOver)) expect(await facts(order)).toEqual(calm);
  });

  it('stand in the order of their numbers', async () => {
    const numbered = [
      ['Started', 'Preparing', 0],
      ['Updated', 'Charging', 1],
      ['Updated', 'SuspendedEV', 2],
      ['Ended', 'Finishing', 3],
    ].map(([sessionEvent, status, seqNo]) => ({
      time: START,
      fields: { sessionId: 'a', sessionEvent, status, seqNo, deliveredWh: 100 },
    }));
    const calm = await facts(numbered);
    expect(sessionsOf(calm)).toMatchObject([{ closedBy: 'ended', seqGaps: 0 }]);
    expect([...calm.keys()].filter((id) => id.includes('gap_transition'))).toEqual([]);
    for (const order of permutations(numbered)) expect(await facts(order)).toEqual(calm);
  });
});

/** A few hours of a stall, as messages in the order of time: with numbers or without, some of them missing, some at one instant. */
const history = fc
  .array(
    fc.record({
      after: fc.constantFrom(0, 0, 1, 1, 2, 5, 40),
      event: fc.constantFrom('Started', 'Updated', 'Ended', undefined),
      id: fc.constantFrom('a', 'b', 'c', undefined),
      status: fc.constantFrom(
        'Available',
        'Charging',
        'SuspendedEV',
        'SuspendedEVSE',
        'Finishing',
        'Occupied',
        undefined,
      ),
      wh: fc.integer({ min: 0, max: 900 }),
      vehicleW: fc.constantFrom(0, 60_000, undefined),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .map((steps) => {
    let time = START;
    let deliveredWh = 1000;
    return steps.map(({ after, event, id, status, wh, vehicleW }, n): Told => {
      time += after * MINUTE;
      deliveredWh += after === 0 ? 0 : wh;
      // A note makes each reading differ from every other.
      const told = { sessionEvent: event, sessionId: id, status, vehicleW, deliveredWh, note: n };
      return { time, fields: Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) };
    });
  });

const RUNS = Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 40);

describe('messages of a stall', () => {
  it('that come late, twice, in any order and any batches make the same facts', async () => {
    const delivery = history.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list, ...list.slice(0, 5)], { minLength: Math.min(5, list.length) + list.length }),
        fc.integer({ min: 1, max: 15 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(delivery, async ([list, shuffled, batch]) => {
        expect(await facts(shuffled, batch)).toEqual(await facts(list));
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
