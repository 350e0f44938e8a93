import { AlertBit } from '../flags.ts';
import { CHARGE_STATES } from './fields.ts';
import { idlePower } from './rating.ts';
import type { MegapackAsset } from './state.ts';

const FULL = CHARGE_STATES.indexOf('FULL');
const EMPTY = CHARGE_STATES.indexOf('EMPTY');

/** What says that the unit can take no more, null where nothing does. */
export function chargeLimit(asset: MegapackAsset): string | null {
  if (asset.chargeState === FULL) return 'charge_state';
  if (isExhausted(asset.availableChargeW, asset.availableDischargeW, idlePower(asset))) return 'available_power';
  if (asset.soc >= 1) return 'soc';
  return (asset.alertBits & AlertBit.endOfCharge) !== 0 ? 'alert' : null;
}

/** What says that the unit can give no more, null where nothing does. */
export function dischargeLimit(asset: MegapackAsset): string | null {
  if (asset.chargeState === EMPTY) return 'charge_state';
  if (isExhausted(asset.availableDischargeW, asset.availableChargeW, idlePower(asset))) return 'available_power';
  if (asset.soc <= 0) return 'soc';
  return (asset.alertBits & AlertBit.endOfDischarge) !== 0 ? 'alert' : null;
}

export function isAtLimit(asset: MegapackAsset): boolean {
  return chargeLimit(asset) !== null || dischargeLimit(asset) !== null;
}

/** One direction is used up. A unit that offers power in neither is stopped by something else. */
function isExhausted(availableW: number, otherW: number, idleW: number): boolean {
  return availableW <= idleW && !(otherW <= idleW);
}
