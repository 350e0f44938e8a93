import { amount, count, type Mart, type MartColumn, text, time } from './mart.ts';

/** When the facts of a row must have been received; both are SQL expressions over the hour's start `hour`. */
interface Cut {
  /** Latest record time that may be in the row of an hour. */
  readonly of: (hour: string) => string;
  /** Which versions can be the belief of any hour. */
  readonly believed: string;
  /** Hours for which something known from `known_from` to before `known_until` can be the belief: first and last. */
  readonly first: string;
  readonly last: string;
  /** Whether the hour has a row. */
  readonly passed: (hour: string) => string;
}

const HOUR = 'INTERVAL 1 HOUR';
/** What has been received so far: an hour has a row when its cut has passed. */
const newestRecord = `(SELECT greatest((SELECT max(record_time) FROM energy_intervals), (SELECT max(record_time) FROM state_intervals)))`;

/** One cut for all rows; only hours that have ended by then have one. */
const atCut: Cut = {
  believed: 'known_from <= cut AND known_until > cut',
  of: () => 'cut',
  first: `TIMESTAMPTZ '-infinity'`,
  last: `TIMESTAMPTZ 'infinity'`,
  passed: (hour) => `${hour} + ${HOUR} <= cut`,
};

/** Each row as it could be known a delay after the end of its hour. */
const within = (delay: string): Cut => ({
  believed: 'known_from < known_until',
  of: (hour) => `${hour} + ${HOUR} + ${delay}`,
  first: `known_from - ${HOUR} - ${delay}`,
  last: `known_until - ${HOUR} - ${delay}`,
  passed: (hour) => `${hour} + ${HOUR} + ${delay} <= ${newestRecord}`,
});

const hourOf = (instant: string) => `time_bucket(${HOUR}, ${instant})`;
const order = 'version, "offset", ordinal, topic';

/** Facts of an instant, their event time, each in the version that was the newest when its hour's row was cut. */
function pointFacts(table: string, cut: Cut): string {
  return `SELECT * FROM (
      SELECT *, ${hourOf('event_time')} AS hour FROM ${table} WHERE record_time <= ${cut.of(hourOf('event_time'))}
      QUALIFY row_number() OVER (PARTITION BY key, serial ORDER BY version DESC, "offset" DESC, ordinal DESC, topic DESC) = 1
    ) WHERE op = 'upsert'`;
}

/** First and last hour of an asset in which something began. */
const spans = `SELECT serial, ${hourOf('min(event_time)')} AS first_hour, max(event_time) AS last_hour FROM (
      SELECT serial, event_time FROM energy_intervals UNION ALL SELECT serial, event_time FROM state_transitions
      UNION ALL SELECT serial, event_time FROM faults
    ) GROUP BY serial`;

/**
 * Facts that last, one row per hour of each, in the version that was the newest when the hour's row was cut: a version
 * is known from its record time until a newer version of the fact was received. Only hours between the first and the
 * last that an asset can have a row for are made: what is open is open for ever.
 */
function lastingFacts(table: string, cut: Cut): string {
  const until = `min(record_time) OVER (PARTITION BY key, serial ORDER BY ${order} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)`;
  return `SELECT *, greatest(0, epoch(least(hour + ${HOUR}, coalesce(to_time, hour + ${HOUR}))) - epoch(greatest(hour, from_time))) AS seconds
    FROM (
      SELECT *, unnest(generate_series(
        ${hourOf(`greatest(from_time, ${cut.first}, first_hour)`)},
        least(coalesce(to_time, TIMESTAMPTZ 'infinity'), ${cut.last}, last_hour),
        ${HOUR})) AS hour
      FROM (SELECT *, record_time AS known_from, coalesce(${until}, TIMESTAMPTZ 'infinity') AS known_until FROM ${table})
      JOIN (${spans}) USING (serial)
      WHERE op = 'upsert' AND from_time IS NOT NULL AND ${cut.believed}
    ) WHERE known_from <= ${cut.of('hour')} AND known_until > ${cut.of('hour')}`;
}

/** Rows of every hour whose end is not after the cut. */
function rows(cut: Cut): string {
  const energy = pointFacts('energy_intervals', cut);
  const transitions = pointFacts('state_transitions', cut);
  const faults = pointFacts('faults', cut);
  const held = (table: string) =>
    `SELECT serial, hour, sum(seconds) AS seconds FROM (${lastingFacts(table, cut)}) GROUP BY serial, hour`;
  return `WITH energy AS (
      SELECT serial, kind, hour, sum(in_wh) AS in_wh, sum(out_wh) AS out_wh, sum(coverage * length_s) AS covered_s,
        quantile_cont(watts, [0.1, 0.5, 0.9]) FILTER (watts IS NOT NULL) AS quarters
      FROM (SELECT *, 3600 * (out_wh - in_wh) / nullif(coverage * length_s, 0) AS watts FROM (${energy}))
      GROUP BY serial, kind, hour
    ), changes AS (
      SELECT serial, kind, hour, count(*) AS transitions FROM (${transitions}) WHERE region NOT IN ('lifecycle', 'firmware')
      GROUP BY serial, kind, hour
    ), failures AS (
      SELECT serial, kind, hour, count(*) AS faults_opened FROM (${faults}) GROUP BY serial, kind, hour
    ), spine AS (
      SELECT serial, kind, hour FROM energy UNION SELECT serial, kind, hour FROM changes UNION SELECT serial, kind, hour FROM failures
    ), states AS (
      SELECT serial, hour, map_from_entries(list_sort(list((region || '/' || state, seconds)))) AS state_s,
        sum(seconds) FILTER (region = 'health' AND lower(state) IN ('faulted', 'permanentfault')) AS faulted_s,
        sum(seconds) FILTER (region = 'connectivity' AND lower(state) = 'online') AS online_s
      FROM (SELECT serial, hour, region, state, sum(seconds) AS seconds FROM (${lastingFacts('state_intervals', cut)}) WHERE seconds > 0 GROUP BY ALL)
      GROUP BY serial, hour
    ), derates AS (${held('derate_intervals')}), gaps AS (${held('data_gaps')}), capacities AS (
      SELECT serial, hour, arg_max(capacity_wh, from_time) AS capacity_wh FROM (${lastingFacts('slot_occupancies', cut)})
      GROUP BY serial, hour
    )
    SELECT s.serial, s.kind, s.hour AS from_time, coalesce(e.in_wh, 0) AS in_wh, coalesce(e.out_wh, 0) AS out_wh,
      coalesce(e.covered_s, 0) AS covered_s, coalesce(e.covered_s, 0) / 3600 AS coverage,
      3600 * (e.out_wh - e.in_wh) / nullif(e.covered_s, 0) AS mean_w,
      e.quarters[1] AS p10_w, e.quarters[2] AS p50_w, e.quarters[3] AS p90_w,
      (e.in_wh + e.out_wh) / 2 / nullif(p.capacity_wh, 0) AS cycles,
      coalesce(c.transitions, 0) AS transitions, coalesce(f.faults_opened, 0) AS faults_opened,
      coalesce(t.faulted_s, 0) AS faulted_s, coalesce(t.online_s, 0) AS online_s, t.state_s,
      coalesce(d.seconds, 0) AS derate_s, coalesce(g.seconds, 0) AS gap_s
    FROM spine s
    LEFT JOIN energy e USING (serial, kind, hour) LEFT JOIN changes c USING (serial, kind, hour)
    LEFT JOIN failures f USING (serial, kind, hour) LEFT JOIN states t USING (serial, hour)
    LEFT JOIN derates d USING (serial, hour) LEFT JOIN gaps g USING (serial, hour) LEFT JOIN capacities p USING (serial, hour)
    WHERE ${cut.passed('s.hour')}`;
}

const needs = {
  energy_intervals: ['length_s', 'in_wh', 'out_wh', 'coverage'],
  state_intervals: ['region', 'state', 'from_time', 'to_time'],
  state_transitions: ['region'],
  faults: [],
  derate_intervals: ['from_time', 'to_time'],
  data_gaps: ['from_time', 'to_time'],
  slot_occupancies: ['from_time', 'to_time', 'capacity_wh'],
};

const columns: readonly MartColumn[] = [
  text('serial', 'Asset'),
  text('kind', 'Kind of asset'),
  time('from_time', 'Start of the hour, in UTC'),
  amount('in_wh', 'Energy into the asset', 'Wh', 'sum over the energy intervals that begin in the hour'),
  amount('out_wh', 'Energy out of the asset', 'Wh', 'sum over the energy intervals that begin in the hour'),
  amount('covered_s', 'Time that readings cover', 's', 'sum of `coverage * length_s`'),
  amount('coverage', 'Share of the hour that readings cover, 0..1', '1', '`covered_s / 3600`'),
  amount('mean_w', 'Mean power while covered, + out of the asset', 'W', '`3600 * (out_wh - in_wh) / covered_s`'),
  amount(
    'p10_w',
    'Power that nine tenths of the quarters of an hour lie above',
    'W',
    '10 % quantile of their mean powers',
  ),
  amount('p50_w', 'Power in the middle of the quarters of an hour', 'W', 'median of their mean powers'),
  amount(
    'p90_w',
    'Power that nine tenths of the quarters of an hour lie below',
    'W',
    '90 % quantile of their mean powers',
  ),
  amount(
    'cycles',
    'Full equivalent cycles; null where nobody told the capacity',
    '1',
    '`(in_wh + out_wh) / 2 / capacity_wh` of the installation',
  ),
  count('transitions', 'Measured changes of state in the hour'),
  count('faults_opened', 'Faults that opened in the hour'),
  amount('faulted_s', 'Time with a fault', 's', 'health in `faulted` or `permanentFault`'),
  amount('online_s', 'Time online', 's', 'connectivity in `online`'),
  { name: 'state_s', type: 'MAP(VARCHAR, DOUBLE)', unit: 's', doc: 'Time in each state; keys are `REGION/STATE`' },
  amount('derate_s', 'Time held below the rated power, of all causes added up', 's'),
  amount('gap_s', 'Time in data gaps', 's'),
];

const doc =
  'An hour of an asset as it could be known, for models that must not look ahead: no fact, and no newer version of one, is in the row that was received after its cut. A row is there where energy, a change of state or a fault of the hour was known.';
const late = 'What comes after the cut never changes the row, be it late, a correction or a retraction.';

const freshness =
  'A row is there when its cut has passed. Where a partition lags behind, it may still gain what was received before the cut.';

export const featureRows: Mart = {
  name: 'feature_rows',
  doc: `${doc} Cut: the end of the hour.`,
  grain: 'serial, hour',
  needs,
  retraction: late,
  freshness,
  columns,
  sql: rows(within('INTERVAL 0 HOUR')),
};

export const featureRowsAt: Mart = {
  name: 'feature_rows_at',
  doc: `${doc} Hours that had ended by the cut.`,
  grain: 'serial, hour',
  parameters: [time('cut', 'Latest record time that may be in a row')],
  needs,
  retraction: late,
  freshness,
  columns,
  sql: rows(atCut),
};

export const featureRowsWithin: Mart = {
  name: 'feature_rows_within',
  doc: `${doc} Cut: a delay after the end of the hour, for models that run some time later.`,
  grain: 'serial, hour',
  parameters: [
    { name: 'delay', type: 'INTERVAL', doc: 'Time after the end of the hour, for instance `INTERVAL 15 MINUTE`' },
  ],
  needs,
  retraction: late,
  freshness,
  columns,
  sql: rows(within('delay')),
};

export const featureMarts: readonly Mart[] = [featureRows, featureRowsAt, featureRowsWithin];
