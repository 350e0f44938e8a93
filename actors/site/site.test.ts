import { expect, test } from 'vitest';
import { currentAfter, dataOf, energy, MINUTE, QUARTER, START, stay, told, values } from './testing/told.ts';

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
