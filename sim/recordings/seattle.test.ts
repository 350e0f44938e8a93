import { describe, expect, test } from 'vitest';
import type { LifecycleValue, TelemetryValue } from '../record.ts';
import { collect, onRealData, readings, realData, withFile } from './data.testing.ts';
import { openRecording } from './index.ts';

const HEADER = 'Date time,Home (kW),Solar (kW),Powerwall (kW),Grid (kW),Energy Remaining (%)';
const ROWS = [
  '2022-07-08T01:55:00-07:00,0.4,0,0.4,0,77',
  '2022-07-08T02:00:00-07:00,0,0,0,0,0',
  '2022-07-08T12:00:00-07:00,0.3,4.1,-3.3,-0.5,',
];

const readText = (content: string, options = {}) =>
  withFile('home.csv', content, (file) => collect(openRecording('seattle-5min', file, options)));

describe('seattle-5min', () => {
  test.each(['\n', '\r\n'])('turns kW into fields, whatever ends the lines', async (newline) => {
    const records = await readText([HEADER, ...ROWS].join(newline) + newline);
    expect(readings(records, 'SEATTLE-PW').map((r) => r.fields)).toEqual([
      { powerW: 400, siteW: 0, loadW: 400, solarW: 0, soc: 0.77 },
      { powerW: 0, siteW: 0, loadW: 0, solarW: 0, soc: 0 },
      { powerW: -3300, siteW: -500, loadW: 300, solarW: 4100 },
    ]);
    expect(readings(records, 'SEATTLE-PV').map((r) => r.fields)).toEqual([
      { powerW: 0 },
      { powerW: null },
      { powerW: 4100 },
    ]);
  });

  test('puts both assets into service before the first row', async () => {
    const records = await readText([HEADER, ...ROWS].join('\n'), { serialPrefix: 'H7', siteId: 'S-1' });
    const lifecycle = records.filter((r) => r.topic === 'lifecycle');
    expect(records.slice(0, lifecycle.length)).toEqual(lifecycle);
    for (const serial of ['H7-PW', 'H7-PV']) {
      const values = lifecycle.filter((r) => r.key === serial).map((r) => r.value as LifecycleValue);
      expect(values.map((v) => v.type)).toEqual([
        'manufactured',
        'shipped',
        'delivered',
        'installed',
        'commissioningStarted',
        'commissioned',
      ]);
      const times = values.map((v) => v.eventTime as string);
      expect(times).toEqual([...times].sort());
      expect(times.at(-1)! < '2022-07-08T08:55:00.000Z').toBe(true);
      const installed = values.find((v) => v.type === 'installed');
      expect(installed?.data).toMatchObject({ siteId: 'S-1', timeZone: 'America/Los_Angeles', cadenceSeconds: 300 });
    }
  });

  test('finds columns by name and does without the optional ones', async () => {
    const records = await readText('Powerwall (kW),Date time\n1.5,2021-03-14T03:00:00-07:00\n');
    expect(readings(records)).toHaveLength(1);
    expect(readings(records)[0]).toMatchObject({
      serial: 'SEATTLE-PW',
      deviceTime: '2021-03-14T03:00:00-07:00',
      receiveTime: '2021-03-14T03:00:00-07:00',
      fields: { powerW: 1500 },
    });
  });

  test.each([
    ['', /empty/],
    ['Date time,Home (kWh)\n2022-01-01T00:00:00-08:00,4\n', /line 1: no column "Powerwall \(kW\)"/],
    [`${HEADER}\n${ROWS[0]}\n2022-07-08T02:00:00-07:00,0,0\n`, /line 3: 3 cells/],
    [`${HEADER}\n${ROWS[0]}\n2022-07-32T02:00:00-07:00,0,0,0,0,\n`, /line 3: "2022-07-32/],
    [`${HEADER}\n\n2022-07-08T02:00:00-07:00,0,0,n/a,0,\n`, /line 3: "n\/a" in column "Powerwall \(kW\)"/],
  ])('names the line of what it cannot read (%#)', async (content, message) => {
    await expect(readText(content)).rejects.toMatchObject({
      code: 'recording_malformed',
      message: expect.stringMatching(message),
    });
  });

  const year = realData('powerwall_home/seattle_2022_5min.csv');
  test.skipIf(year === null)(onRealData('the year gives its golden energies', year), async () => {
    const sums = { load: 0, solar: 0, discharge: 0, charge: 0, import: 0, export: 0 };
    const count = { battery: 0, roof: 0, zeroRows: 0, zeroRuns: 0, soc: 0, roofDiffers: 0 };
    let before: TelemetryValue | null = null;
    let wasZero = false;
    for await (const record of openRecording('seattle-5min', year!)) {
      if (record.topic !== 'telemetry') continue;
      const value = record.value as TelemetryValue;
      if (value.kind === 'inverter') {
        count.roof += 1;
        if (value.fields.powerW !== (wasZero ? null : before?.fields.solarW)) count.roofDiffers += 1;
        continue;
      }
      if (before !== null) addEnergy(sums, before, Date.parse(value.deviceTime) - Date.parse(before.deviceTime));
      before = value;
      count.battery += 1;
      if (value.fields.soc !== undefined) count.soc += 1;
      const isZero = ['powerW', 'siteW', 'loadW', 'solarW'].every((field) => value.fields[field] === 0);
      if (isZero) count.zeroRows += 1;
      if (isZero && !wasZero) count.zeroRuns += 1;
      wasZero = isZero;
    }
    addEnergy(sums, before!, 300_000);
    expect(count).toEqual({
      battery: 105_120,
      roof: 105_120,
      zeroRows: 1041,
      zeroRuns: 106,
      soc: 34_560,
      roofDiffers: 0,
    });
    const kilowattHours = Object.fromEntries(Object.entries(sums).map(([k, v]) => [k, Math.round(v / 100) / 10]));
    expect(kilowattHours).toEqual({
      load: 11_215.0,
      solar: 12_472.6,
      discharge: 3573.5,
      charge: 4357.8,
      import: 2980.5,
      export: 3457.5,
    });
  });

  const changes: [day: string, rows: number, hours: number][] = [
    ['2022-03-13', 276, 23],
    ['2022-11-06', 300, 25],
  ];
  test.skipIf(year === null).each(changes)(
    onRealData('%s has its %i rows over %i hours, all at times of their own', year),
    async (day, rows, hours) => {
      const file = realData(`powerwall_home/${day}.csv`)!;
      const values = readings(await collect(openRecording('seattle-5min', file)), 'SEATTLE-PW');
      const times = values.map((v) => Date.parse(v.deviceTime));
      expect(new Set(times).size).toBe(rows);
      expect(times.at(-1)! + 300_000 - times[0]).toBe(hours * 3_600_000);
    },
  );
});

function addEnergy(sums: Record<string, number>, value: TelemetryValue, heldMs: number): void {
  const wattHours = (field: string) => ((value.fields[field] as number) * heldMs) / 3_600_000;
  sums.load += wattHours('loadW');
  sums.solar += wattHours('solarW');
  sums.discharge += Math.max(0, wattHours('powerW'));
  sums.charge += Math.max(0, -wattHours('powerW'));
  sums.import += Math.max(0, wattHours('siteW'));
  sums.export += Math.max(0, -wattHours('siteW'));
}
