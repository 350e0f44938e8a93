import { newest, serviceView } from '../views.ts';
import { amount, type Mart, type MartColumn, text, time } from './mart.ts';
import { energyNeeds, faultNeeds, lifecycleNeeds, stateNeeds } from './parts.ts';

const needs = {
  availability_intervals: ['day', 'from_time', 'to_time', 'available_s', 'down_s', 'unknown_s', 'night_s'],
  ...energyNeeds,
  ...stateNeeds,
  ...faultNeeds,
  ...lifecycleNeeds,
};
const retraction =
  'The measured day and the records of service are joined when read: a correction of either, however late, moves the parts.';
const day: MartColumn = { name: 'day', type: 'DATE', doc: "Day in the asset's zone" };
const siteId = text('site_id', 'Site; null where the asset stood nowhere');
const slot = text('slot', 'Slot; null where the asset stood nowhere');
const share = '`measured seconds * time in service / length of the measured day`';
const parts: readonly MartColumn[] = [
  amount('in_service_s', 'Time in service by the lifecycle; an asset without records is always in service', 's'),
  amount('available_s', 'Of it: without a fault, idle or not', 's', share),
  amount('down_s', 'Of it: with an open fault', 's', share),
  amount('unknown_s', 'Of it: nothing is known; this is not down', 's', share),
  amount('night_s', 'Of it: a sound inverter off or asleep; this is not down', 's', share),
  amount('maintenance_planned_s', 'Time in maintenance that is planned', 's'),
  amount(
    'maintenance_unplanned_s',
    'Time in maintenance that is not',
    's',
    'as the record says (`planned` in its data), else unplanned where a fault was open at its start',
  ),
  amount('not_in_service_s', 'Time before, after or outside of service otherwise', 's'),
];
const availability = amount(
  'availability',
  'Availability by time, 0..1; null where nothing counts',
  '1',
  '`available_s / (available_s + down_s + maintenance_unplanned_s)`',
);

const names = parts.map((p) => p.name);
const ratio = 'available_s / nullif(available_s + down_s + maintenance_unplanned_s, 0) AS availability';
const sums = names.map((name) => `sum(${name}) AS ${name}`).join(', ');
const during = (condition: string) => `CASE WHEN ${condition} THEN seconds ELSE 0 END`;

/** Measured days cut at changes of service and place, with what each piece counts as. */
const pieces = `WITH days AS (
    SELECT serial, kind, day::DATE AS day, from_time, to_time, epoch(to_time) - epoch(from_time) AS length_s,
      available_s, down_s, unknown_s, night_s
    FROM (${newest('availability_intervals')}) WHERE op = 'upsert' AND to_time > from_time
  ), told AS (
    SELECT serial, occurred_time, bool_or((data->>'$.planned') = 'true') AS planned
    FROM (${newest('lifecycle_changes')})
    WHERE op = 'upsert' AND NOT voided AND (data->>'$.planned') IN ('true', 'false') GROUP BY serial, occurred_time
  ), failed AS (
    SELECT DISTINCT s.serial, s.from_time AS phase_since FROM ${serviceView} s
    JOIN (${newest('faults')}) f ON f.serial = s.serial AND f.op = 'upsert'
      AND f.opened_time <= s.from_time AND coalesce(f.closed_time > s.from_time, true)
    WHERE lower(s.state) = 'maintenance'
  ), cut AS (
    SELECT d.*, p.site_id, p.slot, p.in_service, coalesce(lower(p.phase) = 'maintenance', false) AS maintained,
      coalesce(t.planned, f.serial IS NULL) AS planned,
      epoch(least(d.to_time, p.until)) - epoch(greatest(d.from_time, p.from_time)) AS seconds
    FROM days d
    JOIN gridfold_pieces p ON p.serial = d.serial AND p.from_time < d.to_time AND p.until > d.from_time
    LEFT JOIN told t ON t.serial = p.serial AND t.occurred_time = p.phase_since
    LEFT JOIN failed f ON f.serial = p.serial AND f.phase_since = p.phase_since
  )
  SELECT serial, kind, site_id, slot, day, from_time, to_time, ${during('in_service')} AS in_service_s,
    ${['available_s', 'down_s', 'unknown_s', 'night_s'].map((n) => `${n} * ${during('in_service')} / length_s AS ${n}`).join(', ')},
    ${during('maintained AND planned')} AS maintenance_planned_s,
    ${during('maintained AND NOT planned')} AS maintenance_unplanned_s,
    ${during('NOT in_service AND NOT maintained')} AS not_in_service_s,
    min(in_service) OVER whole <> max(in_service) OVER whole AS prorated
  FROM cut WINDOW whole AS (PARTITION BY serial, day)`;

export const availabilityOfAssets: Mart = {
  name: 'availability',
  doc: 'How an asset did on a day, of its time in service. What nobody knows and the night of an inverter are kept apart (after IEC 61400-26): they are neither available nor down.',
  grain: "serial, day, site, slot; the day is the asset's own",
  needs,
  retraction,
  columns: [
    text('serial', 'Asset'),
    text('kind', 'Kind of asset'),
    siteId,
    slot,
    day,
    time('from_time', 'Start of the measured day; on the first day the first reading'),
    time('to_time', 'End of the measured day; of the day in progress the newest reading'),
    ...parts,
    availability,
    {
      name: 'prorated',
      type: 'BOOLEAN',
      doc: 'True where service began or ended within the day: then the measured seconds are spread evenly over it',
    },
  ],
  sql: `SELECT *, ${ratio} FROM (
      SELECT serial, kind, site_id, slot, day, from_time, to_time, ${sums}, bool_or(prorated) AS prorated
      FROM (${pieces}) GROUP BY serial, kind, site_id, slot, day, from_time, to_time
    )`,
};

const rolledUp = (name: string, doc: string, by: readonly MartColumn[]): Mart => {
  const grain = by.map((c) => c.name).join(', ');
  return {
    name,
    doc,
    grain: `${grain.replaceAll('_', ' ')}, day`,
    needs,
    retraction,
    columns: [...by, day, ...parts, availability],
    sql: `SELECT *, ${ratio} FROM (
      SELECT ${grain}, day, ${sums} FROM "availability" WHERE site_id IS NOT NULL GROUP BY ${grain}, day
    )`,
  };
};

export const availabilityMarts: readonly Mart[] = [
  availabilityOfAssets,
  rolledUp('slot_availability', 'How a slot did on a day, whichever assets held it.', [siteId, slot]),
  rolledUp('site_availability', 'How the assets of a site did on a day, by their time.', [siteId]),
];
