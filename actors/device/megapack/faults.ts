import type { Facts } from '../../../runtime/shard/derived.ts';
import { closeFaults, openFault } from '../faults.ts';
import { Flag } from '../flags.ts';
import { STATES } from './fields.ts';
import type { MegapackAsset } from './state.ts';

const DISCONNECTED = STATES.indexOf('DISCONNECTED');
const CONNECTED = STATES.indexOf('CONNECTED');
const STANDBY = STATES.indexOf('STANDBY');
const PROTECTS = STATES.indexOf('SOC_PROTECTION');
const FAULT = STATES.indexOf('FAULT');

/**
 * The fault that the state itself tells. It closes when the strings are closed again: a unit that is disconnected, or
 * tries to connect, has not shown that it works.
 */
export function foldStateFault(asset: MegapackAsset, t: number, out: Facts): void {
  const { state } = asset;
  const isOpen = (asset.flags & Flag.stateFault) !== 0;
  if (state === FAULT) {
    if (!isOpen) openFault(asset, 'FAULT', 'critical', 'state', t, t, out);
  } else if (isOpen && (state === CONNECTED || state === STANDBY || state === PROTECTS)) {
    closeFaults(asset, (f) => f.source === 'state', t, 'productive', out);
  }
}

/** Whether a reading says that strings are closed, whatever an alert says. NaN: not told. */
export function showsContact(state: number, strings: number): boolean {
  if (strings > 0) return true;
  return !Number.isNaN(state) && state !== FAULT && state !== DISCONNECTED;
}
