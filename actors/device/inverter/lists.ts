import { AlertBit, Derate, Flag } from '../flags.ts';
import type { InverterAsset } from './state.ts';
import { readSide } from '../side.ts';

const GRID_LOST = new Set([
  'GRID_DISCONNECT',
  'AC_DISCONNECT',
  'OVER_FREQUENCY',
  'UNDER_FREQUENCY',
  'AC_OVER_VOLT',
  'AC_UNDER_VOLT',
]);
const THERMAL = new Set(['OVER_TEMP']);
const GRID_SUPPORT = new Set(['VOLT_VAR', 'FREQ_WATT', 'VOLT_WATT', 'WATT_VAR', 'LVRT', 'HVRT', 'LFRT', 'HFRT']);
const CURTAILED = new Set(['MAX_W', 'FIXED_W', 'SCHEDULED']);
const CLIPPED = 'PV_CLIPPED';
/** Throttled by less than this the inverter still has 95 % of its power, %. */
const SLIGHT_PCT = 5;

/** Bits that follow from the lists of events and of throttle sources; after the reading's lists are kept. */
export function foldLists(asset: InverterAsset): void {
  const events = listOf(asset, 'events');
  const sources = listOf(asset, 'throttleSources');
  let bits = asset.alertBits & ~(AlertBit.gridLost | AlertBit.throttled);
  if (events.some((e) => GRID_LOST.has(e))) bits |= AlertBit.gridLost;
  if (sources.length > 0 || events.includes(CLIPPED)) bits |= AlertBit.throttled;
  let flags = asset.flags & ~Flag.warningEvents;
  if (events.length > 0) flags |= Flag.warningEvents;
  if (bits !== asset.alertBits) asset.alertBits = bits;
  if (flags !== asset.flags) asset.flags = flags;
  let causes = 0;
  for (const source of sources) causes |= causeOf(source);
  if (events.some((e) => THERMAL.has(e))) causes |= Derate.thermal;
  if (events.includes(CLIPPED)) causes |= Derate.clipped;
  if (causes !== asset.listDerates) asset.listDerates = causes;
}

/** Causes of derating that hold: what lists and alerts tell, unless the throttling is known to be slight. */
export function derateCauses(asset: InverterAsset, clips: boolean): number {
  const { listDerates, alertDerates, throttlePct } = asset;
  const clipped = clips ? Derate.clipped : listDerates & Derate.clipped;
  const causes = listDerates | alertDerates | clipped;
  if (Number.isNaN(throttlePct)) return causes;
  if (throttlePct <= SLIGHT_PCT) return alertDerates | clipped;
  return causes === 0 ? Derate.derated : causes;
}

function causeOf(source: string): number {
  if (source === CLIPPED) return Derate.clipped;
  if (GRID_SUPPORT.has(source)) return Derate.gridSupport;
  return CURTAILED.has(source) ? Derate.curtailed : Derate.derated;
}

function listOf(asset: InverterAsset, name: string): readonly string[] {
  const value = readSide(asset).extra.find((e) => e[0] === name)?.[1];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
