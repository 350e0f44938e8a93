import type { AssetConfig } from '../../../runtime/shard/contract.ts';
import type { DerateDetail } from '../derates.ts';
import { longestHold } from '../energy.ts';
import { Derate } from '../flags.ts';
import { HIGH_TEMPERATURE } from './faults.ts';
import { isInSession, SUSPENDED_EVSE } from './operation.ts';
import type { SuperchargerAsset } from './state.ts';

const HOUR_MS = 3_600_000;

/** A vehicle is there that asks for more than is offered: the cabinet shares its power between its stalls. */
function isShort(asset: SuperchargerAsset): boolean {
  const isConnected = asset.sessionStart !== 0 || isInSession(asset.operation);
  return isConnected && asset.offeredW < asset.requestedW;
}

/**
 * The time up to a reading in which less was given than asked for, in the state before it. Call it before the
 * reading's fields are applied: what was offered and asked for then holds until now, for as long as a power reading holds.
 */
export function accrueShortage(asset: SuperchargerAsset, t: number, config: AssetConfig): void {
  const short = isShort(asset);
  const suspended = asset.sessionStart !== 0 && asset.operation === SUSPENDED_EVSE;
  if (!short && !suspended) return;
  const elapsed = t - asset.lastDeviceTime;
  const held = Math.min(elapsed, longestHold(config));
  if (short) asset.lostWh += ((asset.requestedW - asset.offeredW) * held) / HOUR_MS;
  if (asset.sessionStart !== 0) asset.sessionLimitedMs += suspended ? elapsed : held;
}

/** Causes of derating that hold. */
export function derateCauses(asset: SuperchargerAsset): number {
  let causes = asset.alertDerates;
  if (isShort(asset)) causes |= Derate.sharedCabinet;
  if (asset.errorCode === HIGH_TEMPERATURE) causes |= Derate.thermal;
  return causes;
}

/** What the vehicles of a stall would have taken; unknown where it never tells what they ask for. */
export function detailOf(asset: SuperchargerAsset, t: number): DerateDetail {
  return { lostWh: Number.isNaN(asset.requestedW) ? Number.NaN : asset.lostWh, clippedFrom: t };
}
