import type { DerivedData } from '../../runtime/shard/derived.ts';
import { type Contribution, numberAt, optional, textAt } from './contribution.ts';
import { memberFields, METERS } from './fields.ts';
import { keepMember, keepStay, memberOf, stayOf, teller, withInterval } from './members.ts';
import { minuteOf } from './rollup.ts';
import { put, rowAt } from './series.ts';
import { type Draft, type Interval, type Member, MINUTE_MS, QUARTER_MS, type Stay } from './state.ts';

/** What a contribution changed in what is known; nothing where it was known, or comes too late. */
export type Change =
  | { readonly what: 'stay'; readonly stay: Stay; readonly old: Stay | null }
  | { readonly what: 'values'; readonly member: Member; readonly minute: number; readonly before: Member }
  | { readonly what: 'energy'; readonly member: Member; readonly quarter: number }
  | { readonly what: 'interval'; readonly member: Member; readonly interval: Interval; readonly old: Interval | null }
  | { readonly what: 'first'; readonly member: Member };

/** Puts a contribution in its place. Newer versions win whatever the order in which they come. */
export function apply(draft: Draft, c: Contribution): Change[] {
  switch (c.type) {
    case 'slot_occupancy':
      return applyStay(draft, c);
    case 'member_state':
      return applyValues(draft, c);
    case 'energy_interval':
      return applyEnergy(draft, c, 'energy', ['inWh', 'outWh', 'coverage']);
    case 'meter_interval':
      return applyEnergy(draft, c, 'meter', ['loadWh', 'solarWh', 'importWh', 'exportWh', 'coverage']);
    case 'state_interval':
      return c.data.region === 'operation' ? applyInterval(draft, c, 'fromTime', 'toTime') : [];
    case 'fault':
      return applyInterval(draft, c, 'openedTime', 'closedTime');
    case 'data_gap':
      return c.data.class === 'silent' ? applyInterval(draft, c, 'fromTime', 'toTime') : [];
    case 'grid_event':
    case 'site_grid_event':
      return applyInterval(draft, c, 'fromTime', 'toTime');
    case 'site_rollup':
      return applySite(draft, c);
    default:
      return [];
  }
}

function applyStay(draft: Draft, c: Contribution): Change[] {
  const stay = stayOf(c);
  if (Number.isNaN(stay.from)) return refuse(draft);
  draft.clock = Math.max(draft.clock, stay.from, stay.to ?? 0);
  const old = draft.stays.find(({ key, serial }) => key === stay.key && serial === stay.serial) ?? null;
  return keepStay(draft, stay) ? [{ what: 'stay', stay, old }] : [];
}

function applyValues(draft: Draft, c: Contribution): Change[] {
  const at = numberAt(c.data, 'at');
  const start = numberAt(c.data, 'minute');
  const staleAfterMs = numberAt(c.data, 'staleAfterMs');
  if (!(at >= start && at < start + MINUTE_MS && staleAfterMs >= 0)) return refuse(draft);
  draft.clock = Math.max(draft.clock, at);
  const known = teller(draft, c);
  const values = (c.data.values ?? {}) as DerivedData;
  const names = memberFields[known.kind] ?? [];
  const before: Member = {
    ...known,
    firstAt: Math.min(known.firstAt, at),
    meters: known.meters || METERS.some((name) => typeof values[name] === 'number'),
  };
  const changes: Change[] = [];
  if (before.firstAt !== known.firstAt || before.meters !== known.meters)
    changes.push({ what: 'first', member: before });
  const minute = minuteOf(start);
  const old = rowAt(before.minutes, minute);
  const tooLate = minute < draft.floor;
  if (tooLate) draft.refused += 1;
  if (tooLate || isOlder(old, c.version)) {
    if (changes.length > 0) keepMember(draft, before);
    return changes;
  }
  const version = c.op === 'upsert' ? c.version : -c.version;
  const row = [minute, version, at - start, staleAfterMs, ...names.map((name) => numberAt(values, name))];
  const member = { ...before, minutes: put(before.minutes, row, c.arrivedAt) };
  keepMember(draft, member);
  return [...changes, { what: 'values', member, minute, before }];
}

/** A row of a site: what it says holds until the next one, however long that takes. */
function applySite(draft: Draft, c: Contribution): Change[] {
  const start = numberAt(c.data, 'minute');
  if (Number.isNaN(start)) return refuse(draft);
  draft.clock = Math.max(draft.clock, start);
  const minute = minuteOf(start);
  const before = teller(draft, c);
  if (minute < draft.floor) return refuse(draft);
  if (isOlder(rowAt(before.minutes, minute), c.version)) return [];
  const version = c.op === 'upsert' ? c.version : -c.version;
  const row = [
    minute,
    version,
    0,
    Number.POSITIVE_INFINITY,
    ...memberFields.site.map((name) => numberAt(c.data, name)),
  ];
  const member = { ...before, minutes: put(before.minutes, row, c.arrivedAt) };
  keepMember(draft, member);
  return [{ what: 'values', member, minute, before }];
}

function isOlder(old: { rows: readonly number[]; at: number } | null, version: number): boolean {
  return old !== null && Math.abs(old.rows[old.at + 1]) >= version;
}

function applyEnergy(draft: Draft, c: Contribution, of: 'energy' | 'meter', names: readonly string[]): Change[] {
  const start = numberAt(c.data, 'startTime');
  const quarter = start / QUARTER_MS;
  if (!Number.isInteger(quarter) || numberAt(c.data, 'lengthS') * 1000 !== QUARTER_MS) return refuse(draft);
  const known = teller(draft, c);
  const before = of === 'meter' ? { ...known, meters: true } : known;
  const changes: Change[] = before.meters === known.meters ? [] : [{ what: 'first', member: before }];
  if (changes.length > 0) keepMember(draft, before);
  if (start < draft.floor * MINUTE_MS) {
    draft.refused += 1;
    return changes;
  }
  if (isOlder(rowAt(before[of], quarter), c.version)) return changes;
  const version = c.op === 'upsert' ? c.version : -c.version;
  const row = [quarter, version, ...names.map((name) => numberAt(c.data, name))];
  const member = { ...before, [of]: put(before[of], row, c.arrivedAt) };
  keepMember(draft, member);
  return [...changes, { what: 'energy', member, quarter }];
}

function applyInterval(draft: Draft, c: Contribution, start: string, end: string): Change[] {
  const from = numberAt(c.data, start);
  const to = optional(c.data, end);
  if (Number.isNaN(from)) return refuse(draft);
  const interval: Interval = {
    type: c.type,
    key: c.key,
    version: c.version,
    gone: c.op === 'retract',
    from,
    to,
    word: textAt(c.data, 'state') ?? '',
    data: c.type === 'grid_event' || c.type === 'site_grid_event' ? { ...c.data } : null,
  };
  const known = memberOf(draft, c.serial);
  const kept = withInterval(known ?? teller(draft, c), interval);
  if (kept === undefined) return [];
  if (kept.old === null && to !== null && to < draft.floor * MINUTE_MS) return refuse(draft);
  keepMember(draft, kept.member);
  return [{ what: 'interval', member: kept.member, interval, old: kept.old }];
}

/** Counted, and nothing else. */
function refuse(draft: Draft): Change[] {
  draft.refused += 1;
  return [];
}
