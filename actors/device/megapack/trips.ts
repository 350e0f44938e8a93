import type { Facts } from '../../../runtime/shard/derived.ts';
import type { Alert } from '../../../codec/alerts.ts';
import { openFault } from '../faults.ts';
import type { MegapackAsset } from './state.ts';

/** Bits of column `tripped`. */
const LISTED = 1;
/** The contactors count as open until the unit says otherwise. */
const OPEN = 2;

/** SunSpec: `GROUND_FAULT` of the unit, `STR_GROUND_FAULT` and `CONTACTOR_FAILURE` of 802, and makers' spellings. */
const TRIPS = /ground_?fault|contactor_?(failure|fault|weld)/i;

/** Takes the newest list of alerts: a contactor or ground fault is critical, whatever severity it was told with. */
export function foldTrips(asset: MegapackAsset, list: readonly Alert[], t: number, out: Facts): void {
  let isListed = false;
  for (const { name, startedAt, endedAt } of list) {
    if (!TRIPS.test(name) || (endedAt !== null && endedAt <= t)) continue;
    isListed = true;
    openFault(asset, name, 'critical', 'alert', startedAt !== null && startedAt <= t ? startedAt : t, t, out);
  }
  if (!isListed) {
    if (asset.tripped !== 0) asset.tripped = 0;
  } else if (asset.tripped === 0) asset.tripped = LISTED | OPEN;
}

/** An alert says that the contactors are open, and nothing since then says that they are closed. */
export function isTripped(asset: MegapackAsset): boolean {
  return (asset.tripped & OPEN) !== 0;
}

/** Strings, state or power show that the alert did not disconnect the unit: of many strings it was one. */
export function endTrip(asset: MegapackAsset): void {
  asset.tripped &= ~OPEN;
}
