import type { DerateDetail } from '../derates.ts';
import { isFeeding, WORKS_W } from './operation.ts';
import type { InverterAsset } from './state.ts';

const HOUR_MS = 3_600_000;
/** Power that stays within this of itself ... */
const FLAT_SHARE = 0.002;
/** ... for so long is cut off: the sun of a clear noon stands so still for half an hour. */
const CLIPPED_AFTER_MS = HOUR_MS;
/** Only next to the highest power it is the inverter's plate that cuts. */
const PEAK_SHARE = 0.99;

/**
 * Adds what throttling cost since the reading before: the share of its maximum by which the inverter says it throttles
 * (SunSpec 701, ThrotPct) times the highest power it ever kept up, but no more than is missing to that power. The
 * nameplate is not measured, so this is a lower bound. Call it before the reading's fields are applied; `heldMs`: for
 * how long the newest word on throttling holds.
 */
export function foldLoss(asset: InverterAsset, t: number, toldAt: number, heldMs: number): void {
  if (!isFeeding(asset.operation) || asset.voidSince !== 0) return;
  const last = asset.lastDeviceTime;
  const held = Math.min(t, toldAt + heldMs) - last;
  const { peakW, powerW, throttlePct } = asset;
  const lostW = Math.min((throttlePct / 100) * peakW, peakW - powerW);
  if (held > 0 && lostW > 0) asset.lostWh += (lostW * held) / HOUR_MS;
}

/**
 * Follows the highest power, and runs of equal power next to it. `before`, `power`: of the last two readings, W, which
 * are neighbours or not: nobody knows what power was in a silence. True where the run says that power is cut off.
 */
export function foldPeak(asset: InverterAsset, before: number, power: number, neighbours: boolean, t: number): boolean {
  const { peakW, flatSince } = asset;
  if (power < PEAK_SHARE * peakW || power <= WORKS_W) {
    if (flatSince !== 0) asset.flatSince = 0;
    return false;
  }
  const kept = Math.floor(Math.min(before, power));
  if (kept > peakW) asset.peakW = kept;
  const { flatW } = asset;
  if (flatSince !== 0 && neighbours && Math.abs(power - flatW) <= FLAT_SHARE * flatW) return clips(asset, t);
  asset.flatSince = t;
  asset.flatW = power;
  return false;
}

/** Power stood still at its highest for long enough, and nothing else explains it. */
export function clips(asset: InverterAsset, t: number): boolean {
  const { flatSince } = asset;
  return flatSince !== 0 && t - flatSince >= CLIPPED_AFTER_MS && asset.listDerates === 0;
}

/** Of the derating that changes at `t`. */
export function detailOf(asset: InverterAsset, clipsNow: boolean, t: number): DerateDetail {
  return {
    lostWh: Number.isNaN(asset.throttlePct) ? Number.NaN : asset.lostWh,
    clippedFrom: clipsNow ? asset.flatSince : t,
  };
}
