import { newest, occupancyView, serviceView } from '../views.ts';
import { has } from './mart.ts';
import type { TablePlan } from '../schema.ts';

/** Time zones by kind as the configuration says them; filled when the file is opened. */
export const kindsTable = 'gridfold_kinds';
export const createKindsTable = `CREATE TABLE IF NOT EXISTS ${kindsTable} (kind VARCHAR, time_zone VARCHAR)`;

export const energyNeeds = {
  energy_intervals: ['start_time', 'length_s', 'in_wh', 'out_wh', 'method', 'coverage'],
};
export const faultNeeds = { faults: ['code', 'severity', 'opened_time', 'closed_time', 'recurrence'] };
export const stateNeeds = { state_intervals: ['region', 'state', 'from_time', 'to_time'] };
export const slotNeeds = { slot_occupancies: ['slot', 'install_epoch', 'from_time', 'to_time'] };
export const firmwareNeeds = { firmware_updates: ['from_version', 'to_version', 'completed_time', 'ok', 'source'] };
export const lifecycleNeeds = { lifecycle_changes: ['record_id', 'type', 'legal', 'voided', 'occurred_time', 'data'] };

/** Columns of {@link asOf}. */
export const circumstances = `p.site_id, p.slot, p.region, coalesce(p.model, m.model) AS model, f.version AS firmware,
    s.state AS phase, s.from_time AS phase_since, coalesce(s.in_service, true) AS in_service`;

/** Joins place, model, firmware and service of an asset as of an instant. */
export function asOf(serial: string, at: string): string {
  const join = (view: string, alias: string) =>
    `LEFT JOIN ${view} ${alias} ON ${alias}.serial = ${serial} AND ${at} >= ${alias}.from_time AND ${at} < ${alias}.until`;
  return `${join('gridfold_places', 'p')} LEFT JOIN gridfold_models m ON m.serial = ${serial}
    ${join('gridfold_firmware', 'f')} ${join(serviceView, 's')}`;
}

/**
 * Occupancies for the marts: a time zone that the database does not know counts as not told. An energy interval belongs
 * to the place at its start; where the asset was installed within the interval, to that place (`energy_from`).
 */
const places = `CREATE OR REPLACE VIEW gridfold_places AS
  SELECT * REPLACE (CASE WHEN time_zone IN (SELECT name FROM pg_timezone_names()) THEN time_zone END AS time_zone),
    greatest(
      time_bucket(INTERVAL 15 MINUTE, from_time),
      coalesce(lag(until) OVER (PARTITION BY serial ORDER BY from_time), TIMESTAMPTZ '-infinity')
    ) AS energy_from
  FROM ${occupancyView}`;

const kinds = `CREATE OR REPLACE VIEW gridfold_kind_zones AS
  SELECT * FROM ${kindsTable} WHERE time_zone IN (SELECT name FROM pg_timezone_names())`;

/** Zones that are in use. */
const zones = `SELECT time_zone FROM gridfold_places WHERE time_zone IS NOT NULL
    UNION SELECT time_zone FROM gridfold_kind_zones UNION SELECT 'UTC'`;

const offset = (at: string) => `epoch_us(timezone(time_zone, ${at})) - epoch_us(${at})`;

/**
 * Distance of local time from UTC in every zone in use, in microseconds, and from when until when it holds: looked at
 * once a day, and every quarter of an hour in a day in which it changes. To ask the zone for each row, or for each
 * instant, takes many times longer.
 */
const offsets = `CREATE OR REPLACE VIEW gridfold_offsets AS
  WITH days AS (
    SELECT time_zone, day, ${offset('day')} AS offset_us FROM (${zones}), (
      SELECT unnest(generate_series(date_trunc('day', min(start_time)), max(start_time) + INTERVAL 1 DAY, INTERVAL 1 DAY)) AS day
      FROM energy_intervals
    )
  ), points AS (
    SELECT time_zone, day AS point, offset_us FROM days
    UNION ALL
    SELECT time_zone, quarter, ${offset('quarter')} FROM (
      SELECT time_zone, unnest(generate_series(day, day + INTERVAL 1 DAY, INTERVAL 15 MINUTE)) AS quarter FROM (
        SELECT * FROM days QUALIFY offset_us <> lead(offset_us) OVER (PARTITION BY time_zone ORDER BY day)
      )
    )
  ), changes AS (
    SELECT * FROM points QUALIFY offset_us IS DISTINCT FROM lag(offset_us) OVER (PARTITION BY time_zone ORDER BY point)
  )
  SELECT time_zone, point AS from_time, offset_us,
    coalesce(lead(point) OVER (PARTITION BY time_zone ORDER BY point), TIMESTAMPTZ 'infinity') AS until
  FROM changes`;

/** Current energy intervals with place and local time as of their start. */
const energy = `CREATE OR REPLACE VIEW gridfold_energy AS
  SELECT e.serial, e.kind, e.start_time, e.length_s, e.in_wh, e.out_wh, e.method, e.coverage,
    coalesce(p.site_id, e.site_id) AS site_id, p.slot, p.region, p.model, p.capacity_wh, z.time_zone,
    make_timestamp(epoch_us(e.start_time) + z.offset_us)::DATE AS day,
    make_timestamptz(epoch_us(e.start_time) - (epoch_us(e.start_time) + z.offset_us) % 3600000000) AS hour_start
  FROM (${newest('energy_intervals')}) e
  LEFT JOIN gridfold_places p ON p.serial = e.serial AND e.start_time >= p.energy_from AND e.start_time < p.until
  LEFT JOIN gridfold_kind_zones k ON k.kind = e.kind
  JOIN gridfold_offsets z ON z.time_zone = coalesce(p.time_zone, k.time_zone, 'UTC')
    AND e.start_time >= z.from_time AND e.start_time < z.until
  WHERE e.op = 'upsert'`;

/**
 * Which firmware ran from when until when. What the asset tells itself goes before what records of updates say; the
 * version before its first update held since ever. An asset that never changed its firmware has no row.
 */
const firmware = (known: boolean) => `CREATE OR REPLACE VIEW gridfold_firmware AS
  ${known ? firmwareTold : `SELECT NULL::VARCHAR AS serial, NULL::VARCHAR AS version, NULL::VARCHAR AS source, NULL::TIMESTAMPTZ AS from_time, NULL::TIMESTAMPTZ AS until WHERE false`}`;

const firmwareTold = `WITH told AS (
    SELECT serial, source, from_version, to_version, completed_time AS since, version AS revision FROM (${newest('firmware_updates')})
    WHERE op = 'upsert' AND ok AND to_version IS NOT NULL AND completed_time IS NOT NULL
    QUALIFY source = 'telemetry' OR count(*) FILTER (source = 'telemetry') OVER (PARTITION BY serial) = 0
  ), ran AS (
    SELECT serial, source, to_version AS version, since, revision FROM told
    UNION ALL
    SELECT serial, first(source ORDER BY since, revision), first(from_version ORDER BY since, revision), TIMESTAMPTZ '-infinity', -1 FROM told GROUP BY serial
  ), changed AS (
    SELECT * FROM ran WHERE version IS NOT NULL QUALIFY version IS DISTINCT FROM lag(version) OVER (PARTITION BY serial ORDER BY since, revision)
  )
  SELECT serial, version, source, since AS from_time,
    coalesce(lead(since) OVER (PARTITION BY serial ORDER BY since, revision), TIMESTAMPTZ 'infinity') AS until
  FROM changed`;

/** The model of an asset as last told by a record that stands; a unit does not change its model. */
const models = (known: boolean) => `CREATE OR REPLACE VIEW gridfold_models AS
  ${known ? modelsTold : 'SELECT NULL::VARCHAR AS serial, NULL::VARCHAR AS model WHERE false'}`;

const modelsTold = `SELECT serial, arg_max(model, (occurred_time, version)) AS model FROM (
    SELECT serial, data->>'$.model' AS model, occurred_time, version FROM (${newest('lifecycle_changes')})
    WHERE op = 'upsert' AND legal AND NOT voided
  ) WHERE model IS NOT NULL GROUP BY serial`;

/** From when until when an asset has been heard of, by its energy and its measured states. */
const seen = `CREATE OR REPLACE VIEW gridfold_seen AS
  SELECT serial, any_value(kind) AS kind, min(from_time) AS from_time, max(until) AS until FROM (
    SELECT serial, kind, start_time AS from_time, start_time + to_seconds(length_s) AS until
    FROM (${newest('energy_intervals')}) WHERE op = 'upsert'
    UNION ALL
    SELECT serial, kind, from_time, coalesce(to_time, from_time)
    FROM (${newest('state_intervals', `WHERE region NOT IN ('lifecycle', 'firmware')`)}) WHERE op = 'upsert'
  ) GROUP BY serial`;

/**
 * The time in which an asset was seen, cut wherever its service, place or firmware changes: within a piece all of them
 * are the same.
 */
const pieces = `CREATE OR REPLACE VIEW gridfold_pieces AS
  WITH cuts AS (
    SELECT serial, from_time AS cut_time FROM gridfold_seen UNION SELECT serial, until FROM gridfold_seen
    UNION SELECT serial, from_time FROM ${serviceView} UNION SELECT serial, until FROM ${serviceView}
    UNION SELECT serial, from_time FROM gridfold_places UNION SELECT serial, until FROM gridfold_places
    UNION SELECT serial, from_time FROM gridfold_firmware UNION SELECT serial, until FROM gridfold_firmware
  ), pieces AS (
    SELECT c.serial, s.kind, c.cut_time AS from_time, lead(c.cut_time) OVER (PARTITION BY c.serial ORDER BY c.cut_time) AS until
    FROM cuts c JOIN gridfold_seen s ON s.serial = c.serial AND c.cut_time BETWEEN s.from_time AND s.until
  )
  SELECT n.serial, n.kind, n.from_time, n.until, ${circumstances}
  FROM pieces n ${asOf('n.serial', 'n.from_time')} WHERE n.until IS NOT NULL`;

/** Internal views under the marts, in the order in which they are made. */
export function createParts(plans: readonly TablePlan[]): string[] {
  const parts = [places, kinds, firmware(has(plans, firmwareNeeds)), models(has(plans, lifecycleNeeds))];
  if (has(plans, energyNeeds)) parts.push(offsets, energy);
  if (has(plans, { ...energyNeeds, ...stateNeeds })) parts.push(seen, pieces);
  return parts;
}
