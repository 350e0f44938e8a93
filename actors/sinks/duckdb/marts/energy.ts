import { amount, count, type Mart, type MartColumn, sumsFollow, text, time } from './mart.ts';
import { energyNeeds } from './parts.ts';

const serial = text('serial', 'Asset');
const kind = text('kind', 'Kind of asset');
const zone = text(
  'time_zone',
  'Zone that the day means: as told when the asset was installed, else as configured for its kind, else UTC. A day in which an asset moves to another zone has a row for each.',
);
const day: MartColumn = { name: 'day', type: 'DATE', doc: 'Day in that zone' };
const inWh = amount(
  'in_wh',
  'Energy into the asset',
  'Wh',
  'sum of `in_wh` over the energy intervals that begin in it',
);
const outWh = amount(
  'out_wh',
  'Energy out of the asset',
  'Wh',
  'sum of `out_wh` over the energy intervals that begin in it',
);
const coveredS = amount('covered_s', 'Time that readings cover', 's', 'sum of `coverage * length_s`');
const coverage = (of: string) =>
  amount('coverage', `Share of the ${of} that readings cover, 0..1`, '1', `\`covered_s\` / length of the ${of}`);
const intervals = count('intervals', 'Energy intervals in it');
const begins = (of: string) => time('from_time', `Start of the ${of}`);
const ends = (of: string) => time('to_time', `End of the ${of}`);

const sums = 'sum(in_wh) AS in_wh, sum(out_wh) AS out_wh, sum(coverage * length_s) AS covered_s, count(*) AS intervals';
/** Bounds of the local days `first` to before `next` as instants; a day of a change of clocks has 23 or 25 hours. */
const bounds = (first: string, next: string) =>
  `timezone(time_zone, (${first})::TIMESTAMP) AS from_time, timezone(time_zone, (${next})::TIMESTAMP) AS to_time`;
const share = 'covered_s / (epoch(to_time) - epoch(from_time)) AS coverage';

export const energyHourly: Mart = {
  name: 'energy_hourly',
  doc: 'Energy of an asset by hour.',
  grain:
    'serial, hour; hours begin on the full hour of the local clock, and an hour that the clock repeats has a row for each time',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [
    serial,
    kind,
    zone,
    day,
    begins('hour'),
    inWh,
    outWh,
    coveredS,
    coverage('hour'),
    intervals,
    text('method', '`counter`, `power`, or `mixed` where intervals of both are in it'),
  ],
  sql: `SELECT *, covered_s / 3600 AS coverage FROM (
      SELECT serial, any_value(kind) AS kind, time_zone, day, hour_start AS from_time, ${sums},
        CASE WHEN min(method) = max(method) THEN min(method) ELSE 'mixed' END AS method
      FROM gridfold_energy GROUP BY serial, time_zone, day, hour_start
    )`,
};

export const energyDaily: Mart = {
  name: 'energy_daily',
  doc: 'Energy of an asset by local day, 23 or 25 hours long where the clock changes.',
  grain: 'serial, zone, day',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [serial, kind, zone, day, begins('day'), ends('day'), inWh, outWh, coveredS, coverage('day'), intervals],
  sql: `SELECT *, ${share} FROM (
      SELECT *, ${bounds('day', 'day + 1')} FROM (
        SELECT serial, any_value(kind) AS kind, time_zone, day, ${sums} FROM gridfold_energy GROUP BY serial, time_zone, day
      )
    )`,
};

export const energyMonthly: Mart = {
  name: 'energy_monthly',
  doc: 'Energy of an asset by local month.',
  grain: 'serial, zone, month',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [
    serial,
    kind,
    zone,
    { name: 'month', type: 'DATE', doc: 'First day of the month in that zone' },
    begins('month'),
    ends('month'),
    inWh,
    outWh,
    coveredS,
    coverage('month'),
    intervals,
    count('days', 'Days with an energy interval'),
  ],
  sql: `SELECT *, ${share} FROM (
      SELECT *, ${bounds('month', 'month + INTERVAL 1 MONTH')} FROM (
        SELECT serial, any_value(kind) AS kind, time_zone, date_trunc('month', day) AS month, ${sums}, count(DISTINCT day) AS days
        FROM gridfold_energy GROUP BY serial, time_zone, month
      )
    )`,
};

export const energyLifetime: Mart = {
  name: 'energy_lifetime',
  doc: 'All energy of an asset, over resets of its counters.',
  grain: 'serial',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [
    serial,
    kind,
    time('from_time', 'Start of its first energy interval'),
    time('to_time', 'End of its last energy interval'),
    inWh,
    outWh,
    coveredS,
    intervals,
  ],
  sql: `SELECT serial, any_value(kind) AS kind, min(start_time) AS from_time,
      max(start_time + to_seconds(length_s)) AS to_time, ${sums} FROM gridfold_energy GROUP BY serial`,
};

export const energyDailyBy: Mart = {
  name: 'energy_daily_by',
  doc: 'Energy by local day and by what it can be grouped by, each as of the energy interval. Sums over any of the groups are sums of all energy.',
  grain: 'kind, site, model, firmware, region, zone, day',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [
    kind,
    text('site_id', 'Site; null where the asset stood nowhere'),
    text('model', 'Model, as told when it was installed, else as last told; null where nobody told'),
    text('firmware', 'Firmware that ran; null where the asset was never seen to change it'),
    text('region', 'Area of the site; null where the record of the installation does not tell'),
    zone,
    day,
    inWh,
    outWh,
    { ...coveredS, doc: 'Time that readings cover, of all its assets together' },
    intervals,
    count('assets', 'Assets with an energy interval in it'),
  ],
  sql: `SELECT kind, site_id, coalesce(e.model, m.model) AS model, f.version AS firmware, region, time_zone, day, ${sums},
      count(DISTINCT e.serial) AS assets
    FROM gridfold_energy e
    LEFT JOIN gridfold_models m ON m.serial = e.serial
    LEFT JOIN gridfold_firmware f ON f.serial = e.serial AND e.start_time >= f.from_time AND e.start_time < f.until
    GROUP BY ALL`,
};

export const slotEnergyDaily: Mart = {
  name: 'slot_energy_daily',
  doc: 'Energy of a slot by local day: it goes on where one asset replaces another.',
  grain: 'site, slot, zone, day',
  needs: energyNeeds,
  retraction: sumsFollow,
  columns: [
    text('site_id', 'Site'),
    text('slot', 'Slot: the position at the site, which outlives the asset'),
    zone,
    day,
    inWh,
    outWh,
    coveredS,
    intervals,
    count('assets', 'Assets that held the slot in it'),
    amount('lifetime_in_wh', 'Energy into the slot until the end of the day', 'Wh', 'running sum of `in_wh`'),
    amount('lifetime_out_wh', 'Energy out of the slot until the end of the day', 'Wh', 'running sum of `out_wh`'),
  ],
  sql: `SELECT *, sum(in_wh) OVER so_far AS lifetime_in_wh, sum(out_wh) OVER so_far AS lifetime_out_wh FROM (
      SELECT site_id, slot, time_zone, day, ${sums}, count(DISTINCT serial) AS assets
      FROM gridfold_energy WHERE slot IS NOT NULL GROUP BY site_id, slot, time_zone, day
    ) WINDOW so_far AS (PARTITION BY site_id, slot ORDER BY day, time_zone)`,
};

export const energyMarts: readonly Mart[] = [
  energyHourly,
  energyDaily,
  energyMonthly,
  energyLifetime,
  energyDailyBy,
  slotEnergyDaily,
];
