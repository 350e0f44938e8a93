import { describe, expect, test } from 'vitest';
import type { LifecycleValue } from '../record.ts';
import { collect, onRealData, readings, realData, withFile } from './data.testing.ts';
import { openRecording } from './index.ts';

const HEADER = 'session_id,station_id,arrival_period_5m,departure_period_5m,kwh,max_kw';
const readText = (rows: readonly string[], options = {}) =>
  withFile('garage.csv', [HEADER, ...rows].join('\n'), (file) => collect(openRecording('acn', file, options)));

describe('acn', () => {
  test('makes a start and an end of each session, with the register of its stall', async () => {
    const records = await readText(['s1,CA-1,0,12,4.2165,6.6', 's2,CA-1,12,13,0.5,6.6']);
    const at = (time: string) => ({ deviceTime: time, receiveTime: time });
    const stall = { serial: 'CA-1', kind: 'supercharger' };
    expect(readings(records)).toEqual([
      {
        ...stall,
        ...at('2019-03-01T08:00:00.000Z'),
        txid: 's1/Started',
        fields: { sessionId: 's1', sessionEvent: 'Started', status: 'Occupied', deliveredWh: 0, offeredW: 6600 },
      },
      {
        ...stall,
        ...at('2019-03-01T09:00:00.000Z'),
        txid: 's1/Ended',
        fields: { sessionId: 's1', sessionEvent: 'Ended', status: 'Available', deliveredWh: 4216.5 },
      },
      {
        ...stall,
        ...at('2019-03-01T09:00:00.000Z'),
        txid: 's2/Started',
        fields: { sessionId: 's2', sessionEvent: 'Started', status: 'Occupied', deliveredWh: 4216.5, offeredW: 6600 },
      },
      {
        ...stall,
        ...at('2019-03-01T09:05:00.000Z'),
        txid: 's2/Ended',
        fields: { sessionId: 's2', sessionEvent: 'Ended', status: 'Available', deliveredWh: 4716.5 },
      },
    ]);
    const lifecycle = records.filter((r) => r.topic === 'lifecycle').map((r) => r.value as LifecycleValue);
    expect(lifecycle).toHaveLength(6);
    expect(lifecycle.find((v) => v.type === 'installed')?.data).toMatchObject({
      siteId: 'ACN-CALTECH',
      position: 'stall-1',
      cadenceSeconds: 86_400,
    });
  });

  test('is in order of time, whatever stays longest', async () => {
    const records = await readText(['s1,A,0,90,1,6.6', 's2,B,5,8,1,6.6', 's3,C,8,9,1,6.6'], { serialPrefix: 'X' });
    expect(readings(records).map((v) => `${v.serial} ${v.fields.sessionEvent}`)).toEqual([
      'X-A Started',
      'X-B Started',
      'X-B Ended',
      'X-C Started',
      'X-C Ended',
      'X-A Ended',
    ]);
  });

  test.each([
    ['s1,A,0,x,1,6.6', /line 2: "x" .*not a number/],
    ['s1,A,0,1.5,1,6.6', /line 2: "1.5" is not the number of a period/],
    ['s1,A,5,4,1,6.6', /line 2: the session ends before it begins/],
    ['s1,A,0,4,,6.6', /line 2: the session has no energy/],
    ['s1,,0,4,1,6.6', /line 2: the session or its station has no name/],
    ['s1,A,5,6,1,6.6\ns2,A,4,6,1,6.6', /line 3: the session begins before the one in the line before/],
  ])('names the line of what it cannot read (%#)', async (row, message) => {
    await expect(readText([row])).rejects.toMatchObject({
      code: 'recording_malformed',
      message: expect.stringMatching(message),
    });
  });

  const garage = realData('ac_charging/acn_caltech_sessions_2019-03.csv');
  test.skipIf(garage === null)(onRealData('the garage gives its golden energy', garage), async () => {
    const records = await collect(openRecording('acn', garage!));
    const values = readings(records);
    expect(values).toHaveLength(2 * 954);
    const registers = new Map(values.map((v) => [v.serial, v.fields.deliveredWh as number]));
    expect(registers.size).toBe(47);
    expect([...registers.values()].reduce((sum, wh) => sum + wh, 0) / 1000).toBeCloseTo(8900.522, 3);
    const times = values.map((v) => Date.parse(v.deviceTime));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
