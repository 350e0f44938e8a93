import { describe, expect, test } from 'vitest';
import type { LifecycleValue } from '../record.ts';
import { collect, onRealData, readings, realData, withFile } from './data.testing.ts';
import { openRecording } from './index.ts';

const HEADER =
  'local_time,serial,power_w,energy_today_kwh,temp_c,grid_v,grid_hz,pv1_v,pv1_a,pv2_v,pv2_a,op_mode,error_code';
const readText = (content: string, options = {}) =>
  withFile('plant.csv', content, (file) => collect(openRecording('solarma', file, options)));

describe('solarma', () => {
  test('reads power, counters, inputs, mode and error, each in its unit', async () => {
    const records = await readText(
      `${HEADER}\n2019-09-01 17:40:00,A1,3222,0.055,51,234,49.99,563.3,1.857,573.8,1.877,60,0\n`,
    );
    expect(readings(records)).toEqual([
      {
        serial: 'A1',
        kind: 'inverter',
        deviceTime: '2019-09-01T17:40:00+02:00',
        receiveTime: '2019-09-01T17:40:00+02:00',
        txid: '1567352400-2',
        fields: {
          powerW: 3222,
          energyDayWh: 55,
          tempC: 51,
          voltageV: 234,
          frequencyHz: 49.99,
          dcPowerW: 2123.071,
          stateCode: 60,
          stateScheme: 'danfoss',
          errorCode: 0,
        },
      },
    ]);
    expect(records.filter((r) => r.topic === 'lifecycle').map((r) => r.key)).toEqual(Array(6).fill('A1'));
  });

  test('marks what an inverter that is off cannot have measured', async () => {
    const records = await readText(`${HEADER}\n2019-09-01 22:00:00,A1,0,12.5,0,0,,0,0,0,0,0,0\n`);
    expect(readings(records)[0].fields).toEqual({
      powerW: 0,
      energyDayWh: 12_500,
      tempC: null,
      voltageV: null,
      frequencyHz: null,
      dcPowerW: null,
      stateCode: 0,
      stateScheme: 'danfoss',
      errorCode: 0,
    });
  });

  test('reads the hour that occurs twice in the order it was written, each serial for itself', async () => {
    const times = ['01:50', '02:00', '02:30', '02:00', '02:30', '03:00'];
    const rows = times.flatMap((time) => ['A', 'B'].map((serial) => `2019-10-27 ${time}:00,${serial},1`));
    const values = readings(await readText(`local_time,serial,power_w\n${rows.join('\n')}`), 'B');
    expect(values.map((v) => v.deviceTime)).toEqual([
      '2019-10-27T01:50:00+02:00',
      '2019-10-27T02:00:00+02:00',
      '2019-10-27T02:30:00+02:00',
      '2019-10-27T02:00:00+01:00',
      '2019-10-27T02:30:00+01:00',
      '2019-10-27T03:00:00+01:00',
    ]);
  });

  test('heeds another time zone, serial prefix and site', async () => {
    const options = { timeZone: 'Asia/Kolkata', serialPrefix: 'X', siteId: 'S9' };
    const records = await readText('serial,local_time,power_w\n7,2020-01-01 00:00:00,1\n', options);
    expect(readings(records, 'X-7')[0]).toMatchObject({
      deviceTime: '2020-01-01T00:00:00+05:30',
      fields: { powerW: 1 },
    });
    const installed = records.map((r) => r.value as LifecycleValue).find((v) => v.type === 'installed');
    expect(installed?.data).toMatchObject({ siteId: 'S9', timeZone: 'Asia/Kolkata', cadenceSeconds: 600 });
    await expect(readText('serial\n', { timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
      code: 'recording_option_invalid',
    });
  });

  test.each([
    ['serial,power_w\nA,1\n', /line 1: no column "local_time"/],
    [`${HEADER}\n2019-09-01 17:40:00,,1,,,,,,,,,,\n`, /line 2: the serial is empty/],
    [`${HEADER}\n2019-09-01 25:40:00,A,1,,,,,,,,,,\n`, /line 2: "2019-09-01 25:40:00"/],
    [`${HEADER}\n2019-09-01 17:40:00,A,"1,,,,,,,,,,\n`, /line 2: a quoted cell/],
  ])('names the line of what it cannot read (%#)', async (content, message) => {
    await expect(readText(content)).rejects.toMatchObject({
      code: 'recording_malformed',
      message: expect.stringMatching(message),
    });
  });

  const plant = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');
  test.skipIf(plant === null)(onRealData('the plant gives its golden energies', plant), async () => {
    const records = await collect(openRecording('solarma', plant!));
    const values = readings(records);
    expect(values).toHaveLength(9477);
    const highest = new Map<string, Map<string, number>>();
    for (const { serial, deviceTime, fields } of values) {
      const days = highest.get(serial) ?? new Map<string, number>();
      const day = deviceTime.slice(0, 10);
      days.set(day, Math.max(days.get(day) ?? 0, fields.energyDayWh as number));
      highest.set(serial, days);
    }
    const energy = [...highest].map(
      ([serial, days]) => [serial, [...days.values()].reduce((a, b) => a + b, 0)] as const,
    );
    expect(energy.reduce((sum, [, wattHours]) => sum + wattHours, 0)).toBe(1_660_736);
    expect(Object.fromEntries(energy)).toMatchObject({ '102102N182': 184_531, '102502N182': 53_836 });
    expect(highest.size).toBe(13);
    expect(values.filter((v) => v.fields.voltageV === null && v.fields.frequencyHz === null)).toHaveLength(4836);
    const installed = records.filter((r) => (r.value as { type?: string }).type === 'installed');
    expect(installed.map((r) => (r.value as LifecycleValue).data.position)).toContain('inverter-13');
  });
});
