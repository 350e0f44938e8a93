import type { MegapackAsset } from './state.ts';

/** Rating of a unit that never told what power is available: a Megapack 2 XL of two hours, W. */
const TYPICAL_W = 1.9e6;
/** Share of the rating within which power counts as none. */
const IDLE_SHARE = 0.005;

/** Keeps the largest available power; after the fields are applied. */
export function foldRating(asset: MegapackAsset): void {
  const { availableChargeW: charge, availableDischargeW: discharge, ratedW } = asset;
  if (charge > ratedW) asset.ratedW = charge;
  if (discharge > asset.ratedW) asset.ratedW = discharge;
}

/**
 * Rated power as measurements tell it, W: the largest that was ever available. What the lifecycle says of it comes
 * days late and is corrected later; measured facts do not depend on it.
 */
export function ratedPower(asset: MegapackAsset): number {
  return asset.ratedW || TYPICAL_W;
}

/** Power up to which the unit is idle, W. */
export function idlePower(asset: MegapackAsset): number {
  return IDLE_SHARE * ratedPower(asset);
}
