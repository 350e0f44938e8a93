import { forgetSaid } from './said.ts';
import { minuteOf } from './rollup.ts';
import { PEER_DAYS_MS } from './peers.ts';
import { forget } from './rows.ts';
import { rowCount, type Series, without } from './series.ts';
import { type Draft, type Interval, type Member, MINUTE_MS, QUARTER_MS } from './state.ts';
import { holds } from './members.ts';

/** So far behind the newest time of the place a contribution still changes what was said. */
export const HORIZON_MS = 24 * 3_600_000;
/** What arrived less than this ago stays, however old it is: members in other partitions may tell of the same time. */
const GRACE_MS = 10 * 60_000;
/** Beyond so many rows of members the grace ends. */
const MAX_ROWS = 250_000;
const ROWS_BETWEEN_SWEEPS = 4096;
/** A region groups the losses of the grid of so long. */
export const GRID_EVENTS_KEPT_MS = 31 * 24 * 3_600_000;
/** The floor rises in steps of whole chunks, whatever their span. */
const STEP_MINUTES = 6 * 60;
const STEP_MS = STEP_MINUTES * MINUTE_MS;

/** Forgets what lies beyond the horizon, once in a step of the place's time or in the grace. */
export function sweep(draft: Draft, arrivedAt: number, clock: number, sayBefore: (minute: number) => void): void {
  draft.sinceSweep += 1;
  const passed = Math.floor(draft.clock / STEP_MS) !== Math.floor(clock / STEP_MS);
  if (!passed && arrivedAt - draft.sweptAt < GRACE_MS && draft.sinceSweep < ROWS_BETWEEN_SWEEPS) return;
  draft.sweptAt = arrivedAt;
  draft.sinceSweep = 0;
  const horizon = wholeStep(minuteOf(Math.min(draft.clock, newestRow(draft)) - HORIZON_MS));
  const floor = rowsOf(draft) > MAX_ROWS ? horizon : Math.min(horizon, oldestArrival(draft, arrivedAt - GRACE_MS));
  if (floor <= draft.floor) return;
  sayBefore(floor);
  raise(draft, floor);
}

function wholeStep(minute: number): number {
  return minute - (minute % STEP_MINUTES);
}

/** What members told lies before this, epoch milliseconds. The clock may be ahead: a stay can be known before any reading. */
function newestRow({ members }: Draft): number {
  const end = ({ chunks, span }: Series) => (chunks.length === 0 ? 0 : chunks[chunks.length - 1].from + span);
  const ends = members.map(({ minutes, energy, meter }) =>
    Math.max(end(minutes) * MINUTE_MS, end(energy) * QUARTER_MS, end(meter) * QUARTER_MS),
  );
  return ends.reduce((newest, ms) => Math.max(newest, ms), 0);
}

/** Start of the oldest chunk in which something arrived since. */
function oldestArrival({ members }: Draft, since: number): number {
  let oldest = Number.POSITIVE_INFINITY;
  const look = (of: Series, minutes: number) => {
    for (const chunk of of.chunks)
      if (chunk.arrivedAt > since) return void (oldest = Math.min(oldest, chunk.from * minutes));
  };
  for (const { minutes, energy, meter } of members) {
    look(minutes, 1);
    look(energy, QUARTER_MS / MINUTE_MS);
    look(meter, QUARTER_MS / MINUTE_MS);
  }
  return oldest === Number.POSITIVE_INFINITY ? oldest : wholeStep(oldest);
}

function rowsOf({ members }: Draft): number {
  return members.reduce((sum, m) => sum + rowCount(m.minutes) + rowCount(m.energy) + rowCount(m.meter), 0);
}

/** Everything before the floor goes; the newest values of a member before it stay, since they hold until it speaks. */
function raise(draft: Draft, floor: number): void {
  const floorMs = floor * MINUTE_MS;
  const quarter = floorMs / QUARTER_MS;
  const energyFrom = ({ kind }: Member) => (kind === 'inverter' ? (floorMs - PEER_DAYS_MS) / QUARTER_MS : quarter);
  draft.floor = floor;
  draft.members = draft.members.map(
    (member): Member => ({
      ...member,
      minutes: without(member.minutes, floor, holds),
      energy: without(member.energy, energyFrom(member), null),
      meter: without(member.meter, quarter, null),
      intervals: withTheirBeginnings(member.intervals, floorMs),
      states: member.states.filter((i) => keptUntil(i) >= floorMs),
    }),
  );
  draft.rollups = forget(draft.rollups, floor);
  draft.energies = forget(draft.energies, quarter);
  forgetSaid(draft);
}

/**
 * What is not forgotten yet, and the silences before it that it goes on from: a gap of the site that reaches over the
 * floor began with the first of them.
 */
function withTheirBeginnings(intervals: readonly Interval[], floorMs: number): Interval[] {
  const kept = new Set(intervals.filter((interval) => keptUntil(interval) >= floorMs));
  const silences = intervals.filter(({ type, gone }) => type === 'data_gap' && !gone);
  let begins = Number.POSITIVE_INFINITY;
  for (const silence of silences.toSorted((a, b) => keptUntil(b) - keptUntil(a))) {
    const until = keptUntil(silence);
    if (until < floorMs && until < begins) break;
    kept.add(silence);
    begins = Math.min(begins, silence.from);
  }
  return intervals.filter((interval) => kept.has(interval));
}

/** Losses of the grid in a region are forgotten by when they began, so that a group of them goes as one. */
function keptUntil({ type, gone, from, to }: Interval): number {
  if (type === 'site_grid_event') return from + GRID_EVENTS_KEPT_MS;
  return gone ? (to ?? from) : (to ?? Number.POSITIVE_INFINITY);
}
