import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFleet } from '../../sim/fleet/index.ts';
import { calmRates } from '../../sim/fleet/options.ts';
import { isTelemetry, type SourceRecord, type TelemetryValue } from '../../sim/record.ts';
import { type FeedAnswer, Folder } from './gridfold.ts';

const LONG = 240_000;
const SEED = Number(process.env.GRIDFOLD_TEST_SEED ?? 20261126);
const START = Date.UTC(2026, 2, 1);
const DAYS = 3;

const fleet = createFleet({
  assets: 0,
  cabinets: 2,
  seed: SEED,
  cadenceMs: 60_000,
  startTime: START,
  rates: { ...calmRates, sessionsPerDay: 30 },
});
const records: SourceRecord[] = [...fleet.lifecycleRecords(), ...fleet.tick(START + DAYS * 86_400_000)];

/** Register and power of a stall as its readings tell them, by serial. */
function told(): Map<string, TelemetryValue[]> {
  const bySerial = new Map<string, TelemetryValue[]>();
  for (const record of records) {
    if (!isTelemetry(record)) continue;
    const list = bySerial.get(record.value.serial);
    if (list === undefined) bySerial.set(record.value.serial, [record.value]);
    else list.push(record.value);
  }
  return bySerial;
}

describe(`Stalls of two cabinets for ${DAYS} days, seed ${SEED}, by the command line`, () => {
  const folder = new Folder();

  beforeAll(async () => {
    const file = join(folder.base, 'fed.ndjson');
    writeFileSync(file, records.map(({ value }) => `${JSON.stringify(value)}\n`).join(''));
    const fed = await folder.json<FeedAnswer>('ingest', file);
    expect(fed).toMatchObject({ accepted: records.length, refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('sessions on one plug never overlap', async () => {
    const [sessions] = await folder.sql(
      `SELECT count(*) AS sessions, count(*) FILTER (WHERE end_time > following) AS overlapping FROM
         (SELECT end_time, lead(start_time) OVER (PARTITION BY serial ORDER BY start_time) AS following FROM charging_sessions_current)`,
    );
    expect(Number(sessions.sessions)).toBeGreaterThan(100);
    expect(sessions.overlapping).toBe(0);
  });

  test('energy of a session is the difference of the register', async () => {
    const sessions = await folder.sql(
      `SELECT serial, epoch_ms(start_time) AS start, epoch_ms(end_time) AS "end", energy_wh FROM charging_sessions_current WHERE end_time IS NOT NULL`,
    );
    const readings = told();
    for (const { serial, start, end, energy_wh } of sessions) {
      const of = readings.get(String(serial)) ?? [];
      const register = (at: number) => {
        const last = of.findLast((r) => Date.parse(String(r.deviceTime)) <= at && r.fields.deliveredWh !== undefined);
        return Number(last?.fields.deliveredWh);
      };
      const difference = register(Number(end)) - register(Number(start));
      expect(Math.abs(Number(energy_wh) - difference), `${serial} from ${start}`).toBeLessThan(1);
    }
  });

  test('time is limited only where a vehicle asked for more than it was offered', async () => {
    const sessions = await folder.sql(
      `SELECT serial, epoch_ms(start_time) AS start, epoch_ms(end_time) AS "end", limited_seconds AS limited FROM charging_sessions_current WHERE end_time IS NOT NULL`,
    );
    const readings = told();
    let limited = 0;
    for (const session of sessions) {
      let offered = Number.NaN;
      let requested = Number.NaN;
      let isShort = false;
      for (const { deviceTime, fields } of readings.get(String(session.serial)) ?? []) {
        const at = Date.parse(String(deviceTime));
        if (at > Number(session.end)) break;
        offered = Number(fields.offeredW ?? offered);
        requested = Number(fields.requestedW ?? requested);
        if (at >= Number(session.start) && (offered < requested || fields.status === 'SuspendedEVSE')) isShort = true;
      }
      if (Number(session.limited) > 0) limited++;
      if (!isShort) expect(Number(session.limited), `${session.serial} from ${session.start}`).toBe(0);
    }
    expect(limited).toBeGreaterThan(0);
  });

  test('a cabinet never gives more than it has', async () => {
    const [seen] = await folder.sql(`SELECT count(*) AS over FROM cabinet_overallocations_current`);
    expect(seen.over).toBe(0);
  });
});
