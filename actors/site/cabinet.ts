import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import type { Kind } from '../../runtime/shard/contract.ts';
import type { DerivedData, Facts } from '../../runtime/shard/derived.ts';
import type { Change } from './apply.ts';
import { cabinetInhibit, cabinetInterval, cabinetOverallocation, cabinetRollup } from './facts.ts';
import { operationAt } from './members.ts';
import { foldPlace, openPlace, type PlacePlan, type Touched } from './place.ts';
import { happened, minuteOf, type Standing, standingAt, toldOf } from './rollup.ts';
import type { Table } from './rows.ts';
import { type Run, runsOf } from './runs.ts';
import { sayOnly } from './said.ts';
import { lastAt, put, remove, rowAt, rowCount, rowsBetween, type Series, without } from './series.ts';
import { cabinetState, type Draft, MINUTE_MS, type PlaceAsset, type PlaceSide, readPlace, type Said } from './state.ts';
import { placeView } from './view.ts';

/** States of a cabinet as its stalls show them (domain: "Supercharger stall + cabinet"). */
export const CABINET_STATES = ['Off', 'Standby', 'Supplying', 'Derated', 'Faulted'] as const;
type CabinetState = (typeof CABINET_STATES)[number];

/** A cabinet gives less than its limit, though more is wanted, when it offers less than this share of it. */
const DERATED_SHARE = 0.95;
/** Out of use, whatever the stall itself says is the reason. */
const OUT_OF_USE = ['unavailable', 'faulted'];
/** One stall that is out of use says nothing about its cabinet. */
const FEWEST_STALLS = 2;

const rollup: Table = {
  type: cabinetRollup,
  lengthMs: MINUTE_MS,
  exists: happened,
  data: cabinetAt,
  name: (minute) => ({ minute }),
  key: (serial, start) => `${serial}/${iso(start)}`,
};

const plan: PlacePlan = { rollup, energy: null, derive };

/** Data of the cabinet's row of a minute. */
export function cabinetAt(side: PlaceSide, minute: number): DerivedData {
  const stalls = standingAt(side, minute);
  const fresh = stalls.filter((stall) => stall.fresh);
  const states = stalls.map((stall) => stateOf(stall, (minute + 1) * MINUTE_MS));
  const units = [...new Set(states)].sort().map((state) => [state, states.filter((s) => s === state).length]);
  const limits = stalls.map(({ stay }) => stay.limitW).filter((limit) => limit !== null);
  const limitW = limits.length === 0 ? null : Math.max(...limits);
  const offeredW = sum(fresh, 'offeredW');
  const requestedW = sum(fresh, 'requestedW');
  const powerW = sum(fresh, 'powerW');
  return {
    minute: minute * MINUTE_MS,
    stallsExpected: stalls.length,
    stallsFresh: fresh.length,
    powerW,
    offeredW,
    requestedW,
    limitW,
    state: cabinetStateOf(states, { offeredW, requestedW, limitW }),
    stallsByState: Object.fromEntries(units),
  };
}

/** Operation state of a stall, as last known where it is silent. */
function stateOf({ member }: Standing, end: number): string {
  return (member === null ? null : operationAt(member, end)) ?? 'unknown';
}

function sum(stalls: readonly Standing[], name: string): number | null {
  const values = stalls.map((stall) => toldOf(stall, name)).filter((value) => !Number.isNaN(value));
  return values.length === 0 ? null : values.reduce((a, b) => a + b);
}

interface Power {
  readonly offeredW: number | null;
  readonly requestedW: number | null;
  readonly limitW: number | null;
}

function cabinetStateOf(states: readonly string[], power: Power): CabinetState {
  if (states.length >= FEWEST_STALLS && states.every((state) => OUT_OF_USE.includes(state)))
    return states.includes('faulted') ? 'Faulted' : 'Off';
  if (!states.includes('charging')) return 'Standby';
  const { offeredW, requestedW, limitW } = power;
  const wanting = offeredW !== null && requestedW !== null && offeredW < requestedW;
  return wanting && limitW !== null && offeredW < DERATED_SHARE * limitW ? 'Derated' : 'Supplying';
}

/** Notes what the touched minutes show, and says the runs of minutes that show the same. */
function derive(
  draft: Draft,
  _changes: readonly Change[],
  touched: Touched,
  _clock: number,
  serial: string,
  out: Facts,
): void {
  if (touched.from > touched.to || !note(draft, touched)) return;
  sayOnly(draft, [cabinetInterval.name], intervals(draft, serial), out);
  sayOnly(draft, [cabinetInhibit.name], inhibits(draft, serial), out);
  sayOnly(draft, [cabinetOverallocation.name], overallocations(draft, serial), out);
}

/**
 * Marks are kept of every minute with a row: [minute, state, offered W, limit W]. Returns whether a run of minutes that
 * show the same may have begun or ended elsewhere: a mark that shows what the one before shows only goes on.
 */
function note(draft: Draft, { from, to }: Touched): boolean {
  let marks = without(draft.marks, draft.floor, null);
  let isOther = false;
  for (const { rows, at } of rowsBetween(draft.rollups.known, from, to)) {
    const data = cabinetAt(draft, rows[at]);
    const state = CABINET_STATES.indexOf(data.state as CabinetState);
    const mark = [rows[at], state, (data.offeredW ?? Number.NaN) as number, (data.limitW ?? Number.NaN) as number];
    const old = rowAt(marks, rows[at]) ?? lastAt(marks, rows[at] - 1, anyRow);
    isOther ||= old === null || old.rows[old.at + 1] !== state || isOver(mark, 0) || isOver(old.rows, old.at);
    marks = put(marks, mark, 0);
  }
  if (rowCount(marks) > rowCount(draft.rollups.known)) {
    marks = onlyKnown(marks, draft.rollups.known);
    isOther = true;
  }
  draft.marks = marks;
  return isOther;
}

/** More is offered than there is. */
function isOver(rows: readonly number[], at: number): boolean {
  return rows[at + 2] > rows[at + 3];
}

/** Without the marks of minutes that have no row any more. */
function onlyKnown(marks: Series, known: Series): Series {
  let kept = marks;
  for (const { rows, at } of rowsBetween(marks, 0, Infinity)) {
    if (rowAt(known, rows[at]) === null) kept = remove(kept, rows[at]);
  }
  return kept;
}

const anyRow = (): boolean => true;
const isOne = (_said: Said, value: number): boolean => value === 1;

function intervals(side: PlaceSide, serial: string): Said[] {
  const shows = ({ data }: Said, value: number) => data.state === CABINET_STATES[value];
  return runsOf(side, cabinetInterval.name, (rows, at) => rows[at + 1], shows).map((run) =>
    said(cabinetInterval.name, serial, run, { state: CABINET_STATES[run.value] }),
  );
}

function inhibits(side: PlaceSide, serial: string): Said[] {
  const isOut = (state: string) => (state === 'Off' || state === 'Faulted' ? 1 : 0);
  const runs = runsOf(side, cabinetInhibit.name, (rows, at) => isOut(CABINET_STATES[rows[at + 1]]), isOne);
  return runs
    .filter(({ value }) => value === 1)
    .map((run) => {
      const faulted = run.marks.some(({ rows, at }) => CABINET_STATES[rows[at + 1]] === 'Faulted');
      const stalls = standingAt(side, minuteOf(run.fromTime)).map(({ stay }) => stay.serial);
      const cause = faulted ? 'Faulted' : 'Off';
      return said(cabinetInhibit.name, serial, run, { cause, stalls: run.before?.data.stalls ?? stalls });
    });
}

function overallocations(side: PlaceSide, serial: string): Said[] {
  const runs = runsOf(side, cabinetOverallocation.name, (rows, at) => (isOver(rows, at) ? 1 : 0), isOne);
  return runs
    .filter(({ value }) => value === 1)
    .map((run) => {
      const offered = run.marks.map(({ rows, at }) => rows[at + 2]);
      const before = (run.before?.data.maxOfferedW as number | undefined) ?? 0;
      const [{ rows, at }] = run.marks;
      return said(cabinetOverallocation.name, serial, run, {
        limitW: rows[at + 3],
        maxOfferedW: Math.max(before, ...offered),
      });
    });
}

/** It can be told anew as long as its last minute is kept. */
function said(type: string, serial: string, { fromTime, toTime, marks }: Run, data: DerivedData): Said {
  const { rows, at } = marks[marks.length - 1];
  const until = toTime === null ? null : rows[at] * MINUTE_MS;
  return { type, key: `${serial}/${iso(fromTime)}`, eventTime: fromTime, until, data: { ...data, fromTime, toTime } };
}

/** Name of the cabinet's site: all its stalls name it. */
function placeOf(asset: PlaceAsset): { siteId: string | null; slot: string | null } {
  return { siteId: readPlace(asset).stays.findLast(({ gone }) => !gone)?.siteId ?? null, slot: null };
}

/** A power cabinet that feeds several stalls of a charging site. */
export const cabinet: Kind = {
  name: 'cabinet',
  machine: 'cabinet@1',
  fields: [],
  state: cabinetState as unknown as Kind['state'],
  defaults: { cadenceMs: MINUTE_MS, timeZone: 'UTC' },
  lifecycleStates: [],
  fold: (asset, reading, _config, out) => foldPlace(asset, reading, plan, out),
  silenceLimits: () => [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  elapse() {},
  open: (asset, _config, out) => openPlace(asset, plan, out),
  foldLifecycle() {
    throw new RangeError('a cabinet has no lifecycle of its own');
  },
  place: placeOf,
  summary: (asset) => cabinetSummary(asset.serial, readPlace(asset)),
  view: placeView,
};

function cabinetSummary(serial: string, side: PlaceSide): object {
  const minute = minuteOf(side.clock);
  return {
    cabinet: serial,
    asOf: side.clock === 0 ? null : iso(side.clock),
    ...cabinetAt(side, minute),
    minute: iso(minute * MINUTE_MS),
    inhibited: side.said.some(({ type, until }) => type === cabinetInhibit.name && until === null),
    overallocated: side.said.some(({ type, until }) => type === cabinetOverallocation.name && until === null),
  };
}
