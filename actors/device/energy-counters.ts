import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import type { Reading } from '../../runtime/shard/reading.ts';
import type { DeviceAsset } from './columns.ts';
import { dailyStep, fallOf, isImpossible, sayReset } from './counters.ts';
import { addToPast, LONGEST_SPREAD_MS } from './energy-rows.ts';
import { type EnergyPlan, turn } from './energy-turn.ts';
import { localDay } from './zone.ts';

const DAY_MS = 86_400_000;

/** The outgoing counters: a lifetime counter goes before one that restarts daily. Returns whether one is in use. */
export function readOut(
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

export function readIn(asset: DeviceAsset, reading: Reading, valid: number, plan: EnergyPlan, out: Facts): boolean {
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
  const delta = increase(asset, plan.inName, before, after, since, t, suspect, plan.maxPowerW, out);
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
