import { quote, type TablePlan } from './schema.ts';

/** Internal views that the `_current` views and the marts join; they read tables only, so nothing recurses. */
export const occupancyView = 'gridfold_occupancies';
export const serviceView = 'gridfold_service';

/**
 * Newest version of each fact. A fact belongs to the actor that says it, so versions are compared within one serial
 * and key: nobody retracts another actor's rows. The offset decides between equal versions.
 */
export function newest(table: string, where = ''): string {
  return `SELECT * FROM ${quote(table)} ${where}
    QUALIFY row_number() OVER (PARTITION BY key, serial ORDER BY version DESC, "offset" DESC, ordinal DESC, topic DESC) = 1`;
}

/**
 * Start of the next interval of the same asset. An interval is joined up to its end or that start, whichever comes
 * first, so that no instant lies in two.
 */
const following = `coalesce(lead(from_time) OVER (PARTITION BY serial ORDER BY from_time, version, key), TIMESTAMPTZ 'infinity') AS following`;
const proper = `op = 'upsert' AND from_time IS NOT NULL AND (to_time IS NULL OR to_time > from_time)`;

/** What the record of an installation says besides; tables of older releases lack some of it. */
const installation = {
  replaces: 'VARCHAR',
  cabinet: 'VARCHAR',
  region: 'VARCHAR',
  model: 'VARCHAR',
  capacity_wh: 'DOUBLE',
  time_zone: 'VARCHAR',
};

/**
 * Which slot an asset held from when until when, and what was told of it; without the table the view is there and
 * empty.
 */
export function createOccupancyView(plans: readonly TablePlan[]): string {
  const known = joinsOf(plans).occupancies ? plans.find((p) => p.table === 'slot_occupancies') : undefined;
  const besides = Object.entries(installation).map(([name, type]) =>
    known?.columns.some((c) => c.name === name) ? name : `NULL::${type} AS ${name}`,
  );
  const source =
    known === undefined
      ? `SELECT NULL::VARCHAR AS serial, NULL::VARCHAR AS site_id, NULL::VARCHAR AS slot, NULL::BIGINT AS install_epoch,
          NULL::TIMESTAMPTZ AS from_time, NULL::TIMESTAMPTZ AS to_time, NULL::TIMESTAMPTZ AS following WHERE false`
      : `SELECT *, ${following} FROM (${newest('slot_occupancies')}) WHERE ${proper}`;
  return `CREATE OR REPLACE VIEW ${occupancyView} AS
  SELECT serial, site_id, slot, install_epoch, from_time,
    least(coalesce(to_time, TIMESTAMPTZ 'infinity'), following) AS until, ${besides.join(', ')}
  FROM (${source})`;
}

/**
 * Whether an asset was in service from when until when, and in which lifecycle state. What the intervals leave out
 * (before the first, between two, after the last) is not in service and has no state; an asset without lifecycle
 * intervals has no row here, and nobody has one without the table.
 */
export function createServiceView(plans: readonly TablePlan[]): string {
  const source = joinsOf(plans).service
    ? `SELECT *, ${following} FROM (${newest('state_intervals', `WHERE region = 'lifecycle'`)}) WHERE ${proper}`
    : `SELECT NULL::VARCHAR AS serial, NULL::VARCHAR AS kind, NULL::VARCHAR AS state, NULL::TIMESTAMPTZ AS from_time, NULL::TIMESTAMPTZ AS to_time,
        NULL::TIMESTAMPTZ AS following WHERE false`;
  return `CREATE OR REPLACE VIEW ${serviceView} AS
  WITH told AS (
    SELECT serial, kind, from_time, following, state, least(coalesce(to_time, TIMESTAMPTZ 'infinity'), following) AS until
    FROM (${source})
  )
  SELECT serial, kind, state, lower(state) = 'inservice' AS in_service, from_time, until FROM told
  UNION ALL
  SELECT serial, kind, NULL, false, until, following FROM told WHERE until < following
  UNION ALL
  SELECT serial, any_value(kind), NULL, false, TIMESTAMPTZ '-infinity', min(from_time) FROM told GROUP BY serial`;
}

/** Which of the joined tables a sink has. */
export interface Joins {
  readonly occupancies: boolean;
  readonly service: boolean;
}

export function joinsOf(plans: readonly TablePlan[]): Joins {
  const has = (table: string, columns: readonly string[]) => {
    const plan = plans.find((p) => p.table === table);
    return plan !== undefined && columns.every((name) => plan.columns.some((c) => c.name === name));
  };
  return {
    occupancies: has('slot_occupancies', ['slot', 'install_epoch', 'from_time', 'to_time']),
    service: has('state_intervals', ['region', 'state', 'from_time', 'to_time']),
  };
}

/**
 * `TABLE_current`: newest version of each fact without the retracted ones, with `site_id`, `slot`, `install_epoch` and
 * `in_service` as of the event time. What the type's own data says of them stands.
 */
export function createCurrentView(plan: TablePlan, joins: Joins): string {
  const own = new Map(plan.columns.map((c) => [c.name, c]));
  const told = own.get('site_id')?.data !== null;
  const preferred = told ? 'n.site_id, o.site_id' : 'o.site_id, n.site_id';
  const site = joins.occupancies ? `coalesce(${preferred}) AS site_id` : 'n.site_id';
  const columns = plan.columns.map((c) => (c.name === 'site_id' ? site : `n.${quote(c.name)}`));
  const joined = {
    slot: joins.occupancies ? 'o.slot' : 'NULL::VARCHAR',
    in_service: joins.service ? 'coalesce(s.in_service, true)' : 'true',
    install_epoch: joins.occupancies ? 'o.install_epoch' : 'NULL::BIGINT',
  };
  for (const [name, expression] of Object.entries(joined)) {
    if (!own.has(name)) columns.push(`${expression} AS ${name}`);
  }
  const asOf = (alias: string) =>
    `${alias}.serial = n.serial AND n.event_time >= ${alias}.from_time AND n.event_time < ${alias}.until`;
  return `CREATE OR REPLACE VIEW ${quote(`${plan.table}_current`)} AS
  WITH newest AS (${newest(plan.table)})
  SELECT ${columns.join(', ')}
  FROM newest n
  ${joins.occupancies ? `LEFT JOIN ${occupancyView} o ON ${asOf('o')}` : ''}
  ${joins.service ? `LEFT JOIN ${serviceView} s ON ${asOf('s')}` : ''}
  WHERE n.op = 'upsert'`;
}

/** Statements that make the `_current` views, and the internal views under them. */
export function createViews(plans: readonly TablePlan[]): string[] {
  const joins = joinsOf(plans);
  return [createOccupancyView(plans), createServiceView(plans), ...plans.map((plan) => createCurrentView(plan, joins))];
}
