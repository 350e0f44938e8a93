import type { AssetConfig, KindView, LifecycleResult } from '../../runtime/shard/contract.ts';
import { fieldTime, type FieldPlan } from '../../runtime/shard/fields.ts';
import type { DeviceAsset } from './columns.ts';
import { derateNames } from './derates.ts';
import { firmwareNow } from './firmware.ts';
import { Derate } from './flags.ts';
import { HEALTH_FAULTED, HEALTH_PERMANENT } from './health.ts';
import { lifecycleStates } from './lifecycle.ts';
import { type BoundRegion, regionSince } from './region.ts';
import { silenceLimits } from './silence.ts';
import { readSide } from './side.ts';

const UPDATING = new Set(['installing', 'rebooting', 'verifying']);
/** Where the other regions say what is shown. Maintenance is no service, but is shown as such, and after faults. */
const SHOWN_AT_WORK = new Set(['none', 'inService', 'maintenance']);
/** Grid states in which the home runs, or tries to run, by itself. */
const ISLANDED = new Set(['islanded', 'islandedReady', 'waitForUser', 'waitForSolar', 'microGridFaulted']);

interface RegionView {
  readonly state: string;
  readonly since: number;
}

export interface ViewPlan {
  readonly fields: FieldPlan;
  readonly connectivity: BoundRegion;
  readonly health: BoundRegion;
  readonly operation: BoundRegion;
  readonly grid: BoundRegion | null;
  /** Regions that only this kind has. */
  readonly more?: readonly BoundRegion[];
}

/** The asset as people see it now. */
export function viewAsset(
  asset: DeviceAsset,
  life: LifecycleResult | null,
  config: AssetConfig,
  plan: ViewPlan,
): KindView {
  const version = readSide(asset).extra.find((e) => e[0] === 'firmware');
  const regions: Record<string, RegionView> = {
    lifecycle: { state: lifecycleStates[life?.state ?? 0] ?? 'none', since: life?.since ?? 0 },
    connectivity: connectivityNow(asset, config, plan.connectivity),
    health: regionView(asset, plan.health),
    operation: regionView(asset, plan.operation),
    firmware: firmwareNow(life, version === undefined ? null : String(version[1]), version?.[2] ?? 0),
  };
  if (plan.grid !== null) regions.grid = regionView(asset, plan.grid);
  for (const region of plan.more ?? []) regions[region.name] = regionView(asset, region);
  return {
    status: statusOf(asset, regions),
    regions,
    derates: derateNames(asset.derated),
    extra: extrasOf(asset, plan.fields),
    energy: { inWh: round(asset.totalInWh), outWh: round(asset.totalOutWh) },
  };
}

/** What goes before what (domain: the projection of the regions): the first that holds. */
function statusOf(asset: DeviceAsset, regions: Record<string, RegionView>): string {
  const lifecycle = regions.lifecycle.state;
  if (!SHOWN_AT_WORK.has(lifecycle)) return word(lifecycle);
  if (regions.connectivity.state === 'offline') return 'OFFLINE';
  if (asset.health === HEALTH_FAULTED || asset.health === HEALTH_PERMANENT) return 'FAULTED';
  if (UPDATING.has(regions.firmware.state)) return 'UPDATING';
  if (lifecycle === 'maintenance') return 'MAINTENANCE';
  if (regions.grid !== undefined && ISLANDED.has(regions.grid.state)) return 'ISLANDED';
  // Full and empty are states of operation; a battery that is full is not a weak one, nor an inverter at its plate.
  if ((asset.derated & ~(Derate.socLimit | Derate.clipped)) !== 0) return 'DERATED';
  return word(regions.operation.state);
}

function connectivityNow(asset: DeviceAsset, config: AssetConfig, region: BoundRegion): RegionView {
  const last = asset.lastDeviceTime;
  if (last === 0) return { state: 'never', since: 0 };
  const { silence } = asset;
  if (silence === 0) return regionView(asset, region);
  return { state: silence === 1 ? 'stale' : 'offline', since: last + silenceLimits(config)[silence - 1] };
}

function regionView(asset: DeviceAsset, region: BoundRegion): RegionView {
  return { state: region.table.states[asset.getAt(region.state)], since: regionSince(asset, region) };
}

function extrasOf(asset: DeviceAsset, plan: FieldPlan): KindView['extra'] {
  const extra: [string, { value: unknown; deviceTime: number; valid: boolean }][] = [];
  const { extra: kept, alerts } = readSide(asset);
  for (const [name, value, at] of kept) {
    const i = plan.fields.findIndex((f) => f.name === name);
    const sized = i >= 0 && plan.valueColumn[i] >= 0;
    if (sized) continue;
    const time = i < 0 ? at : fieldTime(asset, plan, i);
    extra.push([name, { value, deviceTime: time, valid: i < 0 || ((asset.invalidFields >>> i) & 1) === 0 }]);
  }
  const i = plan.fields.findIndex((f) => f.name === 'alerts');
  if (i >= 0 && fieldTime(asset, plan, i) !== 0) {
    const value = alerts.map(({ name, startedAt, endedAt }) => ({ name, startedAt, endedAt }));
    extra.push([
      'alerts',
      { value, deviceTime: fieldTime(asset, plan, i), valid: ((asset.invalidFields >>> i) & 1) === 0 },
    ]);
  }
  return Object.fromEntries(extra);
}

function word(state: string): string {
  return state.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}

function round(wh: number): number {
  return Math.round(wh * 1e6) / 1e6;
}
