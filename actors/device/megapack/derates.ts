import type { DerateDetail } from '../derates.ts';
import { Derate } from '../flags.ts';
import { isHot, isImbalanced } from './excursions.ts';
import { STATES } from './fields.ts';
import { isAtLimit } from './limits.ts';
import { closesStrings, isConnected } from './operation.ts';
import { ratedPower } from './rating.ts';
import type { MegapackAsset } from './state.ts';

/** Allowed power below this share of what the strings could move is limited by something else. */
const ALLOWED_SHARE = 0.95;
const PROTECTS = STATES.indexOf('SOC_PROTECTION');

/** Causes of derating that hold: what alerts tell, and what the measurements say of the power that is allowed. */
export function derateCauses(asset: MegapackAsset): number {
  let causes = asset.alertDerates;
  const share = closesStrings(asset) ? stringShare(asset) : 1;
  const isLimited = isConnected(asset) && allowedPower(asset) < ALLOWED_SHARE * share * ratedPower(asset);
  if (share < 1) causes |= Derate.stringsOut;
  if (isHot(asset) || (isLimited && isImbalanced(asset))) causes |= Derate.thermal;
  if (asset.state === PROTECTS || (isConnected(asset) && isAtLimit(asset))) causes |= Derate.socLimit;
  return isLimited && (causes & ~Derate.stringsOut) === 0 ? causes | Derate.derated : causes;
}

/** What was not delivered of the setpoint; unknown where nobody tells one. */
export function detailOf(asset: MegapackAsset, t: number): DerateDetail {
  return { lostWh: Number.isNaN(asset.setpointW) ? Number.NaN : asset.lostWh, clippedFrom: t };
}

/** Share of the strings that are connected, 0..1: allowed power scales with it. 1 where nobody tells. */
function stringShare(asset: MegapackAsset): number {
  const share = asset.stringsConnected / asset.stringsTotal;
  return share >= 0 && share < 1 ? share : 1;
}

/** The better of the two directions, W: the other may be at the limit of the charge. NaN where nobody tells both. */
function allowedPower(asset: MegapackAsset): number {
  return Math.max(asset.availableChargeW, asset.availableDischargeW);
}
