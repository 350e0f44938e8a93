import { expect, test } from 'vitest';
import { encodeRecord } from '../../snapshots/record.ts';
import { decodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { openTestFold } from '../../runtime/shard/testing/test-fold.ts';
import { siteType } from './index.ts';
import {
  currentAfter,
  dataOf,
  energy,
  MINUTE,
  onTheLog,
  QUARTER,
  START,
  stay,
  tell,
  told,
  values,
} from './testing/told.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const home = stay('PW-1', 'powerwall', 'battery-1', START, null, { capacityWh: 13_500 });

test('a home: totals as of each minute in which its battery spoke', async () => {
  const current = await currentAfter([
    home,
    values(
      'PW-1',
      'powerwall',
      START + 5 * MINUTE,
      { powerW: 1000, soc: 0.5, siteW: -200, loadW: 900, solarW: 100 },
      2,
    ),
    values('PW-1', 'powerwall', START + 10 * MINUTE, { powerW: -400, soc: 0.6, siteW: 300, loadW: 50, solarW: 150 }, 3),
  ]);
  const rows = dataOf(current, 'site_rollup');
  expect(
    rows.map(({ minute, membersExpected, membersFresh, powerW, loadW, gridW, solarW, soc }) => [
      minute,
      membersExpected,
      membersFresh,
      powerW,
      loadW,
      gridW,
      solarW,
      soc,
    ]),
  ).toEqual([
    [iso(START + 5 * MINUTE), 1, 1, 1000, 900, -200, 100, 0.5],
    [iso(START + 10 * MINUTE), 1, 1, -400, 50, 300, 150, 0.6],
  ]);
});

test('a member whose stay is known long before the first readings of the others arrive makes them no later', async () => {
  const later = START + 30 * 24 * 60 * MINUTE;
  const current = await currentAfter([
    home,
    stay('PW-2', 'powerwall', 'battery-2', later, null),
    stay('PW-3', 'powerwall', 'battery-3', later + 24 * 60 * MINUTE, null),
    energy('PW-1', 'powerwall', START, 0, 100, 2),
    energy('PW-1', 'powerwall', START + QUARTER, 0, 30, 3),
  ]);
  expect(
    dataOf(current, 'site_energy_interval').map(({ batteryOutWh, batteryInWh }) => [batteryInWh, batteryOutWh]),
  ).toEqual([
    [0, 100],
    [0, 30],
  ]);
});

test('energy of a slot goes on through a replacement, and meters are those of one slot', async () => {
  const change = START + 20 * MINUTE;
  const meters = (serial: string, start: number, loadWh: number, version: number) =>
    told(
      serial,
      'powerwall',
      'meter_interval',
      `${serial}/${start}/900`,
      start,
      {
        startTime: start,
        lengthS: 900,
        loadWh,
        solarWh: 10,
        importWh: 20,
        exportWh: 0,
        coverage: 1,
      },
      version,
    );
  const current = await currentAfter([
    stay('PW-1', 'powerwall', 'battery-1', START, change),
    stay('PW-2', 'powerwall', 'battery-1', change, null),
    energy('PW-1', 'powerwall', START, 0, 100, 2),
    energy('PW-1', 'powerwall', START + QUARTER, 0, 30, 3, 1 / 3),
    energy('PW-2', 'powerwall', START + QUARTER, 0, 70, 2, 2 / 3),
    energy('PW-2', 'powerwall', START + 2 * QUARTER, 5, 0, 3),
    meters('PW-1', START, 130, 4),
    meters('PW-2', START + QUARTER, 130, 4),
  ]);
  const rows = dataOf(current, 'site_energy_interval');
  expect(rows.map((r) => [r.startTime, r.batteryInWh, r.batteryOutWh, r.loadWh, r.solarWh])).toEqual([
    [iso(START), 0, 100, 130, 10],
    [iso(START + QUARTER), 0, 100, 130, 10],
    [iso(START + 2 * QUARTER), 5, 0, null, null],
  ]);
  expect(rows.map((r) => r.coverage)).toEqual([1, expect.closeTo(1), 1]);
});

test('a member that is silent leaves bounds, by its plate or by what it last could do', async () => {
  const all = { powerW: 1000, availableChargeW: 3000, availableDischargeW: 2000 };
  const current = await currentAfter([
    stay('A', 'powerwall', 'a', START, null, { ratedW: 5000 }),
    stay('B', 'powerwall', 'b', START, null),
    stay('C', 'inverter', 'c', START, null, { ratedW: 4000 }),
    values('A', 'powerwall', START, all, 2, 3 * MINUTE),
    values('B', 'powerwall', START, all, 2, 5 * MINUTE),
    values('C', 'inverter', START, { powerW: 500 }, 2, 7 * MINUTE),
    values('D', 'powerwall', START + 20 * MINUTE, all, 2),
    stay('D', 'powerwall', 'd', START + 20 * MINUTE, null),
  ]);
  const rows = dataOf(current, 'site_rollup');
  expect(rows.map((d) => [d.minute, d.membersFresh, d.powerW, d.powerMinW, d.powerMaxW])).toEqual([
    [iso(START), 3, 2500, 2500, 2500],
    [iso(START + 3 * MINUTE), 2, 1500, -3500, 6500],
    [iso(START + 5 * MINUTE), 1, 500, -7500, 7500],
    [iso(START + 7 * MINUTE), 0, null, -8000, 11_000],
    [iso(START + 20 * MINUTE), 1, 1000, -7000, 12_000],
  ]);
});

test('a member that leaves takes its part of the totals with it', async () => {
  const left = START + 4 * MINUTE;
  const current = await currentAfter([
    stay('A', 'megapack', 'a', START, left, { capacityWh: 3_000_000 }),
    stay('B', 'megapack', 'b', START, null, { capacityWh: 1_000_000 }),
    values('A', 'megapack', START, { powerW: 100_000, soc: 0.2 }, 2),
    values('B', 'megapack', START, { powerW: 50_000, soc: 0.6 }, 2),
    values('A', 'megapack', START + 9 * MINUTE, { powerW: 999_999, soc: 1 }, 3),
  ]);
  const rows = dataOf(current, 'site_rollup');
  expect(rows.map((d) => [d.minute, d.membersExpected, d.powerW, d.capacityWh, d.soc, d.socMin, d.socMax])).toEqual([
    [iso(START), 2, 150_000, 4_000_000, expect.closeTo(0.3), 0.2, 0.6],
    [iso(left), 1, 50_000, 1_000_000, 0.6, 0.6, 0.6],
  ]);
});

test('two members that claim one slot are a conflict as long as both do', async () => {
  const from = START + 10 * MINUTE;
  const claims = [stay('A', 'inverter', 'roof', START, null), stay('B', 'inverter', 'roof', from, null)];
  expect(dataOf(await currentAfter(claims), 'slot_conflict')).toEqual([
    { slot: 'roof', fromTime: iso(from), toTime: null, holder: 'A', claimant: 'B' },
  ]);
  const settled = [...claims, stay('A', 'inverter', 'roof', START, from, {}, 2)];
  expect(dataOf(await currentAfter(settled), 'slot_conflict')).toEqual([]);
});

test('the grid of a home is that of its gateway, not of any of its units', async () => {
  const island = (serial: string, from: number, version: number) =>
    told(
      serial,
      'powerwall',
      'grid_event',
      `${serial}/${iso(from)}`,
      from,
      {
        fromTime: from,
        toTime: null,
        intentional: false,
        durationMs: null,
        energyServedWh: null,
        socFrom: 0.9,
        socTo: null,
      },
      version,
    );
  const current = await currentAfter([
    stay('A', 'powerwall', 'a', START, null),
    stay('G', 'powerwall', 'g', START, null),
    values('A', 'powerwall', START, { powerW: 0 }, 2),
    values('G', 'powerwall', START, { powerW: 0, siteW: 100 }, 2),
    island('A', START + MINUTE, 3),
    island('G', START + 2 * MINUTE, 3),
  ]);
  expect(dataOf(current, 'site_grid_event').map((d) => [d.gateway, d.fromTime, d.socFrom])).toEqual([
    ['G', iso(START + 2 * MINUTE), 0.9],
  ]);
});

test('an inverter that yields over 10 % less than its peers is told, by its plate, when the day is over', async () => {
  const rated = { A: 5000, B: 10_000, C: 5000, D: 5000 };
  const plant = Object.entries(rated).map(([s, ratedW]) => stay(s, 'inverter', `slot-${s}`, START, null, { ratedW }));
  const yields = { A: 500, B: 1000, C: 449, D: 455 };
  const noon = Object.entries(yields).map(([s, wh]) => energy(s, 'inverter', START + 48 * QUARTER, 0, wh, 2));
  const day = [...plant, ...noon];
  expect(dataOf(await currentAfter(day), 'underperformance')).toEqual([]);
  const midnight = values('A', 'inverter', START + 96 * QUARTER, { powerW: 0 }, 3);
  expect(dataOf(await currentAfter([...day, midnight]), 'underperformance')).toEqual([
    {
      memberSerial: 'C',
      slot: 'slot-C',
      day: iso(START),
      energyWh: 449,
      yieldRatio: expect.closeTo(0.898),
      lostWh: expect.closeTo(51),
      peers: 3,
    },
  ]);
  const corrected = energy('C', 'inverter', START + 48 * QUARTER, 0, 480, 4);
  expect(dataOf(await currentAfter([...day, midnight, corrected]), 'underperformance')).toEqual([]);
});

test('a record that is no contribution is set aside with a reason', async () => {
  const fold = await openTestFold(siteType, { blocksPerKind: 1 });
  try {
    const good = JSON.parse(Buffer.from(onTheLog(home)).toString()) as Record<string, unknown>;
    const bad = [
      { ...good, version: 0 },
      { ...good, to: { kind: 'planet', key: 'S' } },
      { ...good, data: null },
    ];
    fold.feed('telemetry', [Buffer.from('{'), ...bad.map((b) => Buffer.from(JSON.stringify(b)))], START);
    const reasons = fold.fold.outputs.deadLetters.map(({ value }) => decodeDeadLetter(value).reason);
    expect(reasons).toEqual([
      'malformed_contribution',
      'malformed_contribution',
      'unknown_kind',
      'malformed_contribution',
    ]);
  } finally {
    await fold.close();
  }
});

test.each([
  ['a home of one battery every 5 minutes', 'powerwall', 1, 5, 16_000],
  ['20 batteries every 5 minutes', 'powerwall', 20, 5, 20 * 13_000],
  ['20 Megapacks every minute', 'megapack', 20, 1, 20 * 40_000],
])('%s keeps its past in few bytes', async (_name, kind, members, cadence, limit) => {
  const fold = await openTestFold(siteType, { blocksPerKind: 1 });
  try {
    tell(
      fold,
      Array.from({ length: members }, (_, i) => stay(`M-${i}`, kind, `slot-${i}`, START, null)),
    );
    for (let minute = 0; minute < 36 * 60; minute += cadence) {
      const at = START + minute * MINUTE;
      const told = Array.from({ length: members }, (_, i) => {
        const powerW = Math.round(3000 * Math.sin(minute / 100 + i));
        const all = {
          powerW,
          soc: ((minute * 7) % 1000) / 1000,
          energyRemainingWh: 7000 + (minute % 500),
          energyFullWh: 13_512,
        };
        const meters = {
          availableChargeW: 5000,
          availableDischargeW: 5000,
          siteW: 200 - powerW,
          loadW: 900,
          solarW: minute,
        };
        return values(`M-${i}`, kind, at, { ...all, ...meters }, minute + 2);
      });
      fold.feed('telemetry', told.map(onTheLog), at);
    }
    const side = fold.fold.kinds[0].asset.readSide() as object;
    expect(encodeRecord(Buffer.from('key'), side).length).toBeLessThan(limit);
  } finally {
    await fold.close();
  }
});
