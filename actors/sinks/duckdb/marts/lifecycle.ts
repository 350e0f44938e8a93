import { serviceView } from '../views.ts';
import { amount, count, type Mart, sumsFollow, text, time } from './mart.ts';
import { energyNeeds, firmwareNeeds, slotNeeds, stateNeeds } from './parts.ts';

const serial = text('serial', 'Asset');
const kind = text('kind', 'Kind of asset');
const refold = 'The life of an asset is folded anew with each record: a correction moves, adds or takes away rows.';

/** `infinity` is how the joins say "still"; people read null. */
const finite = (column: string) => `CASE WHEN isfinite(${column}) THEN ${column} END`;

export const phaseTimes: Mart = {
  name: 'phase_times',
  doc: 'How long an asset was in each state of its life.',
  grain: 'serial, phase',
  needs: stateNeeds,
  retraction: refold,
  columns: [
    serial,
    kind,
    text('phase', 'State of the region lifecycle'),
    count('entries', 'How often it was entered'),
    time('first_time', 'When it was first entered'),
    amount(
      'seconds',
      'Time in it until it was left; that of a phase that lasts is not in it',
      's',
      'sum of `to_time - from_time`',
    ),
    time('since', 'Since when it lasts; null where it was left'),
  ],
  sql: `SELECT serial, kind, state AS phase, count(*) AS entries, min(from_time) AS first_time,
      coalesce(sum(epoch(until) - epoch(from_time)) FILTER (isfinite(until)), 0) AS seconds,
      max(from_time) FILTER (NOT isfinite(until)) AS since
    FROM ${serviceView} WHERE state IS NOT NULL GROUP BY serial, kind, state`,
};

export const replacements: Mart = {
  name: 'replacements',
  doc: 'One asset followed another in a slot, by the times at which each held it.',
  grain: 'site, slot, entered time',
  needs: slotNeeds,
  retraction: refold,
  columns: [
    text('site_id', 'Site'),
    text('slot', 'Slot'),
    text('old_serial', 'Asset that held the slot before'),
    text('new_serial', 'Asset that holds it from then on'),
    time('left_time', 'When the old one left; null where no record says that it did'),
    time('entered_time', 'When the new one was installed'),
    amount(
      'gap_s',
      'Time in which the slot was empty; negative where both claim it',
      's',
      '`entered_time - left_time`',
    ),
    text('told_serial', 'Asset that the record of the installation says it replaces'),
  ],
  sql: `SELECT *, epoch(entered_time) - epoch(left_time) AS gap_s FROM (
      SELECT site_id, slot, lag(serial) OVER held AS old_serial, serial AS new_serial, from_time AS entered_time,
        lag(${finite('until')}) OVER held AS left_time, replaces AS told_serial
      FROM gridfold_places WINDOW held AS (PARTITION BY site_id, slot ORDER BY from_time, serial)
    ) WHERE old_serial <> new_serial`,
};

export const lifecycleAnomalies: Mart = {
  name: 'lifecycle_anomalies',
  doc: 'An asset sent readings in a time in which, by its records, it was not yet or no longer at work. The readings count as any others; either they or the records are wrong. Energy intervals that lie wholly in such a time are counted.',
  grain: 'serial, stay in a phase',
  needs: { ...energyNeeds, ...stateNeeds },
  retraction:
    'Measured and told facts are joined when read: a record that comes late makes the anomaly appear or vanish.',
  columns: [
    serial,
    kind,
    text('anomaly', '`before_first_record`, `before_commissioning` or `after_decommissioning`'),
    text('phase', 'State of the region lifecycle at the time; null before the first record'),
    time('from_time', 'Start of the first energy interval in it'),
    time('to_time', 'End of the last energy interval in it'),
    amount('in_wh', 'Energy into the asset in it', 'Wh'),
    amount('out_wh', 'Energy out of the asset in it', 'Wh'),
    count('intervals', 'Energy intervals in it'),
  ],
  sql: `SELECT e.serial, any_value(e.kind) AS kind, s.state AS phase,
      CASE WHEN s.state IS NULL THEN 'before_first_record'
        WHEN lower(s.state) IN ('decommissioned', 'returned', 'recycled') THEN 'after_decommissioning'
        ELSE 'before_commissioning' END AS anomaly,
      min(e.start_time) AS from_time, max(e.start_time + to_seconds(e.length_s)) AS to_time,
      sum(e.in_wh) AS in_wh, sum(e.out_wh) AS out_wh, count(*) AS intervals
    FROM gridfold_energy e
    JOIN ${serviceView} s ON s.serial = e.serial AND e.start_time >= s.from_time
      AND e.start_time + to_seconds(e.length_s) <= s.until
    WHERE coalesce(lower(s.state), '') NOT IN ('inservice', 'maintenance', 'outofservice')
    GROUP BY e.serial, s.state, s.from_time`,
};

export const firmwareVersions: Mart = {
  name: 'firmware_versions',
  doc: 'Which firmware an asset ran from when until when. What the asset tells goes before what records of updates say. An asset that never changed its firmware has no row.',
  grain: 'serial, from time',
  needs: firmwareNeeds,
  retraction: sumsFollow,
  columns: [
    serial,
    text('version', 'Version'),
    time('from_time', 'Since when; null for the version before the first update'),
    time('to_time', 'Until when; null for the one that runs'),
    text('source', '`telemetry` or `lifecycle`'),
  ],
  sql: `SELECT serial, version, ${finite('from_time')} AS from_time, ${finite('until')} AS to_time, source FROM gridfold_firmware`,
};

export const lifecycleMarts: readonly Mart[] = [phaseTimes, replacements, lifecycleAnomalies, firmwareVersions];
