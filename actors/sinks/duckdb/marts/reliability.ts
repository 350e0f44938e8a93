import { newest } from '../views.ts';
import { amount, count, type Mart, sumsFollow, text } from './mart.ts';
import { asOf, circumstances, energyNeeds, faultNeeds, firmwareNeeds, stateNeeds } from './parts.ts';

const sets = '((kind), (kind, model), (kind, firmware), (kind, site_id))';
const groupedBy = `CASE WHEN grouping(model) = 0 THEN 'model' WHEN grouping(firmware) = 0 THEN 'firmware'
      WHEN grouping(site_id) = 0 THEN 'site' ELSE 'kind' END AS grouped_by`;

/**
 * Times in which an asset started anew for an update, at most 30 minutes each: by the records of the update, and by
 * the asset, whose version changed between two readings.
 */
const reboots = `SELECT serial, from_time, from_time + INTERVAL 30 MINUTE AS until
      FROM (${newest('state_intervals', `WHERE region = 'firmware'`)}) WHERE op = 'upsert' AND state = 'rebooting'
      UNION ALL
      SELECT serial, started_time, started_time + INTERVAL 30 MINUTE FROM (${newest('firmware_updates')})
      WHERE op = 'upsert' AND source = 'telemetry' AND completed_time - started_time <= INTERVAL 30 MINUTE`;
/** A part that does not answer while the asset starts anew is expected, if it answers in time. */
const isExpected = `regexp_matches(n.code, 'MIA|Comms|Communication') AND EXISTS (
        FROM reboots r WHERE r.serial = n.serial AND n.opened_time >= r.from_time AND n.closed_time <= r.until)`;

export const reliability: Mart = {
  name: 'reliability',
  doc: 'How often assets fail in service and how long it takes until they work again, for each kind, and within it for each model, firmware and site.',
  grain: 'grouped_by, kind, and the one of model, firmware and site that `grouped_by` names',
  needs: {
    ...energyNeeds,
    ...stateNeeds,
    ...faultNeeds,
    firmware_updates: [...firmwareNeeds.firmware_updates, 'started_time'],
  },
  retraction: `${sumsFollow} Service, place and firmware are those of the current records, as of the time that counts.`,
  columns: [
    text('grouped_by', '`kind`, `model`, `firmware` or `site`'),
    text('kind', 'Kind of asset'),
    text('model', 'Model; null where nobody told, and where the row is not by model'),
    text('firmware', 'Firmware; null where the asset never changed it, and where the row is not by firmware'),
    text('site_id', 'Site; null where the asset stood nowhere, and where the row is not by site'),
    count('assets', 'Assets with time in service'),
    amount('exposure_h', 'Time in service of all of them, from the first to the last that was heard of each', 'h'),
    count(
      'incidents',
      'Faults that opened in service; one that comes back within 24 h of its close is the same incident, and a part that does not answer for up to 30 minutes while the asset starts anew for an update is none',
    ),
    count('open_incidents', 'Those that have not closed'),
    amount('repair_h', 'Time from opening to the last close, of those that closed', 'h'),
    amount('mtbf_h', 'Mean time between failures; null without an incident', 'h', '`exposure_h / incidents`'),
    amount('mttr_h', 'Mean time to repair; null without a close', 'h', '`repair_h / (incidents - open_incidents)`'),
  ],
  sql: `WITH reboots AS (
      ${reboots}
    ), incidents AS (
      SELECT n.serial, n.kind, n.opened_time, n.closed_time, ${circumstances}
      FROM (${newest('faults')}) n ${asOf('n.serial', 'n.opened_time')}
      WHERE n.op = 'upsert' AND NOT (${isExpected})
    ), parts AS (
      SELECT kind, model, firmware, site_id, serial, epoch(until) - epoch(from_time) AS exposure_s, NULL AS repair_s, 0 AS incident, 0 AS is_open
      FROM gridfold_pieces WHERE in_service
      UNION ALL
      SELECT kind, model, firmware, site_id, NULL, 0, epoch(closed_time) - epoch(opened_time), 1, CASE WHEN closed_time IS NULL THEN 1 ELSE 0 END
      FROM incidents WHERE in_service
    ), groups AS (
      SELECT ${groupedBy}, kind, model, firmware, site_id, count(DISTINCT serial) AS assets, sum(exposure_s) / 3600 AS exposure_h,
        sum(incident) AS incidents, sum(is_open) AS open_incidents, coalesce(sum(repair_s), 0) / 3600 AS repair_h
      FROM parts GROUP BY GROUPING SETS ${sets}
    )
    SELECT *, exposure_h / nullif(incidents, 0) AS mtbf_h, repair_h / nullif(incidents - open_incidents, 0) AS mttr_h FROM groups`,
};
