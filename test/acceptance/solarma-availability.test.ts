import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onRealData, realData } from '../../sim/recordings/data.testing.ts';
import { type FeedAnswer, Folder } from './gridfold.ts';

const LONG = 240_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Rome is on summer time for all of September. */
const ROME_MS = 2 * HOUR_MS;
/** Rows come every ten minutes; three missing ones are a silence. */
const LONGEST_STEP_MS = 30 * 60_000;

const file = realData('pv_inverters/solarma_13_inverters_10min_2019-09.csv');

interface PlainRow {
  readonly serial: string;
  readonly at: number;
  readonly powerW: number;
  readonly mode: number;
  readonly error: number;
}

interface PlainFault {
  readonly serial: string;
  readonly code: string;
  readonly opened: number;
  closed: number | null;
  recurrence: number;
}

type Seconds = Record<'available' | 'down' | 'unknown' | 'night', number>;

/** The recording, read without anything of the project. */
function readPlain(path: string): PlainRow[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const at = (name: string) => head.split(',').indexOf(name);
  const [time, serial, power, mode, error] = ['local_time', 'serial', 'power_w', 'op_mode', 'error_code'].map(at);
  return lines.map((line) => {
    const cells = line.split(',');
    return {
      serial: cells[serial],
      at: Date.parse(`${cells[time].replace(' ', 'T')}+02:00`),
      powerW: Number(cells[power]),
      mode: Number(cells[mode]),
      error: Number(cells[error]),
    };
  });
}

/** Faults and seconds per day by the words of the design alone: each row says how it is until the next one. */
function judge(rows: readonly PlainRow[]): { faults: PlainFault[]; days: Map<string, Seconds> } {
  const faults: PlainFault[] = [];
  const days = new Map<string, Seconds>();
  for (const serial of new Set(rows.map((r) => r.serial))) {
    const own = rows.filter((r) => r.serial === serial).sort((a, b) => a.at - b.at);
    let open: PlainFault | null = null;
    own.forEach((row, i) => {
      if (open === null && row.mode >= 70 && row.mode <= 79) {
        const code = String(row.error);
        const recent = faults.find(
          (f) => f.serial === serial && f.code === code && f.closed !== null && row.at - f.closed <= DAY_MS,
        );
        open = recent ?? { serial, code, opened: row.at, closed: null, recurrence: 0 };
        if (recent === undefined) faults.push(open);
        else Object.assign(recent, { closed: null, recurrence: recent.recurrence + 1 });
      } else if (open !== null && row.mode >= 60 && row.mode <= 69 && row.powerW > 0) {
        open.closed = row.at;
        open = null;
      }
      const next = own[i + 1];
      if (next === undefined) return;
      const isOff = row.mode <= 9 || (row.mode >= 80 && row.mode <= 89);
      const share =
        next.at - row.at > LONGEST_STEP_MS ? 'unknown' : open !== null ? 'down' : isOff ? 'night' : 'available';
      for (let from = row.at; from < next.at; ) {
        const day = Math.floor((from + ROME_MS) / DAY_MS);
        const to = Math.min(next.at, (day + 1) * DAY_MS - ROME_MS);
        const key = `${serial} ${new Date(day * DAY_MS).toISOString().slice(0, 10)}`;
        const seconds = days.get(key) ?? { available: 0, down: 0, unknown: 0, night: 0 };
        seconds[share] += (to - from) / 1000;
        days.set(key, seconds);
        from = to;
      }
    });
  }
  return { faults, days };
}

describe.skipIf(file === null)(onRealData('availability of a plant, against a plain second computation', file), () => {
  const folder = new Folder();
  const plain = file === null ? { faults: [], days: new Map<string, Seconds>() } : judge(readPlain(file));

  beforeAll(async () => {
    expect(await folder.json<FeedAnswer>('replay', 'solarma', file ?? '')).toMatchObject({ refused: 0, settled: true });
  }, LONG);
  afterAll(() => folder.remove());

  test('the same faults, from the same minute to the same minute', async () => {
    const faults = await folder.sql(
      `SELECT serial, code, epoch_ms(opened_time)::DOUBLE AS opened, epoch_ms(closed_time)::DOUBLE AS closed, recurrence
       FROM faults_current ORDER BY serial, opened_time`,
    );
    const inOrder = [...plain.faults].sort((a, b) =>
      a.serial < b.serial ? -1 : a.serial > b.serial ? 1 : a.opened - b.opened,
    );
    expect(faults).toEqual(
      inOrder.map(({ serial, code, opened, closed, recurrence }) => ({ serial, code, opened, closed, recurrence })),
    );
    expect(faults.length).toBeGreaterThan(0);
  });

  test('the same seconds of every unit and day, by what they count as', async () => {
    const rows = await folder.sql(
      `SELECT serial, day, available_s, down_s, unknown_s, night_s FROM availability_intervals_current ORDER BY serial, day`,
    );
    const measured = new Map(
      rows.map((r) => [
        `${r.serial} ${r.day}`,
        { available: r.available_s, down: r.down_s, unknown: r.unknown_s, night: r.night_s },
      ]),
    );
    expect(measured).toEqual(plain.days);
    const sum = (share: keyof Seconds) => [...plain.days.values()].reduce((s, d) => s + d[share], 0);
    const hours = { available: sum('available'), down: sum('down'), unknown: sum('unknown'), night: sum('night') };
    process.stdout.write(
      `SOLARMA, hours: ${Object.entries(hours)
        .map(([share, s]) => `${share} ${(s / 3600).toFixed(1)}`)
        .join(', ')}; availability ${(hours.available / (hours.available + hours.down)).toFixed(4)}\n`,
    );
    expect(Math.min(...Object.values(hours))).toBeGreaterThan(0);
  });

  test('an outage of the logger is no downtime, and the night of a sound unit neither', async () => {
    const down = await folder.sql(
      `SELECT DISTINCT serial FROM availability_intervals_current WHERE down_s > 0 ORDER BY serial`,
    );
    expect(down.map((r) => r.serial)).toEqual([...new Set(plain.faults.map((f) => f.serial))].sort());
  });
});
