import { describe, expect, it } from 'vitest';
import { currentAfter, dataOf, MINUTE, START, stay, type Told, to, told, values } from './testing/told.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const at = (minute: number) => START + minute * MINUTE;
const cabinet = (record: Told) => to('cabinet', 'S/C1', record);

const stall = (name: string) =>
  cabinet(stay(name, 'supercharger', name, START, null, { cabinet: 'C1', cabinetLimitW: 300_000 }));

const power = (name: string, minute: number, offeredW: number, requestedW: number) =>
  cabinet(
    values(name, 'supercharger', at(minute), { powerW: -offeredW, offeredW, requestedW }, minute + 2, 3 * MINUTE),
  );

function state(name: string, word: string, from: number, end: number | null, version: number): Told {
  const data = { region: 'operation', state: word, fromTime: at(from), toTime: end === null ? null : at(end) };
  return cabinet(told(name, 'supercharger', 'state_interval', `${name}/operation/${from}`, at(from), data, version));
}

describe('a cabinet', () => {
  it('is what its stalls show, minute by minute', async () => {
    const current = await currentAfter([
      stall('A'),
      stall('B'),
      power('A', 0, 0, 0),
      power('B', 0, 0, 0),
      state('A', 'available', 0, 1, 2),
      state('B', 'available', 0, null, 2),
      state('A', 'charging', 1, null, 3),
      power('A', 1, 290_000, 290_000),
      power('B', 1, 0, 0),
      power('A', 2, 150_000, 290_000),
      power('B', 2, 0, 0),
    ]);
    const intervals = dataOf(current, 'cabinet_interval').map((d) => [d.state, d.fromTime, d.toTime]);
    expect(intervals).toEqual([
      ['Standby', iso(at(0)), iso(at(1))],
      ['Supplying', iso(at(1)), iso(at(2))],
      ['Derated', iso(at(2)), null],
    ]);
    expect(dataOf(current, 'cabinet_rollup').map((d) => [d.offeredW, d.requestedW, d.limitW])).toEqual([
      [0, 0, 300_000],
      [290_000, 290_000, 300_000],
      [150_000, 290_000, 300_000],
    ]);
  });

  it('holds its stalls back when all are out of use, and is at fault when one of them tells a fault', async () => {
    const current = await currentAfter([
      stall('A'),
      stall('B'),
      power('A', 0, 0, 0),
      power('B', 0, 0, 0),
      state('A', 'unavailable', 1, 4, 3),
      state('B', 'faulted', 2, 4, 3),
      power('A', 1, 0, 0),
      power('B', 2, 0, 0),
      state('A', 'available', 4, null, 4),
      state('B', 'available', 4, null, 4),
      power('A', 4, 0, 0),
      power('B', 4, 0, 0),
    ]);
    expect(dataOf(current, 'cabinet_inhibit')).toEqual([
      { fromTime: iso(at(2)), toTime: iso(at(4)), cause: 'Faulted', stalls: ['A', 'B'] },
    ]);
    expect(dataOf(current, 'cabinet_interval').map((d) => d.state)).toEqual(['Standby', 'Faulted', 'Standby']);
  });

  it('gives more than it can when the stalls are offered more together', async () => {
    const current = await currentAfter([
      stall('A'),
      stall('B'),
      power('A', 0, 150_000, 150_000),
      power('B', 0, 150_000, 150_000),
      power('A', 1, 200_000, 250_000),
      power('B', 1, 150_000, 250_000),
      power('A', 2, 150_000, 250_000),
      power('B', 2, 150_000, 250_000),
    ]);
    expect(dataOf(current, 'cabinet_overallocation')).toEqual([
      { fromTime: iso(at(1)), toTime: iso(at(2)), limitW: 300_000, maxOfferedW: 350_000 },
    ]);
  });
});
