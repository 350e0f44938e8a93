import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUARTER_MS, Tables } from '../testing/tables.ts';

const START = Date.UTC(2022, 4, 1);
const HOUR_MS = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
/** States with their seconds. */
const states = `list_transform(map_entries(state_s), e -> e.key || ' ' || e.value::INTEGER)`;
const at = (hour: number) => iso(START + hour * HOUR_MS);

describe('rows of features', () => {
  let tables: Tables;
  beforeEach(async () => {
    tables = await Tables.open();
  });
  afterEach(() => tables.remove());

  it('hold what an hour was like', async () => {
    tables
      .holds('A', 'S-1', 'left', at(0), null, { capacityWh: 10_000 })
      .state('A', 'operation', 'standby', at(0), at(0.5))
      .state('A', 'operation', 'charging', at(0.5), at(2))
      .state('A', 'connectivity', 'online', at(0), at(1.75))
      .state('A', 'health', 'faulted', at(1.5), at(1.75))
      .say('state_transition', 'A', 't', at(0.5), {
        region: 'operation',
        from: 'standby',
        to: 'charging',
        cause: 'power',
        leftAfterMs: null,
      })
      .say('derate_interval', 'A', 'd', at(1), { cause: 'THERMAL', fromTime: at(1.25), toTime: at(1.5) })
      .say('data_gap', 'A', 'g', at(1), { fromTime: at(1.75), toTime: at(2), class: 'silent' })
      .fault('A', 'F', at(1.5), at(1.75));
    for (let q = 0; q < 4; q++) tables.energy('A', START + q * QUARTER_MS, 100, 0);
    tables.energy('A', at(1), 0, 50, { coverage: 0.5 });
    const names =
      'from_time, in_wh, out_wh, coverage, mean_w, cycles, transitions, faults_opened, faulted_s, online_s, derate_s, gap_s';
    const rows = `SELECT ${names}, ${states} FROM feature_rows_at($1::TIMESTAMPTZ) ORDER BY from_time`;
    expect(await tables.rows(rows, [at(3)])).toEqual([
      [
        at(0),
        400,
        0,
        1,
        -400,
        0.02,
        1,
        0,
        0,
        3600,
        0,
        0,
        ['connectivity/online 3600', 'operation/charging 1800', 'operation/standby 1800'],
      ],
      [
        at(1),
        0,
        50,
        0.125,
        400,
        0.0025,
        0,
        1,
        900,
        2700,
        900,
        900,
        ['connectivity/online 2700', 'health/faulted 900', 'operation/charging 3600'],
      ],
    ]);
  });

  it('spread of the power: quantiles over the mean powers of the quarters that readings cover', async () => {
    const energies = [0, 100, 200, 1000];
    for (const [q, wh] of energies.entries()) tables.energy('A', START + q * QUARTER_MS, 0, wh);
    tables.energy('A', at(1), 0, 0, { coverage: 0 });
    const rows = 'SELECT p10_w, p50_w, p90_w FROM feature_rows_at($1::TIMESTAMPTZ) ORDER BY from_time';
    const [[p10, p50, p90], unknown] = await tables.rows(rows, [at(3)]);
    expect(p10).toBeCloseTo(120, 9);
    expect(p50).toBeCloseTo(600, 9);
    expect(p90).toBeCloseTo(3040, 9);
    expect(unknown).toEqual([null, null, null]);
  });

  it('are not changed by what comes after the cut: late facts, corrections, retractions', async () => {
    tables
      .energy('A', at(0), 100, 0, { received: at(0.5) })
      .state('A', 'operation', 'standby', at(0), null, { received: at(0.5) })
      .fault('A', 'F', at(0.5), null, 0, { received: at(0.5) })
      .energy('A', at(2), 0, 0, { received: at(2.5) });
    const row = `SELECT in_wh, faults_opened, ${states} FROM`;
    const early = [[100, 1, ['operation/standby 3600']]];
    expect(await tables.rows(`${row} feature_rows WHERE from_time = $1::TIMESTAMPTZ`, [at(0)])).toEqual(early);
    tables
      .energy('A', at(0), 170, 0, { received: at(1.25) })
      .energy('A', at(0.25), 30, 0, { received: at(1.25) })
      .state('A', 'operation', 'standby', at(0), at(0.75), { received: at(1.25) })
      .state('A', 'operation', 'charging', at(0.75), null, { received: at(1.25) })
      .fault('A', 'F', at(0.5), null, 0, { op: 'retract', received: at(1.25) });
    expect(await tables.rows(`${row} feature_rows WHERE from_time = $1::TIMESTAMPTZ`, [at(0)])).toEqual(early);
    expect(await tables.rows(`${row} feature_rows_at($1::TIMESTAMPTZ)`, [at(1)])).toEqual(early);
    const later = [[200, 0, ['operation/charging 900', 'operation/standby 2700']]];
    expect(await tables.rows(`${row} feature_rows_at($1::TIMESTAMPTZ)`, [at(1.5)])).toEqual(later);
    expect(
      await tables.rows(`${row} feature_rows_within(INTERVAL 15 MINUTE) WHERE from_time = $1::TIMESTAMPTZ`, [at(0)]),
    ).toEqual(later);
  });

  it('of an hour that has not ended, or whose cut has not passed, are not there', async () => {
    tables.energy('A', at(0), 100, 0, { received: at(0.25) }).energy('A', at(1), 100, 0, { received: at(1.25) });
    expect(await tables.rows('SELECT from_time FROM feature_rows')).toEqual([[at(0)]]);
    expect(await tables.rows('SELECT from_time FROM feature_rows_within(INTERVAL 1 HOUR)')).toEqual([]);
    expect(await tables.rows('SELECT from_time FROM feature_rows_at($1::TIMESTAMPTZ)', [at(0.5)])).toEqual([]);
  });

  it('as of a cut are the same whatever is received later, and as of the end of an hour are those of that hour', async () => {
    const fact = fc.record({
      serial: fc.constantFrom('A', 'B'),
      what: fc.constantFrom('energy', 'state', 'fault', 'gap'),
      quarter: fc.integer({ min: 0, max: 23 }),
      length: fc.option(fc.integer({ min: 1, max: 12 })),
      retract: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
      receivedAfter: fc.integer({ min: 1, max: 30 }),
      wh: fc.integer({ min: 0, max: 1000 }),
    });
    const seed = 7;
    const facts = fc
      .sample(fact, { numRuns: 400, seed })
      .map((f) => ({ ...f, received: START + (f.quarter + f.receivedAfter) * QUARTER_MS }))
      .sort((a, b) => a.received - b.received);
    const cutHour = 4;
    const say = (f: (typeof facts)[number]) => {
      const start = START + f.quarter * QUARTER_MS;
      const end = f.length === null ? null : iso(start + f.length * QUARTER_MS);
      const saying = { op: f.retract ? ('retract' as const) : ('upsert' as const), received: f.received };
      if (f.what === 'energy') tables.energy(f.serial, start, f.wh, 0, saying);
      if (f.what === 'state') tables.state(f.serial, 'operation', 'charging', iso(start), end, saying);
      if (f.what === 'fault') tables.fault(f.serial, 'F', iso(start), end, 0, saying);
      if (f.what === 'gap')
        tables.say(
          'data_gap',
          f.serial,
          `${start}`,
          start,
          { fromTime: iso(start), toTime: end, class: 'silent' },
          saying,
        );
    };
    const seen = 'SELECT * FROM feature_rows_at($1::TIMESTAMPTZ) ORDER BY serial, from_time';
    const early = facts.filter((f) => f.received <= START + cutHour * HOUR_MS);
    early.forEach(say);
    const before = await tables.rows(seen, [at(cutHour)]);
    expect(before.length, `seed ${seed}`).toBeGreaterThan(4);
    facts.slice(early.length).forEach(say);
    expect(await tables.rows(seen, [at(cutHour)]), `seed ${seed}`).toEqual(before);
    for (let hour = 0; hour < 6; hour++) {
      const rolling = await tables.rows(
        'SELECT * FROM feature_rows WHERE from_time = $1::TIMESTAMPTZ ORDER BY serial',
        [at(hour)],
      );
      const cut = await tables.rows(
        'SELECT * FROM feature_rows_at($1::TIMESTAMPTZ) WHERE from_time = $2::TIMESTAMPTZ ORDER BY serial',
        [at(hour + 1), at(hour)],
      );
      expect(rolling, `seed ${seed}, hour ${hour}`).toEqual(cut);
    }
  });
});
