import { newest } from '../views.ts';
import { amount, count, type Mart, sumsFollow, text, time } from './mart.ts';

const parts = ['load', 'solar', 'import', 'export', 'battery_in', 'battery_out', 'charging'].map((n) => `${n}_wh`);

export const siteEnergyDaily: Mart = {
  name: 'site_energy_daily',
  doc: 'Energy of a site by local day: what it used, made, took from the grid and gave to it.',
  grain: 'site, zone, day',
  needs: { site_energy_intervals: ['start_time', 'length_s', 'coverage', ...parts] },
  retraction: sumsFollow,
  columns: [
    text('site_id', 'Site'),
    text('time_zone', 'Zone that the day means: as last told when an asset was installed there, else UTC'),
    { name: 'day', type: 'DATE', doc: 'Day in that zone' },
    time('from_time', 'Start of the day'),
    time('to_time', 'End of the day'),
    amount('load_wh', 'Energy that the site used; null without such a meter', 'Wh', 'sum of `load_wh`'),
    amount('solar_wh', 'Solar energy; null without', 'Wh', 'sum of `solar_wh`'),
    amount('import_wh', 'Energy from the grid; null without a meter there', 'Wh', 'sum of `import_wh`'),
    amount('export_wh', 'Energy to the grid; null without a meter there', 'Wh', 'sum of `export_wh`'),
    amount('battery_in_wh', 'Energy into the batteries; null without', 'Wh', 'sum of `battery_in_wh`'),
    amount('battery_out_wh', 'Energy out of the batteries; null without', 'Wh', 'sum of `battery_out_wh`'),
    amount('charging_wh', 'Energy into vehicles; null without stalls', 'Wh', 'sum of `charging_wh`'),
    amount(
      'self_consumption',
      'Share of the solar energy that stayed at the site; below 0 where more than that was exported',
      '1',
      '`(solar_wh - export_wh) / solar_wh`',
    ),
    amount(
      'self_sufficiency',
      'Share of the load that did not come from the grid; below 0 where the batteries were charged from it',
      '1',
      '`(load_wh - import_wh) / load_wh`',
    ),
    amount('covered_s', 'Time that readings of the members cover', 's', 'sum of `coverage * length_s`'),
    amount(
      'coverage',
      'Share of the day that readings of the members cover, 0..1',
      '1',
      '`covered_s` / length of the day',
    ),
    count('intervals', 'Energy intervals in it'),
  ],
  sql: `WITH zones AS (
      SELECT site_id, arg_max(time_zone, (from_time, serial)) AS time_zone FROM gridfold_places WHERE time_zone IS NOT NULL GROUP BY site_id
    ), local AS (
      SELECT n.*, n.serial AS site, coalesce(z.time_zone, 'UTC') AS zone FROM (${newest('site_energy_intervals')}) n
      LEFT JOIN zones z ON z.site_id = n.serial WHERE n.op = 'upsert'
    ), days AS (
      SELECT site AS site_id, zone AS time_zone, timezone(zone, start_time)::DATE AS day, ${parts.map((p) => `sum(${p}) AS ${p}`).join(', ')},
        sum(coverage * length_s) AS covered_s, count(*) AS intervals
      FROM local GROUP BY 1, 2, 3
    ), bounded AS (
      SELECT *, timezone(time_zone, day::TIMESTAMP) AS from_time, timezone(time_zone, (day + 1)::TIMESTAMP) AS to_time FROM days
    )
    SELECT *, (solar_wh - export_wh) / nullif(solar_wh, 0) AS self_consumption, (load_wh - import_wh) / nullif(load_wh, 0) AS self_sufficiency,
      covered_s / (epoch(to_time) - epoch(from_time)) AS coverage FROM bounded`,
};
