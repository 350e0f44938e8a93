import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import type { DeviceAsset } from './columns.ts';
import { readIn, readOut } from './energy-counters.ts';
import { closeRow, QUARTER_MS, sayRow, settleRows } from './energy-rows.ts';
import { type EnergyPlan, turn } from './energy-turn.ts';

const HOUR_MS = 3_600_000;
const SHORTEST_HOLD_MS = 15 * 60_000;
/** Bits of column `holdEnded`. */
const POWER_ENDED = 1;
const COUNTERS_ENDED = 2;

/** How long a power reading holds at most when no other follows. */
export function longestHold(config: AssetConfig): number {
  return Math.max(2 * config.cadenceMs, SHORTEST_HOLD_MS);
}

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
