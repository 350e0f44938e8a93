import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import type { DeviceAsset } from './columns.ts';
import { dailyStep, fallOf, isImpossible, sayReset } from './counters.ts';
import { energyInterval, iso } from './facts.ts';
import { type PendingRow, changeSide, readSide } from './side.ts';
import { localDay } from './zone.ts';

export const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A counter silent for longer says nothing about when its energy flowed. */
const LONGEST_SPREAD_MS = 7 * DAY_MS;
const SHORTEST_HOLD_MS = 15 * 60_000;
const POWER_ENDED = 1;
const COUNTERS_ENDED = 2;

/** Where a kind's power and counters stand in its readings and columns. */
export interface EnergyPlan {
  readonly power: number;
  readonly powerBit: number;
  readonly out: number;
  readonly outBit: number;
  readonly in: number;
  readonly inBit: number;
  /** Counter that restarts daily, -1 where the kind has none. */
  readonly day: number;
  readonly dayBit: number;
  readonly dayColumn: number;
  readonly dayAtColumn: number;
  readonly dayOwnerColumn: number;
  /** More than any asset of the kind can deliver: counters that say so are wrong. */
  readonly maxPowerW: number;
}

/** How long a power reading holds at most when no other follows. */
export function longestHold(config: AssetConfig): number {
  return Math.max(2 * config.cadenceMs, SHORTEST_HOLD_MS);
}

/**
 * Energy of one turn, from the reading before to this one. Kept outside of the asset and used again for every reading:
 * a turn allocates nothing.
 */
const turn = {
  /** Spread evenly over the time since the reading before, Wh. */
  flowOut: 0,
  flowIn: 0,
  /** Belongs into the interval that ends last, Wh. */
  lumpOut: 0,
  lumpIn: 0,
  /** Power that holds until `heldTo`, W. */
  heldOutW: 0,
  heldInW: 0,
  heldTo: 0,
  coveredTo: 0,
  /** Fields whose report must not be applied: the counter said something impossible. */
  refused: 0,
  /** Until when every counter in use has spoken. */
  settledTo: 0,
};

/**
 * Adds the energy from the reading before to this one and states the 15-minute rows that are complete. Call it
 * before the reading's fields are applied. Returns the bits of counters whose value is impossible and must not be
 * applied. `voided`: the reading measures nothing and ends what holds.
 */
export function foldEnergy(
  asset: DeviceAsset,
  reading: Reading,
  plan: EnergyPlan,
  config: AssetConfig,
  voided: boolean,
  out: Facts,
): number {
  const t = reading.deviceTime;
  const last = asset.lastDeviceTime;
  const valid = voided ? 0 : reading.present & ~reading.invalid;
  turn.flowOut = turn.flowIn = turn.lumpOut = turn.lumpIn = 0;
  turn.refused = 0;
  turn.settledTo = t;
  const limit = longestHold(config);
  const outUsed = readOut(asset, reading, valid, plan, config, limit, out);
  const inUsed = readIn(asset, reading, valid, plan, out);
  if (last === 0) {
    firstRow(asset, t, out);
  } else {
    holdPower(asset, t, limit, plan, outUsed, inUsed);
    spread(asset, last, t, outUsed || inUsed, out);
    if (asset.pendingRows !== 0) settleRows(asset, turn.settledTo, out);
  }
  if (voided) asset.holdEnded = POWER_ENDED | COUNTERS_ENDED;
  else if (asset.holdEnded !== 0) resume(asset, valid, plan);
  return turn.refused;
}

function resume(asset: DeviceAsset, valid: number, plan: EnergyPlan): void {
  let ended = asset.holdEnded;
  if ((valid & plan.powerBit) !== 0) ended &= ~POWER_ENDED;
  if ((valid & (plan.outBit | plan.inBit | plan.dayBit)) !== 0) ended &= ~COUNTERS_ENDED;
  asset.holdEnded = ended;
}

/** The outgoing counters: a lifetime counter goes before one that restarts daily. Returns whether one is in use. */
function readOut(
  asset: DeviceAsset,
  reading: Reading,
  valid: number,
  plan: EnergyPlan,
  config: AssetConfig,
  limit: number,
  out: Facts,
): boolean {
  const before = asset.energyOutWh;
  const told = (valid & plan.outBit) !== 0;
  if (!Number.isNaN(before)) {
    const since = (asset.fresh & plan.outBit) !== 0 ? asset.lastDeviceTime : asset.energyOutWhAt;
    if (!told) turn.settledTo = Math.min(turn.settledTo, since);
    else if (reading.values[plan.out] !== before) countOut(asset, reading, before, since, plan, out);
    return true;
  }
  return plan.dayBit === 0 ? false : readDay(asset, reading, valid, plan, config, limit, out);
}

function countOut(
  asset: DeviceAsset,
  reading: Reading,
  before: number,
  since: number,
  plan: EnergyPlan,
  out: Facts,
): void {
  const after = reading.values[plan.out];
  const t = reading.deviceTime;
  const suspect = asset.suspectOutWh;
  const delta = increase(asset, 'energyOutWh', before, after, since, t, suspect, plan.maxPowerW, out);
  if (delta < 0) {
    turn.refused |= plan.outBit;
    turn.settledTo = Math.min(turn.settledTo, since);
    asset.suspectOutWh = after;
    return;
  }
  if (!Number.isNaN(suspect)) asset.suspectOutWh = Number.NaN;
  turn.flowOut = inThisTurn(asset, delta, since, t, true);
}

function readIn(asset: DeviceAsset, reading: Reading, valid: number, plan: EnergyPlan, out: Facts): boolean {
  const before = asset.energyInWh;
  if (Number.isNaN(before)) return false;
  const since = (asset.fresh & plan.inBit) !== 0 ? asset.lastDeviceTime : asset.energyInWhAt;
  if ((valid & plan.inBit) === 0) {
    turn.settledTo = Math.min(turn.settledTo, since);
    return true;
  }
  const after = reading.values[plan.in];
  if (after === before) return true;
  const t = reading.deviceTime;
  const suspect = asset.suspectInWh;
  const delta = increase(asset, 'energyInWh', before, after, since, t, suspect, plan.maxPowerW, out);
  if (delta < 0) {
    turn.refused |= plan.inBit;
    turn.settledTo = Math.min(turn.settledTo, since);
    asset.suspectInWh = after;
    return true;
  }
  if (!Number.isNaN(suspect)) asset.suspectInWh = Number.NaN;
  turn.flowIn = inThisTurn(asset, delta, since, t, false);
  return true;
}

/**
 * What a lifetime counter has counted, Wh, or -1 where that is impossible. An impossible value that the next one
 * confirms is where the counter stands now: it was exchanged, or jumped with a new firmware.
 */
function increase(
  asset: DeviceAsset,
  field: string,
  before: number,
  after: number,
  since: number,
  t: number,
  suspect: number,
  maxPowerW: number,
  out: Facts,
): number {
  if (after >= before && !isImpossible(after - before, t - since, maxPowerW)) return after - before;
  if (after < before) {
    const { deltaWh, cause } = fallOf(before, after);
    if (!isImpossible(deltaWh, t - since, maxPowerW)) {
      sayReset(asset.serial, field, t, before, after, cause, out);
      return deltaWh;
    }
  }
  if (!Number.isNaN(suspect) && !isImpossible(after - suspect, t - asset.lastDeviceTime, maxPowerW)) {
    sayReset(asset.serial, field, t, before, suspect, 'reset', out);
    return after - suspect;
  }
  return -1;
}

/** The counter that restarts daily. Its first reading counts in full. */
function readDay(
  asset: DeviceAsset,
  reading: Reading,
  valid: number,
  plan: EnergyPlan,
  config: AssetConfig,
  limit: number,
  out: Facts,
): boolean {
  const before = asset.getAt(plan.dayColumn);
  const told = (valid & plan.dayBit) !== 0;
  const used = !Number.isNaN(before);
  const since = (asset.fresh & plan.dayBit) !== 0 ? asset.lastDeviceTime : asset.getAt(plan.dayAtColumn);
  if (!told) {
    if (used) turn.settledTo = Math.min(turn.settledTo, since);
    return used;
  }
  const t = reading.deviceTime;
  const after = reading.values[plan.day];
  const day = localDay(config.timeZone, t);
  if (!used) {
    if (isImpossible(after, DAY_MS, plan.maxPowerW)) {
      turn.refused |= plan.dayBit;
      return false;
    }
    turn.lumpOut += after;
    asset.setAt(plan.dayOwnerColumn, day);
    return true;
  }
  const owner = asset.getAt(plan.dayOwnerColumn);
  if (after === before && day === owner) return true;
  const step = dailyStep(before, after, owner, day, t - since <= limit);
  if (isImpossible(step.deltaWh, t - since, plan.maxPowerW)) {
    turn.refused |= plan.dayBit;
    turn.settledTo = Math.min(turn.settledTo, since);
    return true;
  }
  if (step.owner !== owner) asset.setAt(plan.dayOwnerColumn, step.owner);
  if (step.restarted) sayReset(asset.serial, 'energyDayWh', t, before, after, 'daily', out);
  turn.flowOut = inThisTurn(asset, step.deltaWh, since, t, true);
  return true;
}

/**
 * The part of a counter's increase that falls between the reading before and this one. The counter may have been
 * silent for longer than the asset: then the earlier part goes to the rows that wait for it. Over more than a week
 * all goes into the last interval.
 */
function inThisTurn(asset: DeviceAsset, delta: number, since: number, t: number, isOut: boolean): number {
  const last = asset.lastDeviceTime;
  if (t - since > LONGEST_SPREAD_MS || t === since) {
    if (isOut) turn.lumpOut += delta;
    else turn.lumpIn += delta;
    return 0;
  }
  if (since >= last || delta === 0) return delta;
  const earlier = (delta * (last - since)) / (t - since);
  addToPast(asset, earlier, since, last, isOut);
  return delta - earlier;
}

function addToPast(asset: DeviceAsset, wh: number, from: number, to: number, isOut: boolean): void {
  const open = Math.floor(to / QUARTER_MS);
  const rows = new Map(readSide(asset).rows.map((row) => [row.quarter, row]));
  for (let q = Math.floor(from / QUARTER_MS); q <= open; q++) {
    const part = (wh * overlap(q * QUARTER_MS, (q + 1) * QUARTER_MS, from, to)) / (to - from);
    if (q === open) {
      if (isOut) asset.intervalOutWh += part;
      else asset.intervalInWh += part;
    } else {
      const row = rows.get(q) ?? { quarter: q, inWh: 0, outWh: 0, coveredMs: 0 };
      rows.set(q, isOut ? { ...row, outWh: row.outWh + part } : { ...row, inWh: row.inWh + part });
    }
  }
  if (isOut) asset.totalOutWh += wh;
  else asset.totalInWh += wh;
  if (rows.size === 0) return;
  asset.pendingRows = 1;
  changeSide(asset, { rows: [...rows.values()].sort((a, b) => a.quarter - b.quarter) });
}

/** How far the last power reaches into this turn, and how far the turn is covered. */
function holdPower(
  asset: DeviceAsset,
  t: number,
  limit: number,
  plan: EnergyPlan,
  outUsed: boolean,
  inUsed: boolean,
): void {
  const last = asset.lastDeviceTime;
  const ended = asset.holdEnded;
  const fresh = asset.fresh;
  turn.heldOutW = turn.heldInW = 0;
  turn.heldTo = turn.coveredTo = last;
  const power = asset.powerW;
  if (!Number.isNaN(power) && (ended & POWER_ENDED) === 0 && (asset.invalidFields & plan.powerBit) === 0) {
    const until = ((fresh & plan.powerBit) !== 0 ? last : asset.powerWAt) + limit;
    turn.heldTo = turn.coveredTo = Math.max(last, Math.min(t, until));
    if (power > 0) {
      if (!outUsed) turn.heldOutW = power;
    } else if (!inUsed) turn.heldInW = -power;
  }
  if (turn.coveredTo < t && (outUsed || inUsed) && (ended & COUNTERS_ENDED) === 0) {
    const until = lastCount(asset, plan) + limit;
    turn.coveredTo = Math.max(turn.coveredTo, Math.min(t, until));
  }
}

/** Time of the newest valid report of any energy counter. */
function lastCount(asset: DeviceAsset, plan: EnergyPlan): number {
  const { fresh, invalidFields } = asset;
  if ((fresh & ~invalidFields & (plan.outBit | plan.inBit | plan.dayBit)) !== 0) return asset.lastDeviceTime;
  let newest = 0;
  if ((invalidFields & plan.outBit) === 0) newest = asset.energyOutWhAt;
  if ((invalidFields & plan.inBit) === 0) newest = Math.max(newest, asset.energyInWhAt);
  if (plan.dayBit !== 0 && (invalidFields & plan.dayBit) === 0) {
    newest = Math.max(newest, asset.getAt(plan.dayAtColumn));
  }
  return newest;
}

/** The first reading of all may bring the energy of a day so far; it belongs before the reading. */
function firstRow(asset: DeviceAsset, t: number, out: Facts): void {
  const wh = turn.lumpOut;
  if (wh === 0) return;
  asset.totalOutWh = wh;
  const quarter = Math.floor((t - 1) / QUARTER_MS);
  if (quarter === Math.floor(t / QUARTER_MS)) asset.intervalOutWh = wh;
  else sayRow(asset.serial, quarter, 0, wh, 0, true, out);
}

/** Puts the energy of the turn into its 15-minute intervals and states those that end in it. */
function spread(asset: DeviceAsset, last: number, t: number, counted: boolean, out: Facts): void {
  const { flowOut, flowIn, lumpOut, lumpIn, heldOutW, heldInW, heldTo, coveredTo } = turn;
  const held = heldTo - last;
  const outWh = flowOut + lumpOut + (heldOutW * held) / HOUR_MS;
  const inWh = flowIn + lumpIn + (heldInW * held) / HOUR_MS;
  if (outWh !== 0) asset.totalOutWh += outWh;
  if (inWh !== 0) asset.totalInWh += inWh;
  const open = Math.floor(last / QUARTER_MS);
  if (Math.floor(t / QUARTER_MS) === open) {
    if (outWh !== 0) asset.intervalOutWh += outWh;
    if (inWh !== 0) asset.intervalInWh += inWh;
    if (coveredTo > last) asset.coveredMs += coveredTo - last;
    return;
  }
  spreadOver(asset, open, last, t, counted, out);
}

function spreadOver(asset: DeviceAsset, open: number, last: number, t: number, counted: boolean, out: Facts): void {
  const { flowOut, flowIn, lumpOut, lumpIn, heldOutW, heldInW, heldTo, coveredTo } = turn;
  const newest = Math.floor(t / QUARTER_MS);
  const lumpAt = Math.max(open, Math.floor((t - 1) / QUARTER_MS));
  const flows = flowOut !== 0 || flowIn !== 0;
  for (let q = open; q <= newest; q++) {
    const from = Math.max(last, q * QUARTER_MS);
    const to = Math.min(t, (q + 1) * QUARTER_MS);
    if (q !== open && !flows && from >= coveredTo && from >= heldTo && q < lumpAt) {
      q = lumpAt - 1;
      continue;
    }
    const share = (to - from) / (t - last);
    const held = Math.max(0, Math.min(to, heldTo) - from) / HOUR_MS;
    const outWh = flowOut * share + heldOutW * held + (q === lumpAt ? lumpOut : 0);
    const inWh = flowIn * share + heldInW * held + (q === lumpAt ? lumpIn : 0);
    asset.intervalOutWh += outWh;
    asset.intervalInWh += inWh;
    asset.coveredMs += Math.max(0, Math.min(to, coveredTo) - from);
    if (q < newest) closeRow(asset, q, counted, out);
  }
}

function closeRow(asset: DeviceAsset, quarter: number, counted: boolean, out: Facts): void {
  const { intervalInWh: inWh, intervalOutWh: outWh, coveredMs } = asset;
  asset.intervalInWh = asset.intervalOutWh = asset.coveredMs = 0;
  if (inWh === 0 && outWh === 0 && coveredMs === 0) return;
  if (turn.settledTo >= (quarter + 1) * QUARTER_MS) {
    sayRow(asset.serial, quarter, inWh, outWh, coveredMs, counted, out);
    return;
  }
  asset.pendingRows = 1;
  const rows = readSide(asset).rows.filter((row) => row.quarter !== quarter);
  rows.push({ quarter, inWh, outWh, coveredMs });
  changeSide(asset, { rows });
}

/** States the waiting rows that no counter can add to any more. */
function settleRows(asset: DeviceAsset, settledTo: number, out: Facts): void {
  const t = Math.max(settledTo, asset.lastDeviceTime - LONGEST_SPREAD_MS);
  const { rows } = readSide(asset);
  const left: PendingRow[] = [];
  for (const row of rows) {
    if ((row.quarter + 1) * QUARTER_MS > t) left.push(row);
    else sayRow(asset.serial, row.quarter, row.inWh, row.outWh, row.coveredMs, true, out);
  }
  if (left.length === rows.length) return;
  changeSide(asset, { rows: left });
  if (left.length === 0) asset.pendingRows = 0;
}

/** States the rows that are not complete: those that wait for a counter, and the one in progress. */
export function openRows(asset: DeviceAsset, plan: EnergyPlan, out: Facts): void {
  const { serial, intervalInWh, intervalOutWh, coveredMs } = asset;
  if (asset.pendingRows !== 0) {
    for (const row of readSide(asset).rows) {
      sayRow(serial, row.quarter, row.inWh, row.outWh, row.coveredMs, true, out);
    }
  }
  if (intervalInWh === 0 && intervalOutWh === 0 && coveredMs === 0) return;
  const counted =
    !Number.isNaN(asset.energyOutWh) ||
    !Number.isNaN(asset.energyInWh) ||
    (plan.dayBit !== 0 && !Number.isNaN(asset.getAt(plan.dayColumn)));
  const quarter = Math.floor(asset.lastDeviceTime / QUARTER_MS);
  sayRow(serial, quarter, intervalInWh, intervalOutWh, coveredMs, counted, out);
}

function sayRow(
  serial: string,
  quarter: number,
  inWh: number,
  outWh: number,
  coveredMs: number,
  counted: boolean,
  out: Facts,
): void {
  const startTime = quarter * QUARTER_MS;
  out.emit(energyInterval, `${serial}/${iso(startTime)}/900`, startTime, {
    startTime,
    lengthS: 900,
    inWh: clean(inWh),
    outWh: clean(outWh),
    method: counted ? 'counter' : 'power',
    coverage: coveredMs / QUARTER_MS,
  });
}

/** Without the noise of binary fractions: a millionth of a Wh is the last digit. */
function clean(wh: number): number {
  return Math.round(wh * 1e6) / 1e6;
}

function overlap(aFrom: number, aTo: number, bFrom: number, bTo: number): number {
  return Math.max(0, Math.min(aTo, bTo) - Math.max(aFrom, bFrom));
}
