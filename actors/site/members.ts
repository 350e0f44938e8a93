import { type Contribution, numberAt, optional, textAt } from './contribution.ts';
import { memberFields } from './fields.ts';
import { lastAt, type Row, rowAt, type Series } from './series.ts';
import { type Draft, type Interval, type Member, MINUTE_MS, newMember, type PlaceSide, type Stay } from './state.ts';

/** Index of a member, or `~index` of the place where it belongs. */
function search(members: readonly Member[], serial: string): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (members[middle].serial < serial) low = middle + 1;
    else high = middle;
  }
  return low < members.length && members[low].serial === serial ? low : ~low;
}

export function memberOf(side: PlaceSide, serial: string): Member | null {
  const i = search(side.members, serial);
  return i < 0 ? null : side.members[i];
}

/** The member that tells; a new one where it never told anything. */
export function teller(side: PlaceSide, { serial, kind }: Contribution): Member {
  return memberOf(side, serial) ?? newMember(serial, kind, (memberFields[kind] ?? []).length);
}

export function keepMember(draft: Draft, member: Member): void {
  const members = draft.members.slice();
  const i = search(members, member.serial);
  if (i < 0) members.splice(~i, 0, member);
  else members[i] = member;
  draft.members = members;
}

export function stayOf({ serial, kind, key, version, op, data }: Contribution): Stay {
  return {
    key,
    version,
    gone: op === 'retract',
    siteId: textAt(data, 'siteId') ?? '',
    serial,
    kind,
    slot: textAt(data, 'slot') ?? '',
    from: numberAt(data, 'fromTime'),
    to: optional(data, 'toTime'),
    ratedW: optional(data, 'ratedW'),
    capacityWh: optional(data, 'capacityWh'),
    cadenceS: optional(data, 'cadenceS'),
    timeZone: textAt(data, 'timeZone'),
    region: textAt(data, 'region'),
    limitW: optional(data, 'cabinetLimitW'),
  };
}

/** Puts a stay in place of its older version. False: what is known is as new. */
export function keepStay(draft: Draft, stay: Stay): boolean {
  const i = draft.stays.findIndex(({ key, serial }) => key === stay.key && serial === stay.serial);
  if (i >= 0 && draft.stays[i].version >= stay.version) return false;
  const stays = draft.stays.filter((_, k) => k !== i);
  stays.push(stay);
  stays.sort((a, b) => a.from - b.from || compare(a.slot, b.slot) || compare(a.serial, b.serial));
  draft.stays = stays;
  return true;
}

/** Puts an interval in place of its older version, which is returned; undefined: what is known is as new. */
export function withInterval(member: Member, interval: Interval): { member: Member; old: Interval | null } | undefined {
  const list = interval.type === 'state_interval' ? 'states' : 'intervals';
  const known = member[list];
  const i = known.findLastIndex(({ key, type }) => key === interval.key && type === interval.type);
  const old = i < 0 ? null : known[i];
  if (old !== null && old.version >= interval.version) return undefined;
  const next = i < 0 ? known.slice() : known.toSpliced(i, 1);
  let at = next.length;
  while (at > 0 && (next[at - 1].from - interval.from || compare(next[at - 1].key, interval.key)) > 0) at--;
  next.splice(at, 0, interval);
  return { member: { ...member, [list]: next }, old };
}

/** State of region operation at the last instant before `end`: the one that began last, if it lasted; null where none did. */
export function operationAt({ states }: Member, end: number): string | null {
  let i = states.length - 1;
  while (i >= 0 && (states[i].gone || states[i].from >= end)) i = before(states, i, end);
  return i >= 0 && covers(states[i], end) ? states[i].word : null;
}

/** Steps back in `states`, over all that begin at `end` or later at once. */
function before(states: readonly Interval[], last: number, end: number): number {
  if (states[last].from < end) return last - 1;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (states[middle].from < end) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The stays that are asked for, of each asset the last one, in order. */
export function lastStays(side: PlaceSide, wanted: (stay: Stay) => boolean): Stay[] {
  const last = new Map<string, Stay>();
  for (const stay of side.stays) {
    if (!wanted(stay)) continue;
    last.delete(stay.serial);
    last.set(stay.serial, stay);
  }
  return [...last.values()];
}

/** Whether the stay lasts at the last instant before `end`. */
export function covers({ from, to, gone }: Stay | Interval, end: number): boolean {
  return !gone && from < end && (to === null || to >= end);
}

/** Whether the stay has an instant in common with `[from, to)`. */
export function touches(stay: Stay | Interval, from: number, to: number): boolean {
  return !stay.gone && stay.from < to && (stay.to === null || stay.to > from);
}

export const holds = (rows: readonly number[], at: number): boolean => rows[at + 1] > 0;

/** The newest row of a member at the end of a minute. */
export function newest({ minutes }: Member, minute: number): Row | null {
  return lastAt(minutes, minute, holds);
}

/** Device time of a row of values. */
export function timeOf({ rows, at }: Row): number {
  return rows[at] * MINUTE_MS + rows[at + 2];
}

/** A row that holds at exactly this place. */
export function heldAt(of: Series, place: number): Row | null {
  const row = rowAt(of, place);
  return row !== null && holds(row.rows, row.at) ? row : null;
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
