import type { DerivedData } from '../../runtime/shard/derived.ts';
import { fieldPlace, isBattery, METERS } from './fields.ts';
import { covers, lastStays, memberOf, newest, operationAt, timeOf } from './members.ts';
import type { Row } from './series.ts';
import { type Member, MINUTE_MS, type PlaceSide, type Stay } from './state.ts';

/** A member as it stood at the end of a minute. */
export interface Standing {
  readonly stay: Stay;
  readonly member: Member | null;
  /** Its newest values of this stay; null where it told none yet. */
  readonly row: Row | null;
  readonly ageMs: number;
  readonly fresh: boolean;
}

/** The expected members as of the end of a minute: those whose stay lasts then; of an asset with several, the last. */
export function standingAt(side: PlaceSide, minute: number): Standing[] {
  const end = (minute + 1) * MINUTE_MS;
  const standing: Standing[] = [];
  for (const stay of lastStays(side, (one) => covers(one, end))) {
    const member = memberOf(side, stay.serial);
    const known = member === null ? null : newest(member, minute);
    const row = known !== null && timeOf(known) >= stay.from ? known : null;
    const ageMs = row === null ? Number.NaN : end - timeOf(row);
    standing.push({ stay, member, row, ageMs, fresh: row !== null && ageMs <= row.rows[row.at + 3] });
  }
  return standing;
}

/** The newest value of a field, fresh or not; NaN where it is not known. */
export function toldOf({ stay, row }: Standing, name: string): number {
  const place = fieldPlace(stay.kind, name);
  return row === null || place < 0 ? Number.NaN : row.rows[row.at + place];
}

/**
 * Whether the minute has a row: a member spoke, joined, left or went stale in it. Before the first reading of all
 * there is nothing to sum, so who came and went then makes no row, in whatever order the two are told.
 */
export function happened(side: PlaceSide, minute: number): boolean {
  for (const stay of side.stays) {
    if (stay.gone) continue;
    const moves = minuteOf(stay.from) === minute || (stay.to !== null && minuteOf(stay.to) === minute);
    if (moves && minute >= minuteOf(begin(side))) return true;
    if (stay.from >= (minute + 1) * MINUTE_MS) continue;
    const member = memberOf(side, stay.serial);
    const row = member === null ? null : newest(member, minute);
    if (row === null) continue;
    const at = timeOf(row);
    if (at < stay.from || (stay.to !== null && at >= stay.to)) continue;
    if (row.rows[row.at] === minute) return true;
    const staleAt = at + row.rows[row.at + 3];
    const inTime = stay.to === null || staleAt < stay.to;
    if (minuteOf(staleAt) === minute && inTime && isOver(side, member as Member, at, minute)) return true;
  }
  return false;
}

/** Time of the first reading of all. */
function begin({ members }: PlaceSide): number {
  return members.reduce((at, { firstAt }) => Math.min(at, firstAt), Number.POSITIVE_INFINITY);
}

/** Whether it is certain that nothing came until then: somebody told a later time, or the silence itself was told. */
function isOver(side: PlaceSide, member: Member, at: number, minute: number): boolean {
  if (minute <= minuteOf(side.clock)) return true;
  return member.intervals.some((i) => i.type === 'data_gap' && i.from === at && !i.gone);
}

/** The minute in which a member goes stale after a row of values. */
export function staleMinute(row: Row): number {
  return minuteOf(timeOf(row) + row.rows[row.at + 3]);
}

export function minuteOf(time: number): number {
  return Math.floor(time / MINUTE_MS);
}

/** Data of the site's row of a minute. */
export function rollupAt(side: PlaceSide, minute: number): DerivedData {
  const all = standingAt(side, minute);
  const fresh = all.filter((s) => s.fresh);
  const of = (kind: string) => fresh.filter((s) => s.stay.kind === kind);
  const batteries = fresh.filter((s) => isBattery(s.stay.kind));
  const gateway = gatewayOf(fresh);
  const meter = (name: string) => (gateway === null ? null : orNull(toldOf(gateway, name)));
  const chargingW = sum(of('supercharger'), 'powerW');
  const ages = all.filter((s) => s.row !== null).map((s) => s.ageMs);
  return {
    minute: minute * MINUTE_MS,
    membersExpected: all.length,
    membersFresh: fresh.length,
    oldestAgeMs: ages.length === 0 ? null : ages.reduce((a, b) => Math.max(a, b)),
    powerW: sum(fresh, 'powerW'),
    ...boundsOf(all),
    batteryW: sum(batteries, 'powerW'),
    solarW: meter('solarW') ?? sum(of('inverter'), 'powerW'),
    chargingW: chargingW === null ? null : 0 - chargingW,
    loadW: meter('loadW'),
    gridW: meter('siteW'),
    setpointW: sum(batteries, 'setpointW'),
    availableChargeW: sum(batteries, 'availableChargeW'),
    availableDischargeW: sum(batteries, 'availableDischargeW'),
    ...energyOf(batteries),
    ...stateOf(all, (minute + 1) * MINUTE_MS),
  };
}

/** The unit whose meters speak for the home: of several the one that spoke last. */
function gatewayOf(fresh: readonly Standing[]): Standing | null {
  let gateway: Standing | null = null;
  for (const one of fresh) {
    if (METERS.every((name) => Number.isNaN(toldOf(one, name)))) continue;
    if (gateway === null || one.ageMs < gateway.ageMs) gateway = one;
  }
  return gateway;
}

/** Sum over those that tell the field; null where nobody does. */
function sum(members: readonly Standing[], name: string): number | null {
  let total: number | null = null;
  for (const one of members) {
    const value = toldOf(one, name);
    if (!Number.isNaN(value)) total = (total ?? 0) + value;
  }
  return total;
}

/** What the power of all members may be: known of the fresh ones, within their limits of the others. */
function boundsOf(all: readonly Standing[]): { powerMinW: number | null; powerMaxW: number | null } {
  let low = 0;
  let high = 0;
  for (const one of all) {
    const power = one.fresh ? toldOf(one, 'powerW') : Number.NaN;
    const [least, most] = Number.isNaN(power) ? limitsOf(one) : [power, power];
    low += least;
    high += most;
  }
  return { powerMinW: finite(low), powerMaxW: finite(high) };
}

/** Within these the power of a member lies, by its plate, else by what it last said it can do. */
function limitsOf(one: Standing): readonly [least: number, most: number] {
  const { kind, ratedW } = one.stay;
  const takes = kind !== 'inverter';
  const gives = kind !== 'supercharger';
  const charge = ratedW ?? orInfinite(toldOf(one, 'availableChargeW'));
  const discharge = ratedW ?? orInfinite(toldOf(one, 'availableDischargeW'));
  return [takes ? 0 - charge : 0, gives ? discharge : 0];
}

/** Energy in the batteries, and the state of charge by capacity: of those that tell it, or all alike where nobody does. */
function energyOf(batteries: readonly Standing[]): DerivedData {
  let capacity: number | null = null;
  let remaining: number | null = null;
  let weighted = 0;
  let weight = 0;
  const socs: number[] = [];
  for (const one of batteries) {
    const told = toldOf(one, 'energyFullWh');
    const full = Number.isNaN(told) ? (one.stay.capacityWh ?? Number.NaN) : told;
    const soc = socOf(one, full);
    const left = toldOf(one, 'energyRemainingWh');
    const energy = Number.isNaN(left) ? soc * full : left;
    if (!Number.isNaN(full)) capacity = (capacity ?? 0) + full;
    if (!Number.isNaN(energy)) remaining = (remaining ?? 0) + energy;
    if (Number.isNaN(soc)) continue;
    socs.push(soc);
    if (Number.isNaN(full)) continue;
    weighted += soc * full;
    weight += full;
  }
  const mean = socs.length === 0 ? null : socs.reduce((a, b) => a + b) / socs.length;
  return {
    energyRemainingWh: remaining,
    capacityWh: capacity,
    soc: weight > 0 ? weighted / weight : mean,
    socMin: socs.length === 0 ? null : Math.min(...socs),
    socMax: socs.length === 0 ? null : Math.max(...socs),
  };
}

function socOf(one: Standing, full: number): number {
  const soc = toldOf(one, 'soc');
  return Number.isNaN(soc) && full > 0 ? toldOf(one, 'energyRemainingWh') / full : soc;
}

/** States and faults of the members at the last instant before `end`. */
function stateOf(all: readonly Standing[], end: number): DerivedData {
  const units = new Map<string, number>();
  let faultsOpen = 0;
  for (const { member } of all) {
    if (member === null) continue;
    const state = operationAt(member, end);
    if (state !== null) units.set(state, (units.get(state) ?? 0) + 1);
    for (const interval of member.intervals) if (interval.type === 'fault' && covers(interval, end)) faultsOpen++;
  }
  const unitsByState = Object.fromEntries([...units].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { unitsByState, faultsOpen };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function orInfinite(value: number): number {
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null;
}
