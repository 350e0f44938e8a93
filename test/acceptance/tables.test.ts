import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceType } from '../../actors/device/index.ts';
import { openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { tablesOf } from '../../runtime/shard/derived.ts';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { Random } from '../../sim/random.ts';
import { type FeedAnswer, Folder, type Row } from './gridfold.ts';
import { writePart } from './parts.ts';

const TIMEOUT = 240_000;
const MINUTE = 60_000;

/** A home in Los Angeles over the end of summer time: at noon of 6 November one Powerwall takes the place of another. */
const START = Date.parse('2022-11-05T00:00:00-07:00');
const SWAP = Date.parse('2022-11-06T12:00:00-08:00');
const END = Date.parse('2022-11-08T00:00:00-08:00');
const [OLD, NEW] = ['PW-OLD', 'PW-NEW'];

const life = (serial: string, type: string, eventTime: number, data: object = {}) => ({
  id: `${serial}-${type}`,
  serial,
  kind: 'powerwall',
  type,
  eventTime: new Date(eventTime).toISOString(),
  recordTime: new Date(eventTime).toISOString(),
  source: 'test',
  data,
});

/** The battery gives 1200 W in the odd hours and takes 800 W in the even ones, so that each hour is different. */
const powerAt = (time: number) => (Math.floor((time - START) / (60 * MINUTE)) % 2 === 1 ? 1200 : -800);

function records(): object[] {
  const place = {
    siteId: 'S-1',
    position: 'battery-1',
    timeZone: 'America/Los_Angeles',
    model: 'PW2',
    capacityWh: 13_500,
  };
  const before = START - 30 * 24 * 60 * MINUTE;
  const list: object[] = [
    life(OLD, 'manufactured', before - 2 * MINUTE, { model: 'PW2' }),
    life(OLD, 'shipped', before - MINUTE),
    life(OLD, 'installed', before, place),
    life(OLD, 'commissioningStarted', before + MINUTE),
    life(OLD, 'commissioned', before + 2 * MINUTE),
    life(OLD, 'decommissioned', SWAP, { reason: 'replaced' }),
    life(NEW, 'manufactured', before, { model: 'PW3' }),
    life(NEW, 'shipped', before + MINUTE),
    life(NEW, 'installed', SWAP, { ...place, model: 'PW3', replaces: OLD }),
    life(NEW, 'commissioningStarted', SWAP + MINUTE),
    life(NEW, 'commissioned', SWAP + 2 * MINUTE),
  ];
  for (let t = START; t <= END; t += 5 * MINUTE) {
    const deviceTime = new Date(t).toISOString();
    const fields = { powerW: powerAt(t), soc: 0.5 };
    // At the moment of the swap both tell: the last word of the old one, and the first of the new one.
    for (const serial of [...(t <= SWAP ? [OLD] : []), ...(t >= SWAP ? [NEW] : [])])
      list.push({ serial, kind: 'powerwall', deviceTime, receiveTime: deviceTime, txid: `${t}`, fields });
  }
  return list;
}

/** Answers of the tables in a data folder that no process has open; as a command, but many at once. */
async function ask(folder: Folder, statements: readonly string[]): Promise<Row[][]> {
  const file = join(folder.dir, 'olap.duckdb');
  const sink = await openDuckDbSink({ file, types: tablesOf([deviceType]), clock: systemClock });
  const answers: Row[][] = [];
  for (const statement of statements) {
    const { columns, rows } = await sink.query(statement, [], 100_000);
    answers.push(rows.map((row) => Object.fromEntries(columns.map((c, i) => [c.name, row[i]])) as Row));
  }
  await sink.close();
  return answers;
}

/** Records with some told twice and some late, by up to 6 hours. */
function disturbed(list: readonly object[], seed: number): object[] {
  const random = new Random(seed);
  const sent = list.flatMap((record, i) => {
    const late = random.next() < 0.2 ? Math.floor(random.next() * 72) : 0;
    const once = { at: i + late, record };
    return random.next() < 0.03 ? [once, { at: i + late + 5, record }] : [once];
  });
  return sent.sort((a, b) => a.at - b.at).map(({ record }) => record);
}

const VIEWS: Readonly<Record<string, string>> = {
  energy_hourly: 'serial, from_time',
  energy_daily: 'serial, day',
  energy_monthly: 'serial, month',
  energy_lifetime: 'serial',
  energy_daily_by: 'model, day',
  slot_energy_daily: 'slot, day',
  phase_times: 'serial, first_time',
  replacements: 'slot',
  lifecycle_anomalies: 'serial, from_time',
  availability: 'serial, day',
  slot_availability: 'slot, day',
  site_availability: 'site_id, day',
  reliability: 'grouped_by, kind, model, site_id',
};

describe('the views of a home in which a battery was replaced', () => {
  const folder = new Folder();
  const seed = 1106;
  beforeAll(async () => {
    writeFileSync(
      join(folder.base, 'calm.ndjson'),
      records()
        .map((r) => JSON.stringify(r))
        .join('\n'),
    );
    const fed = await folder.json<FeedAnswer>('ingest', join(folder.base, 'calm.ndjson'));
    expect(fed).toMatchObject({ refused: 0, settled: true });
  }, TIMEOUT);
  afterAll(() => folder.remove());

  test('days have the hours of the local clock, and the slot goes on where the battery does not', async () => {
    const days = await folder.sql(
      `SELECT day::VARCHAR AS day, round(in_wh) AS i, round(out_wh) AS o, assets FROM slot_energy_daily ORDER BY day`,
    );
    // 25 hours on the 6th: it begins with an even hour and ends with one.
    expect(days.slice(0, 3)).toEqual([
      { day: '2022-11-05', i: 9600, o: 14_400, assets: 1 },
      { day: '2022-11-06', i: 10_400, o: 14_400, assets: 2 },
      { day: '2022-11-07', i: 9600, o: 14_400, assets: 1 },
    ]);
    const hours = await folder.sql(
      `SELECT count(*) AS n, count(DISTINCT from_time) AS d FROM energy_hourly WHERE day = DATE '2022-11-06'`,
    );
    expect(hours).toEqual([{ n: 25, d: 25 }]);
  });

  test('hours, days, months and groups add up to the intervals', async () => {
    const sum = (view: string) => `SELECT round(sum(in_wh), 3) AS i, round(sum(out_wh), 3) AS o FROM ${view}`;
    const views = [
      'energy_hourly',
      'energy_daily',
      'energy_monthly',
      'energy_lifetime',
      'energy_daily_by',
      'slot_energy_daily',
    ];
    const [intervals, ...totals] = await ask(folder, ['energy_intervals_current', ...views].map(sum));
    expect(intervals[0].i).toBeGreaterThan(29_000);
    for (const [i, total] of totals.entries()) expect(total, views[i]).toEqual(intervals);
  });

  test('the replacement, the models and the availability of the slot are told', async () => {
    const [swaps, models, [slot]] = await ask(folder, [
      'SELECT old_serial, new_serial, gap_s, told_serial FROM replacements',
      'SELECT DISTINCT model FROM energy_daily_by ORDER BY model',
      'SELECT min(availability) AS least, sum(in_service_s + not_in_service_s) AS s FROM slot_availability',
    ]);
    expect(swaps).toEqual([{ old_serial: OLD, new_serial: NEW, gap_s: 0, told_serial: OLD }]);
    expect(models).toEqual([{ model: 'PW2' }, { model: 'PW3' }]);
    expect(slot).toEqual({ least: 1, s: (END - START) / 1000 });
  });

  test('the dictionary tells what the columns mean', async () => {
    const rows = await folder.sql(
      `SELECT type, unit FROM gridfold_dictionary WHERE table_name = 'energy_daily' AND column_name = 'in_wh'`,
    );
    expect(rows).toEqual([{ type: 'DOUBLE', unit: 'Wh' }]);
  });

  test(
    'rows of features at a cut are not changed by what is received after it',
    async () => {
      const cut = '2022-11-08T00:00:00Z';
      const seen = `SELECT * FROM feature_rows_at(TIMESTAMPTZ '${cut}') ORDER BY serial, from_time`;
      const energy = `SELECT sum(out_wh) AS o FROM energy_lifetime`;
      const [before, [{ o }]] = await ask(folder, [seen, energy]);
      expect(before.length).toBeGreaterThan(40);
      const deviceTime = Date.parse(cut) - 91 * MINUTE;
      const late = {
        serial: NEW,
        kind: 'powerwall',
        deviceTime,
        receiveTime: END + 60 * MINUTE,
        txid: 'late',
        fields: { powerW: 5000 },
      };
      writeFileSync(join(folder.base, 'late.ndjson'), JSON.stringify(late));
      await folder.json<FeedAnswer>('ingest', join(folder.base, 'late.ndjson'));
      const [after, [more]] = await ask(folder, [seen, energy]);
      expect(Number(more.o)).toBeGreaterThan(Number(o));
      expect(after).toEqual(before);
    },
    TIMEOUT,
  );

  test(
    `no view depends on the order of arrival (seed ${seed})`,
    async () => {
      const [calm, other] = [new Folder(), new Folder()];
      const feed = async (target: Folder, list: readonly object[]) => {
        writeFileSync(join(target.base, 'in.ndjson'), list.map((r) => JSON.stringify(r)).join('\n'));
        await target.json<FeedAnswer>('ingest', join(target.base, 'in.ndjson'));
      };
      const rounded = (rows: readonly Row[]) =>
        rows.map((row) =>
          Object.fromEntries(
            Object.entries(row).map(([k, v]) => [k, typeof v === 'number' ? Number(v.toFixed(6)) : v]),
          ),
        );
      await feed(calm, records());
      await feed(other, disturbed(records(), seed));
      const statements = Object.entries(VIEWS).map(([view, order]) => `SELECT * FROM ${view} ORDER BY ${order}`);
      const expected = await ask(calm, statements);
      const found = await ask(other, statements);
      for (const [i, view] of Object.keys(VIEWS).entries())
        expect(rounded(found[i]), view).toEqual(rounded(expected[i]));
      calm.remove();
      other.remove();
    },
    TIMEOUT,
  );
});

const seattle = realData('powerwall_home/seattle_2022_5min.csv');

describe.skipIf(seattle === null)(
  onRealData('days of a home in Seattle, against a plain sum over the file', seattle),
  () => {
    const folder = new Folder();
    const file = join(folder.base, 'part.csv');
    beforeAll(async () => {
      await writePart(seattle ?? '', file, ['2022-03-10', '2022-03-16'], ['2022-11-03', '2022-11-09']);
      await folder.json<FeedAnswer>('replay', 'seattle-5min', file);
    }, TIMEOUT);
    afterAll(() => folder.remove());

    /** Wh of discharge by the date in the stamp: each row holds for five minutes. */
    async function dischargeByDate(): Promise<Map<string, number>> {
      const days = new Map<string, number>();
      let column = -1;
      for await (const line of createInterface({ input: createReadStream(file) })) {
        const cells = line.split(',').map((cell) => cell.replaceAll('"', ''));
        if (column < 0) column = cells.indexOf('Powerwall (kW)');
        else {
          const [date] = cells[0].split('T');
          days.set(date, (days.get(date) ?? 0) + (Math.max(0, Number(cells[column])) * 1000) / 12);
        }
      }
      return days;
    }

    test('each day has the energy that its rows add up to, on days of 23 and 25 hours too', async () => {
      const plain = await dischargeByDate();
      const days = await folder.sql(
        `SELECT day::VARCHAR AS day, out_wh, round((epoch(to_time) - epoch(from_time)) / 3600) AS hours FROM energy_daily WHERE serial = 'SEATTLE-PW' ORDER BY day`,
      );
      const hours = new Map(days.map((row) => [row.day, row.hours]));
      expect([hours.get('2022-03-13'), hours.get('2022-11-06'), hours.get('2022-11-07')]).toEqual([23, 25, 24]);
      expect(plain.size).toBe(12);
      for (const [date, wh] of plain) {
        const day = days.find((row) => row.day === date);
        // The last row before the gap between the stretches holds a little longer than five minutes.
        expect(Math.abs(Number(day?.out_wh) - wh), date).toBeLessThan(
          date === '2022-03-15' || date === '2022-11-08' ? 200 : 1,
        );
      }
    });
  },
);

const solarma = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

describe.skipIf(solarma === null)(
  onRealData('a plant with 13 inverters, against its own day counters', solarma),
  () => {
    const folder = new Folder();
    beforeAll(async () => {
      await folder.json<FeedAnswer>('replay', 'solarma', solarma ?? '');
    }, TIMEOUT);
    afterAll(() => folder.remove());

    /** Highest `energy_today_kwh` by unit and date, Wh. */
    async function dayCounters(): Promise<Map<string, number>> {
      const highest = new Map<string, number>();
      let isHeader = true;
      for await (const line of createInterface({ input: createReadStream(solarma ?? '') })) {
        const [time, , serial, , energy] = line.split(',');
        const unitDay = `${serial} ${time.slice(0, 10)}`;
        if (!isHeader) highest.set(unitDay, Math.max(highest.get(unitDay) ?? 0, Number(energy) * 1000));
        isHeader = false;
      }
      return highest;
    }

    test('each unit has in each day what its counter said, and in all the golden energy', async () => {
      const [days, lifetimes] = await ask(folder, [
        `SELECT serial || ' ' || day AS unit_day, out_wh FROM energy_daily`,
        `SELECT sum(out_wh) / 1000 AS kwh, max(out_wh) FILTER (serial = '102102N182') / 1000 AS unit FROM energy_lifetime`,
      ]);
      const found = new Map(days.map((row) => [row.unit_day, Number(row.out_wh)]));
      const counters = await dayCounters();
      expect(counters.size).toBe(247);
      // Over midnight in a gap a Wh or two are spread to the other day.
      const off = [...counters].filter(([unitDay, wh]) => Math.abs((found.get(unitDay) ?? 0) - wh) > 2);
      expect(off).toEqual([]);
      expect(Number(lifetimes[0].kwh)).toBeCloseTo(1660.736, 2);
      expect(Number(lifetimes[0].unit)).toBeCloseTo(184.531, 2);
    });

    test('nights are no incidents: as many as there are faults, each over its nights', async () => {
      const [[reliability], [faults], [availability]] = await ask(folder, [
        `SELECT incidents, open_incidents, assets, repair_h FROM reliability WHERE grouped_by = 'kind' AND kind = 'inverter'`,
        `SELECT count(*) AS n, sum(epoch(closed_time) - epoch(opened_time)) / 3600 AS h FROM faults_current`,
        `SELECT sum(available_s + down_s + unknown_s + night_s) AS measured, sum(in_service_s) AS served FROM availability`,
      ]);
      expect(reliability).toEqual({ incidents: 3, open_incidents: 2, assets: 13, repair_h: faults.h });
      expect(faults.n).toBe(3);
      expect(Number(availability.measured)).toBeCloseTo(Number(availability.served), 3);
    });
  },
);
