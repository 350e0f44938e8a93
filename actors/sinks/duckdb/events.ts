import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { DerivedEvent } from '../../../runtime/shard/derived.ts';
import type { QueryGate } from './query.ts';
import { type PlannedColumn, quote, type TablePlan } from './schema.ts';

export interface EventsOptions {
  /** Name of a derived type; absent: all. */
  readonly type?: string;
  /** Only events before: an RFC 3339 time (exclusive), or `TIME/EVENT_ID` of the last event of the page before. */
  readonly before?: string;
  /** 1..1000 */
  readonly limit: number;
}

const maxEvents = 1_000;

/**
 * Derived events of an asset over all tables (every version, retractions too), newest event time first, then by
 * descending event id. Throws `sql_refused` for an unknown type or a bad `before`.
 */
export async function newestEvents(
  gate: QueryGate,
  plans: readonly TablePlan[],
  serial: string,
  options: EventsOptions,
): Promise<DerivedEvent[]> {
  const limit = Math.min(Math.max(1, Math.trunc(options.limit) || 1), maxEvents);
  const asked = options.type === undefined ? plans : plans.filter((plan) => plan.type.name === options.type);
  if (asked.length === 0) throw refused(`there is no derived type ${JSON.stringify(options.type)}`);
  const before = parseBefore(options.before);
  const found: DerivedEvent[] = [];
  for (const plan of asked) found.push(...(await eventsOfTable(gate, plan, serial, before, limit)));
  return found.sort(newestFirst).slice(0, limit);
}

async function eventsOfTable(
  gate: QueryGate,
  plan: TablePlan,
  serial: string,
  before: { time: string; id: string | null } | null,
  limit: number,
): Promise<DerivedEvent[]> {
  const columns = plan.columns.map((c) => quote(c.name)).join(', ');
  const parameters: unknown[] = [serial];
  let where = 'serial = $1';
  if (before !== null) {
    parameters.push(before.time);
    where += ' AND (event_time < $2::TIMESTAMPTZ';
    if (before.id !== null) {
      parameters.push(before.id);
      where += ' OR (event_time = $2::TIMESTAMPTZ AND event_id < $3)';
    }
    where += ')';
  }
  const sql = `SELECT ${columns} FROM ${quote(plan.table)} WHERE ${where} ORDER BY event_time DESC, event_id DESC LIMIT ${limit}`;
  const { rows } = await gate.query(sql, parameters, limit);
  return rows.map((row) => toEvent(plan, row));
}

/** The event as it stood in the topic; where a column is shared, the data's value stands for the envelope's too. */
function toEvent(plan: TablePlan, row: readonly unknown[]): DerivedEvent {
  const fixed: Record<string, unknown> = {};
  const data: Record<string, unknown> = {};
  plan.columns.forEach((column, i) => {
    if (column.fixed !== null) fixed[column.fixed] = row[i];
    if (column.data !== null) data[column.data] = fromCell(column, row[i]);
  });
  return {
    id: fixed.event_id as string,
    type: plan.type.name,
    serial: fixed.serial as string,
    kind: fixed.kind as string,
    siteId: fixed.site_id as string | null,
    eventTime: fixed.event_time as string,
    recordTime: fixed.record_time as string,
    key: fixed.key as string,
    version: fixed.version as number,
    op: fixed.op as DerivedEvent['op'],
    machine: fixed.machine as string,
    data: Object.fromEntries(plan.type.columns.map((field) => [field.name, data[field.name]])),
  };
}

function fromCell(column: PlannedColumn, value: unknown): unknown {
  return column.type === 'json' && typeof value === 'string' ? JSON.parse(value) : value;
}

function newestFirst(a: DerivedEvent, b: DerivedEvent): number {
  const later = Date.parse(b.eventTime) - Date.parse(a.eventTime);
  if (later !== 0) return later;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

function parseBefore(before: string | undefined): { time: string; id: string | null } | null {
  if (before === undefined) return null;
  const slash = before.indexOf('/');
  const time = Date.parse(slash < 0 ? before : before.slice(0, slash));
  if (Number.isNaN(time)) throw refused('before must be an RFC 3339 time, or TIME/EVENT_ID');
  return { time: new Date(time).toISOString(), id: slash < 0 ? null : before.slice(slash + 1) };
}

function refused(message: string): GridfoldError {
  return new GridfoldError('sql_refused', 'fix-configuration', message);
}
