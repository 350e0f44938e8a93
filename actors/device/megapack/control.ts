import type { Facts } from '../../../runtime/shard/derived.ts';
import { type BoundRegion, step } from '../region.ts';
import { type CONTROL_EVENTS, controlRegion } from './control.machine.ts';
import { CONTROL_MODES } from './fields.ts';
import type { MegapackAsset } from './state.ts';

const { table } = controlRegion;

const EVENT_OF: Readonly<Record<(typeof CONTROL_MODES)[number], (typeof CONTROL_EVENTS)[number]>> = {
  Local: 'local',
  RealPowerDispatch: 'realPowerDispatch',
  FCR: 'frequencyReserve',
  SoCControl: 'socControl',
  AutoBidder: 'autoBidder',
  GridForming: 'gridForming',
  Manual: 'manual',
  Droop: 'frequencyReserve',
  SiteControl: 'autoBidder',
  Island: 'gridForming',
  BlackStart: 'gridForming',
  'Real Power Dispatch': 'realPowerDispatch',
  'State-of-Charge control': 'socControl',
};
const EVENTS = Uint8Array.from(CONTROL_MODES, (mode) => table.eventIndex(EVENT_OF[mode]));

/** Modes in which a setpoint commands the power. While nobody tells the mode, a setpoint that is told commands. */
const COMMANDED = new Set([
  table.stateIndex('unknown'),
  table.stateIndex('realPowerDispatch'),
  table.stateIndex('autoBidder'),
]);

/** Region control after a reading that told the mode, by its index. */
export function foldControl(asset: MegapackAsset, region: BoundRegion, mode: number, t: number, out: Facts): void {
  step(asset, region, EVENTS[mode], t, 'control_mode', out);
}

/** Whether power is off its mark when it is off the setpoint: in a frequency reserve it follows the frequency. */
export function followsSetpoint(asset: MegapackAsset): boolean {
  return COMMANDED.has(asset.control);
}
