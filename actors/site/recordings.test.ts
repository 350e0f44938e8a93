import { describe, expect, it } from 'vitest';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { openRecording } from '../../sim/recordings/index.ts';
import type { SourceRecord } from '../../sim/record.ts';
import { openTestFold } from '../../runtime/shard/testing/test-fold.ts';
import { publishOpen } from '../../runtime/shard/timers.ts';
import { deviceType } from '../device/index.ts';
import { siteType } from './index.ts';
import { type Current, dataOf } from './testing/told.ts';

/** Lets devices fold a recording, and their sites what they tell. With `apart`, one device after the other, as from partitions. */
async function siteFacts(format: string, file: string, apart: boolean): Promise<Map<string, Current>> {
  const records: SourceRecord[] = [];
  for await (const record of openRecording(format, file)) records.push(record);
  const serialOf = ({ value }: SourceRecord) => (value as { serial: string }).serial;
  const serials = [...new Set(records.map(serialOf))];
  const parts = apart ? serials.map((serial) => records.filter((r) => serialOf(r) === serial)) : [records];
  const devices = await openTestFold(deviceType);
  const sites = await openTestFold(siteType);
  try {
    for (const part of parts) {
      for (const topic of ['lifecycle', 'telemetry'] as const) {
        const values = part.filter((r) => r.topic === topic).map((r) => r.value);
        devices.feed(topic, values, Date.UTC(2030, 0, 1));
      }
      while (publishOpen(devices.fold, 0, 100) > 0);
      const told = devices.fold.outputs.take().get('contributions') ?? [];
      sites.feed(
        'telemetry',
        told.map(({ value }) => value),
        Date.UTC(2030, 0, 1),
      );
    }
    while (publishOpen(sites.fold, 0, 100) > 0);
    return sites.current() as Map<string, Current>;
  } finally {
    await devices.close();
    await sites.close();
  }
}

describe('SOLARMA, a plant of 13 inverters', () => {
  const file = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

  it.skipIf(file === null)(
    onRealData('has 18 outages of its logger, whatever order the inverters come in', file),
    async () => {
      const together = await siteFacts('solarma', file ?? '', false);
      const gaps = dataOf(together, 'data_gap');
      expect(gaps).toHaveLength(18);
      const hours = gaps.map((d) => (Date.parse(d.toTime as string) - Date.parse(d.fromTime as string)) / 3_600_000);
      expect(Math.min(...hours)).toBeGreaterThan(20);
      expect(Math.max(...hours)).toBeLessThanOrEqual(48);
      const solarWh = dataOf(together, 'site_energy_interval').reduce((wh, d) => wh + Number(d.solarWh), 0);
      expect(solarWh / 1000).toBeCloseTo(1660.7, 1);
      const poor = dataOf(together, 'underperformance').map((d) => d.memberSerial);
      expect(poor).toContain('102502N182');
      const apart = await siteFacts('solarma', file ?? '', true);
      expect(apart).toEqual(together);
    },
    120_000,
  );
});

describe('Seattle, a home in 2022', () => {
  const file = realData('powerwall_home/seattle_2022_5min.csv');

  it.skipIf(file === null)(
    onRealData('has its golden energies as a site', file),
    async () => {
      const facts = await siteFacts('seattle-5min', file ?? '', false);
      const energies = dataOf(facts, 'site_energy_interval');
      const kWh = (name: string) => energies.reduce((wh, d) => wh + Number(d[name]), 0) / 1000;
      const golden = {
        loadWh: 11_215.0,
        solarWh: 12_472.6,
        importWh: 2980.5,
        exportWh: 3457.5,
        batteryOutWh: 3573.5,
        batteryInWh: 4357.8,
      };
      for (const [name, expected] of Object.entries(golden))
        expect(Math.abs(kWh(name) / expected - 1), name).toBeLessThan(0.005);
      expect(dataOf(facts, 'site_rollup').length).toBeGreaterThan(104_000);
    },
    300_000,
  );
});
