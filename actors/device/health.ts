import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { Flag } from './flags.ts';
import { healthRegion } from './health.machine.ts';
import { type BoundRegion, step } from './region.ts';

const { table } = healthRegion;
const CLEARED = table.eventIndex('cleared');
const WARNED = table.eventIndex('warned');
const FAULTED = table.eventIndex('faulted');
const PERMANENT = table.eventIndex('permanentlyFaulted');

const WARNINGS = Flag.warningAlert | Flag.warningCode | Flag.warningEvents;

const OK = table.stateIndex('ok');
export const HEALTH_FAULTED = table.stateIndex('faulted');
export const HEALTH_PERMANENT = table.stateIndex('permanentFault');

/** Brings region health to the worst that holds now. */
export function foldHealth(asset: DeviceAsset, region: BoundRegion, t: number, out: Facts): void {
  const { flags } = asset;
  if (flags === 0 && asset.health === OK) return;
  if ((flags & Flag.permanent) !== 0) step(asset, region, PERMANENT, t, 'alert', out);
  else if ((flags & Flag.faultOpen) !== 0) step(asset, region, FAULTED, t, faultCause(flags), out);
  else if ((flags & WARNINGS) !== 0) step(asset, region, WARNED, t, warningCause(flags), out);
  else step(asset, region, CLEARED, t, 'cleared', out);
}

function faultCause(flags: number): string {
  return (flags & Flag.stateFault) !== 0 ? 'state' : (flags & Flag.disabled) !== 0 ? 'disabled' : 'alert';
}

function warningCause(flags: number): string {
  return (flags & Flag.warningAlert) !== 0 ? 'alert' : (flags & Flag.warningCode) !== 0 ? 'error_code' : 'event';
}
