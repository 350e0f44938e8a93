import type { Facts } from '../../runtime/shard/derived.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import { apply, type Change } from './apply.ts';
import type { Contribution } from './contribution.ts';
import { holds, newest } from './members.ts';
import { minuteOf, staleMinute } from './rollup.ts';
import { doubt, openWaiting, sayWaiting, settle, type Table } from './rows.ts';
import { firstAt, lastAt, type Row, rowAt, rowsBetween } from './series.ts';
import { readPlace, type Draft, type Interval, type Member, MINUTE_MS, type PlaceAsset, QUARTER_MS } from './state.ts';
import { sweep } from './sweep.ts';

const MINUTES_PER_QUARTER = QUARTER_MS / MINUTE_MS;

/** How a kind of place folds its members. */
export interface PlacePlan {
  readonly rollup: Table;
  /** Null: no rows of energy. */
  readonly energy: Table | null;
  /** Says what is no table of rows, after a contribution changed something, or time went on from `clock`. */
  derive(draft: Draft, changes: readonly Change[], touched: Touched, clock: number, serial: string, out: Facts): void;
}

/** Minutes in which fresh values, states or the members themselves may be others than before; both included. */
export interface Touched {
  from: number;
  to: number;
}

/** A turn of an actor that folds members: everything is computed first and written last, so that a throw changes nothing. */
export function foldPlace(asset: PlaceAsset, reading: Reading, plan: PlacePlan, out: Facts): void {
  const c = reading.content as Contribution;
  const { serial } = asset;
  const draft: Draft = { ...readPlace(asset) };
  const { clock } = draft;
  const changes = apply(draft, c);
  const touched: Touched = { from: Number.POSITIVE_INFINITY, to: 0 };
  const turn: TurnOf = { draft, plan, touched, serial, out };
  for (const change of changes) follow(turn, change);
  if (minuteOf(draft.clock) !== minuteOf(clock)) passTime(turn, clock);
  plan.derive(draft, changes, touched, clock, serial, out);
  if (c.type === 'member_state' || c.type === 'site_rollup') ride(turn, minuteOf(c.eventTime));
  sweep(draft, c.arrivedAt, clock, (minute) => sayBefore(turn, minute));
  asset.writeSide(draft);
  asset.lastDeviceTime = draft.clock;
  asset.lastReceiveTime = Math.max(asset.lastReceiveTime, reading.receiveTime);
}

/** States the rows that wait. */
export function openPlace(asset: PlaceAsset, { rollup, energy }: PlacePlan, out: Facts): void {
  const side = readPlace(asset);
  openWaiting(side.rollups, rollup, side, asset.serial, out);
  if (energy !== null) openWaiting(side.energies, energy, side, asset.serial, out);
}

interface TurnOf {
  readonly draft: Draft;
  readonly plan: PlacePlan;
  readonly touched: Touched;
  readonly serial: string;
  readonly out: Facts;
}

/** Which rows a change touches: those that come or go, and those whose data may differ. */
function follow(turn: TurnOf, change: Change): void {
  const { draft } = turn;
  switch (change.what) {
    case 'stay': {
      restate(turn, change.stay.serial);
      const { stay, old } = change;
      const times = [stay.from, old?.from ?? stay.from, stay.to ?? stay.from, old?.to ?? stay.from];
      const from = onlyLeft(change) ? Math.min(stay.to ?? Infinity, old?.to ?? Infinity) : Math.min(...times);
      doubtMinutes(turn, minuteOf(from) - 1, Number.POSITIVE_INFINITY);
      touch(turn, minuteOf(from) - 1, Number.POSITIVE_INFINITY);
      const quarter = Math.max(Math.floor(from / QUARTER_MS), draft.floor / MINUTES_PER_QUARTER);
      draft.energies = doubt(draft.energies, quarter, Number.POSITIVE_INFINITY);
      return;
    }
    case 'values': {
      const { minute, member, before } = change;
      // A minute to come has a row only where the member's silence was told already.
      const silent = member.intervals.some(({ type, gone }) => type === 'data_gap' && !gone);
      const mayBeOver = (m: number) => silent || m <= minuteOf(draft.clock) || rowAt(draft.rollups.known, m) !== null;
      const next = firstAt(member.minutes, minute + 1, holds);
      const around = [lastAt(member.minutes, minute - 1, holds), rowOf(before, minute), rowOf(member, minute)];
      settleMinutes(turn, [
        minute,
        ...around
          .filter((row) => row !== null)
          .map(staleMinute)
          .filter(mayBeOver),
      ]);
      const to = next === null ? Number.POSITIVE_INFINITY : next.rows[next.at] - 1;
      doubtMinutes(turn, minute, to);
      touch(turn, minute, Math.min(to, ...around.filter((row) => row !== null).map(staleMinute)));
      return;
    }
    case 'energy':
      settleQuarter(turn, change.quarter);
      draft.energies = doubt(draft.energies, change.quarter, change.quarter);
      return;
    case 'interval': {
      if (change.interval.type === 'data_gap') settleSilence(turn, change.member, change.interval);
      if (change.interval.type !== 'fault' && change.interval.type !== 'state_interval') return;
      const [from, to] = changedSpan(change.interval, change.old);
      const end = minuteOf(change.interval.type === 'fault' ? to : Math.max(to, nextState(change.member, from)));
      doubtMinutes(turn, minuteOf(from) - 1, end);
      touch(turn, minuteOf(from) - 1, end);
      return;
    }
    case 'first':
      settleMinutes(turn, moves(draft));
      return;
  }
}

/** The rows of these minutes are to be said anew. */
function doubtMinutes({ draft }: TurnOf, from: number, to: number): void {
  draft.rollups = doubt(draft.rollups, Math.max(from, draft.floor), to);
}

function touch({ touched }: TurnOf, from: number, to: number): void {
  touched.from = Math.min(touched.from, from);
  touched.to = Math.max(touched.to, to);
}

function onlyLeft({ stay, old }: Extract<Change, { what: 'stay' }>): boolean {
  if (old === null || stay.gone || old.gone) return false;
  return JSON.stringify({ ...stay, version: 0, to: 0 }) === JSON.stringify({ ...old, version: 0, to: 0 });
}

/** The time in which the newer version of an interval says something else than the older one. */
function changedSpan(interval: Interval, old: Interval | null): readonly [from: number, to: number] {
  const end = (i: Interval) => i.to ?? Number.POSITIVE_INFINITY;
  if (old === null || old.gone !== interval.gone || old.from !== interval.from || old.word !== interval.word)
    return [Math.min(interval.from, old?.from ?? interval.from), Math.max(end(interval), end(old ?? interval))];
  return [Math.min(end(old), end(interval)), Math.max(end(old), end(interval))];
}

/** Up to the next one that begins, a state decides alone: even when it is over, what began before it does not count. */
function nextState({ states }: Member, from: number): number {
  return states.find((i) => !i.gone && i.from > from)?.from ?? Number.POSITIVE_INFINITY;
}

/** Minutes in which members came or left. */
function moves({ stays }: Draft): number[] {
  return stays.flatMap(({ from, to }) => (to === null ? [minuteOf(from)] : [minuteOf(from), minuteOf(to)]));
}

/** Another stay changes which rows of its member count. */
function restate(turn: TurnOf, serial: string): void {
  const { draft } = turn;
  const minutes = new Set<number>(moves(draft));
  const quarters = new Set<number>();
  for (const { rows, at } of rowsBetween(draft.rollups.known, 0, Infinity)) minutes.add(rows[at]);
  for (const { rows, at } of rowsBetween(draft.energies.known, 0, Infinity)) quarters.add(rows[at]);
  const member = draft.members.find((m) => m.serial === serial);
  if (member !== undefined) {
    for (const row of rowsBetween(member.minutes, 0, Infinity)) {
      minutes.add(row.rows[row.at]);
      minutes.add(staleMinute(row));
    }
    for (const table of [member.energy, member.meter])
      for (const { rows, at } of rowsBetween(table, 0, Infinity)) quarters.add(rows[at]);
  }
  settleMinutes(turn, [...minutes]);
  for (const quarter of quarters) settleQuarter(turn, quarter);
}

/** Members that fell silent go stale as time goes on. */
function passTime(turn: TurnOf, clock: number): void {
  const { draft } = turn;
  const from = minuteOf(clock);
  const to = minuteOf(draft.clock);
  const stale: number[] = [];
  for (const member of draft.members) {
    const row = newest(member, Number.POSITIVE_INFINITY);
    if (row === null) continue;
    const minute = staleMinute(row);
    if (minute > from && minute <= to) stale.push(minute);
  }
  settleMinutes(turn, stale);
}

/** A silence that was told makes sure that its member is stale by then. */
function settleSilence(turn: TurnOf, member: Member, gap: Interval): void {
  const row = newest(member, minuteOf(gap.from));
  if (row !== null) settleMinutes(turn, [staleMinute(row)]);
}

function settleMinutes(turn: TurnOf, minutes: readonly number[]): void {
  const { draft, plan, serial, out } = turn;
  for (const minute of minutes) {
    if (minute < draft.floor) continue;
    const { known } = draft.rollups;
    draft.rollups = settle(draft.rollups, plan.rollup, draft, minute, serial, out);
    if (draft.rollups.known !== known) touch(turn, minute, minute);
  }
}

function settleQuarter({ draft, plan, serial, out }: TurnOf, quarter: number): void {
  if (plan.energy !== null && quarter >= draft.floor / MINUTES_PER_QUARTER)
    draft.energies = settle(draft.energies, plan.energy, draft, quarter, serial, out);
}

/** A contribution to another minute than the one before: what lies before it is said. */
function ride(turn: TurnOf, minute: number): void {
  if (minute === turn.draft.wave) return;
  turn.draft.wave = minute;
  sayBefore(turn, minute);
}

function sayBefore({ draft, plan, serial, out }: TurnOf, minute: number): void {
  draft.rollups = sayWaiting(draft.rollups, plan.rollup, draft, minute, serial, out);
  const quarter = Math.floor(minute / MINUTES_PER_QUARTER);
  if (plan.energy !== null) draft.energies = sayWaiting(draft.energies, plan.energy, draft, quarter, serial, out);
}

function rowOf({ minutes }: Member, minute: number): Row | null {
  const row = lastAt(minutes, minute, holds);
  return row !== null && row.rows[row.at] === minute ? row : null;
}
