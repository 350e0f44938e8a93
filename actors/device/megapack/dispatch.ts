import type { AssetConfig } from '../../../runtime/shard/contract.ts';
import type { Facts } from '../../../runtime/shard/derived.ts';
import { dispatchDeviation, iso } from '../facts.ts';
import { staleAfter } from '../silence.ts';
import { followsSetpoint } from './control.ts';
import { ratedPower } from './rating.ts';
import type { MegapackAsset } from './state.ts';

const HOUR_MS = 3_600_000;
/** Distance to the setpoint, as share of the rating, that counts as reached. */
const TOLERANCE = 0.02;
/** A unit ramps over its whole rating in this time. */
const RAMP_MS = 60_000;
const CONFIRMED_AFTER_MS = 60_000;

/** What held before a reading. Kept outside of the asset and used again for every reading. */
const held = { t: 0, powerW: 0, setpointW: 0 };

/** Before the fields of a reading are applied. */
export function holdDispatch(asset: MegapackAsset): void {
  held.t = asset.lastDeviceTime;
  held.powerW = asset.powerW;
  held.setpointW = asset.setpointW;
}

/**
 * Power against setpoint after the fields are applied: a deviation is stated once it has lasted for a minute. `known`:
 * the newest reports of both are valid. Nobody knows what a unit does in a silence, so a deviation ends where it began.
 */
export function foldDispatch(asset: MegapackAsset, known: boolean, t: number, config: AssetConfig, out: Facts): void {
  if (asset.deviationSince !== 0) {
    if (t - held.t > staleAfter(config)) close(asset, held.t, out);
    else addHeld(asset, t - held.t);
  }
  const { powerW, setpointW } = asset;
  if (setpointW !== held.setpointW && !Number.isNaN(setpointW)) noteRamp(asset, setpointW, t);
  if (!known || !followsSetpoint(asset) || !isOff(asset, powerW, setpointW, t)) {
    if (asset.deviationSince !== 0) close(asset, t, out);
    return;
  }
  const error = Math.abs(powerW - setpointW);
  if (asset.deviationSince === 0) {
    asset.deviationSince = t;
    asset.deviationSetpointW = setpointW;
    asset.deviationMaxW = error;
    return;
  }
  if (error > asset.deviationMaxW) asset.deviationMaxW = error;
  if (asset.deviationSaid === 0 && t - asset.deviationSince >= CONFIRMED_AFTER_MS) {
    asset.deviationSaid = 1;
    say(asset, null, out);
  }
}

/** A unit needs time for each step of its setpoint; steps that follow each other add up. */
function noteRamp(asset: MegapackAsset, setpointW: number, t: number): void {
  const before = Number.isNaN(held.setpointW) ? held.powerW || 0 : held.setpointW;
  const needed = (Math.abs(setpointW - before) / ratedPower(asset)) * RAMP_MS;
  asset.rampUntil = Math.max(t, asset.rampUntil) + needed;
}

/** Beyond the tolerance, and beyond what is left to ramp. */
function isOff(asset: MegapackAsset, powerW: number, setpointW: number, t: number): boolean {
  const ratedW = ratedPower(asset);
  const rampW = ((asset.rampUntil - t) / RAMP_MS) * ratedW;
  return Math.abs(powerW - setpointW) > Math.max(TOLERANCE * ratedW, rampW);
}

/** Both values held until this reading. */
function addHeld(asset: MegapackAsset, ms: number): void {
  const missing = held.setpointW - held.powerW;
  const short = held.setpointW > 0 ? missing : held.setpointW < 0 ? -missing : 0;
  asset.deviationErrorWh += (Math.abs(missing) * ms) / HOUR_MS;
  if (!(short > 0)) return;
  asset.deviationUndeliveredWh += (short * ms) / HOUR_MS;
  asset.lostWh += (short * ms) / HOUR_MS;
}

function close(asset: MegapackAsset, t: number, out: Facts): void {
  if (asset.deviationSaid !== 0) say(asset, t, out);
  asset.deviationSince = 0;
  asset.deviationSetpointW = 0;
  asset.deviationErrorWh = 0;
  asset.deviationMaxW = 0;
  asset.deviationUndeliveredWh = 0;
  asset.deviationSaid = 0;
}

/** States the deviation that lasts. */
export function openDispatch(asset: MegapackAsset, out: Facts): void {
  if (asset.deviationSaid !== 0) say(asset, null, out);
}

function say(asset: MegapackAsset, toTime: number | null, out: Facts): void {
  const from = asset.deviationSince;
  out.emit(dispatchDeviation, `${asset.serial}/${iso(from)}`, from, {
    fromTime: from,
    toTime,
    setpointW: asset.deviationSetpointW,
    meanErrorW: toTime === null ? null : round((asset.deviationErrorWh * HOUR_MS) / (toTime - from)),
    maxErrorW: toTime === null ? null : asset.deviationMaxW,
    undeliveredWh: toTime === null ? null : round(asset.deviationUndeliveredWh),
  });
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
