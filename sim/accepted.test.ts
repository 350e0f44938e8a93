import { describe, expect, test } from 'vitest';
import { inverterFields } from '../actors/device/inverter/fields.ts';
import { megapackFields } from '../actors/device/megapack/fields.ts';
import { powerwallFields } from '../actors/device/powerwall/fields.ts';
import { superchargerFields } from '../actors/device/supercharger/fields.ts';
import { Door } from '../codec/door.ts';
import { createTelemetryDecoder } from '../codec/telemetry.ts';
import { Reading } from '../runtime/shard/reading.ts';
import { createFleet } from './fleet/fleet.ts';
import { isTelemetry, type SourceRecord } from './record.ts';
import { onRealData, realData } from './recordings/data.testing.ts';
import { openRecording } from './recordings/index.ts';

const kinds = [
  { name: 'powerwall', fields: powerwallFields },
  { name: 'inverter', fields: inverterFields },
  { name: 'megapack', fields: megapackFields },
  { name: 'supercharger', fields: superchargerFields },
];

/** Puts records through the runtime's own decoders: what is refused, and what is wrong inside what is accepted. */
async function judge(records: AsyncIterable<SourceRecord> | Iterable<SourceRecord>) {
  const door = new Door(kinds);
  const decoder = createTelemetryDecoder(kinds);
  const reading = new Reading();
  const now = Date.now();
  const refused: unknown[] = [];
  let accepted = 0;
  for await (const record of records) {
    const bytes = Buffer.from(JSON.stringify(record.value));
    const verdict = door.classify(bytes, 0, bytes.length, now);
    if ('reason' in verdict || verdict.topic !== record.topic) refused.push(verdict);
    else accepted += 1;
    if (isTelemetry(record)) decoder.decode(bytes, 0, bytes.length, now, reading);
  }
  const problems = Object.fromEntries([...decoder.problems].filter(([, count]) => count > 0));
  return { accepted, refused, problems, slow: decoder.slowCount };
}

describe('every record is one that the door takes', () => {
  test('of a fleet to which everything happens', async () => {
    const startTime = Date.UTC(2024, 5, 20);
    const rates = { outagesPerDay: 5, faultsPerDay: 5, updatesPerDay: 3, silencesPerDay: 3, late: 0.1, duplicate: 0.1 };
    const fleet = createFleet({ assets: 21, cabinets: 3, megapacks: 6, cadenceMs: 300_000, startTime, rates });
    const records = [...fleet.lifecycleRecords(), ...fleet.tick(startTime + 86_400_000)];
    const { accepted, refused, problems } = await judge(records);
    expect(refused).toEqual([]);
    expect(problems).toEqual({});
    expect(accepted).toBe(records.length);
  });

  const home = realData('powerwall_home/2022-07-08.csv');
  const plant = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

  test.skipIf(home === null)(onRealData('of a home', home), async () => {
    const { refused, problems } = await judge(openRecording('seattle-5min', home!));
    expect(refused).toEqual([]);
    expect(Object.keys(problems)).toEqual(['invalid_reported']);
  });

  test.skipIf(plant === null)(onRealData('of a plant', plant), async () => {
    const { refused, problems, accepted } = await judge(openRecording('solarma', plant!));
    expect(refused).toEqual([]);
    expect(accepted).toBe(9477 + 13 * 6);
    expect(problems).toEqual({ invalid_reported: 4836 * 4 });
  });

  const garage = realData('ac_charging/acn_caltech_sessions_2019-03.csv');
  test.skipIf(garage === null)(onRealData('of a garage', garage), async () => {
    const { refused, problems, accepted } = await judge(openRecording('acn', garage!));
    expect([refused, problems, accepted]).toEqual([[], {}, 2 * 954 + 47 * 6]);
  });

  const captures = [
    'jrester_grid_status',
    'jrester_meters_aggregates',
    'jrester_powerwalls',
    'jrester_system_status',
    'pypowerwall_api.meters.aggregates',
    'pypowerwall_api.powerwalls',
    'pypowerwall_api.system_status',
    'pypowerwall_vitals-example-failed-pw',
    'pypowerwall_vitals-example-latest',
    'pypowerwall_vitals-example',
  ];
  test.skipIf(home === null).each(captures)(onRealData('of the answer %s', home), async (name) => {
    const { refused, problems } = await judge(
      openRecording('powerwall-api', realData(`powerwall_api_captures/${name}.json`)!),
    );
    expect(refused).toEqual([]);
    const { invalid_reported = 0, ...others } = problems;
    expect(others).toEqual({});
    expect(invalid_reported).toBe(name === 'jrester_system_status' ? 5 : 0);
  });
});
