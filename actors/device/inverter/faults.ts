import type { Facts } from '../../../runtime/shard/derived.ts';
import { closeFaults, openFault } from '../faults.ts';
import { Flag } from '../flags.ts';
import { FAULTED, isAwake, isFeeding } from './operation.ts';
import { STATE_SCHEMES } from './fields.ts';
import type { InverterAsset } from './state.ts';

/**
 * Faults and warnings that the inverter's own state and error code tell.
 *
 * A fault state opens a fault under the error code of that moment. Other codes that follow while it is open are the
 * same fault. It closes only when the inverter feeds power again: at night mode and error read 0, and at dawn it may
 * even begin to connect before it fails again.
 */
export function foldStateFaults(
  asset: InverterAsset,
  code: number,
  error: number,
  power: number,
  t: number,
  out: Facts,
): void {
  const state = asset.operation;
  const open = (asset.flags & Flag.stateFault) !== 0;
  if (state === FAULTED) {
    if (!open && !Number.isNaN(code)) openFault(asset, faultCode(asset, code), 'critical', 'state', t, t, out);
  } else if (open && isFeeding(state) && (power > 0 || (Number.isNaN(power) && Number.isNaN(asset.powerW)))) {
    closeFaults(asset, (f) => f.source === 'state', t, 'productive', out);
  }
  if (!Number.isNaN(error)) foldWarning(asset, error);
}

/** A code outside of a fault state is a warning; it is gone when the unit, awake, reports 0. */
function foldWarning(asset: InverterAsset, error: number): void {
  const { flags } = asset;
  if (error !== 0) {
    if (asset.operation !== FAULTED && (flags & Flag.warningCode) === 0) asset.flags = flags | Flag.warningCode;
  } else if ((flags & Flag.warningCode) !== 0 && isAwake(asset)) {
    asset.flags = flags & ~Flag.warningCode;
  }
}

function faultCode(asset: InverterAsset, code: number): string {
  const error = asset.errorCode;
  if (!Number.isNaN(error) && error !== 0) return String(error);
  return `${STATE_SCHEMES[asset.stateScheme] ?? 'state'}-${code}`;
}
