import type { StateSchema } from '../../../snapshots/schema.ts';
import type { AssetConfig, Kind } from '../../../runtime/shard/contract.ts';
import type { Facts } from '../../../runtime/shard/derived.ts';
import type { Reading } from '../../../runtime/shard/reading.ts';
import type { Alert } from '../../../codec/alerts.ts';
import { foldAlerts } from '../alerts.ts';
import { foldDerates } from '../derates.ts';
import { audience } from '../audience.ts';
import { dayTurn } from '../availability.ts';
import { foldCapacity, openCapacity } from '../capacity.ts';
import { allInvalid, foldShared, openShared, planDevice } from '../device.ts';
import { type ChargeLevel, foldEfficiency } from '../efficiency.ts';
import { longestHold } from '../energy.ts';
import { keepExtras } from '../extras.ts';
import { closeFaults, openFault } from '../faults.ts';
import { Derate, Flag } from '../flags.ts';
import { foldHealth } from '../health.ts';
import { foldLifecycle, lifecycleStates } from '../lifecycle.ts';
import { lifeStory } from '../life-story.ts';
import { machineNames } from '../machine-names.ts';
import { planMember, sayMember } from '../member.ts';
import { BoundRegion } from '../region.ts';
import { lose } from '../loss.ts';
import { elapse, silenceLimits } from '../silence.ts';
import { viewAsset } from '../view.ts';
import { powerwallFields } from './fields.ts';
import { foldGrid, openGridEvent } from './grid.ts';
import { gridRegion } from './grid.machine.ts';
import { foldMeters, openMeters, planMeters } from './meters.ts';
import { foldOperation, RESTS_W } from './operation.ts';
import { operationRegion } from './operation.machine.ts';
import { type PowerwallAsset, type PowerwallColumns, powerwallState } from './state.ts';

/** No home battery moves a megawatt. */
const MAX_POWER_W = 1e6;
/** A reason that is an owner's wish and no fault. */
const NO_FAULT = 'DisabledUserRequested';

const schema = powerwallState as unknown as StateSchema;
const operation = new BoundRegion(schema, operationRegion);
const grid = new BoundRegion(schema, gridRegion);
const plan = planDevice(schema, powerwallFields, [operation, grid], MAX_POWER_W);
const member = planMember(plan.fields, [
  'powerW',
  'soc',
  'energyRemainingWh',
  'energyFullWh',
  'availableChargeW',
  'availableDischargeW',
  'siteW',
  'loadW',
  'solarW',
]);
const meters = planMeters(plan.fields);
const view = { fields: plan.fields, connectivity: plan.connectivity, health: plan.health, operation, grid };

const at = (name: string) => powerwallFields.findIndex((f) => f.name === name);
const POWER = at('powerW');
const SITE = at('siteW');
const LOAD = at('loadW');
const SOC = at('soc');
const GRID_STATUS = at('gridStatus');
const INVERTER_STATE = at('inverterState');
const POWER_BIT = 1 << POWER;
const SOC_BIT = 1 << SOC;
const GRID_STATUS_BIT = 1 << GRID_STATUS;
const FULL_BIT = plan.fields.bit('energyFullWh');
const INVERTER_STATE_BIT = 1 << INVERTER_STATE;
const METERS = POWER_BIT | (1 << SITE) | (1 << LOAD);
const isTimed = (name: string) => at(name) < 0;

/**
 * Missing data written as zeros: a home that uses exactly nothing while battery and meter read exactly nothing, and
 * no other measurement says otherwise. State of charge is left out: recorders write 0 there as well.
 */
function isVoid(reading: Reading): boolean {
  const { present, invalid, values } = reading;
  if (invalid !== 0 && allInvalid(reading, plan)) return true;
  if (values[LOAD] !== 0 || values[POWER] !== 0 || values[SITE] !== 0) return false;
  const valid = present & ~invalid;
  if ((valid & METERS) !== METERS || (valid & plan.evidence) !== 0 || reading.extra !== null) return false;
  for (let rest = valid & plan.measures & ~SOC_BIT; rest !== 0; rest &= rest - 1) {
    if (values[31 - Math.clz32(rest & -rest)] !== 0) return false;
  }
  return true;
}

function fold(asset: PowerwallAsset, reading: Reading, config: AssetConfig, out: Facts): void {
  const voided = isVoid(reading);
  const kept = voided && reading.values[SOC] > 0 ? SOC_BIT : 0;
  if (asset.meters !== 0 || (reading.present & meters.bits) !== 0) {
    foldMeters(asset, reading, meters, longestHold(config), voided, out);
  }
  const { soc } = asset;
  foldShared(asset, reading, plan, config, voided, kept, out);
  const t = reading.deviceTime;
  if (asset.soc !== soc) noteCharge(asset, soc);
  if (dayTurn.ended) foldEfficiency(asset, levelOf(asset), t, out);
  if (voided) return;
  const { values } = reading;
  const valid = reading.present & ~reading.invalid;
  if ((valid & FULL_BIT) !== 0 && isResting(asset)) {
    foldCapacity(asset, 'energyFullWh', asset.energyFullWh, t, config, out);
  }
  if (reading.extra !== null) foldExtras(asset, reading.extra, t, out);
  const status = (valid & GRID_STATUS_BIT) !== 0 ? values[GRID_STATUS] : Number.NaN;
  const inverter = (valid & INVERTER_STATE_BIT) !== 0 ? values[INVERTER_STATE] : Number.NaN;
  foldGrid(asset, grid, status, inverter, t, out);
  foldOperation(asset, operation, (valid & POWER_BIT) !== 0 ? values[POWER] : Number.NaN, t, out);
  const causes = asset.alertDerates | (isLimited(asset) ? Derate.socLimit : 0);
  if (causes !== asset.derates || causes !== asset.derated) foldDerates(asset, causes, t, out);
  foldHealth(asset, plan.health, t, out);
  if (out.forwards) sayMember(asset, member, config, out);
}

/** A battery that does not tell its full energy counts its cycles by its state of charge. */
function noteCharge(asset: PowerwallAsset, before: number): void {
  if (Number.isNaN(asset.energyFullWh) && !Number.isNaN(before)) asset.socMoved += Math.abs(asset.soc - before);
}

function levelOf(asset: PowerwallAsset): ChargeLevel {
  const { soc, energyRemainingWh: remainingWh, energyFullWh: fullWh, socMoved } = asset;
  return { soc, remainingWh, fullWh: fullWh > 0 ? fullWh : Number.NaN, socMoved };
}

function isResting({ powerW, invalidFields }: PowerwallAsset): boolean {
  return powerW <= RESTS_W && powerW >= -RESTS_W && (invalidFields & POWER_BIT) === 0;
}

function isLimited(asset: PowerwallAsset): boolean {
  return asset.availableChargeW === 0 || asset.availableDischargeW === 0;
}

function foldExtras(
  asset: PowerwallAsset,
  extra: readonly (readonly [string, unknown])[],
  t: number,
  out: Facts,
): void {
  for (const [name, value] of extra) {
    if (name === 'alerts') foldAlerts(asset, value as readonly Alert[], t, true, out);
    else if (name === 'disabledReasons') foldReasons(asset, value as readonly string[], t, out);
    else if (name === 'POD_PermanentlyFaulted' && value === 'true') asset.flags |= Flag.permanent;
  }
  keepExtras(asset, extra, t, isTimed);
}

/** Each reason is a fault of its own; one that is no longer in the list is cleared. */
function foldReasons(asset: PowerwallAsset, reasons: readonly string[], t: number, out: Facts): void {
  const flags = reasons.length > 0 ? asset.flags | Flag.disabled : asset.flags & ~Flag.disabled;
  if (flags !== asset.flags) asset.flags = flags;
  for (const reason of reasons) if (reason !== NO_FAULT) openFault(asset, reason, 'critical', 'reason', t, t, out);
  closeFaults(asset, (f) => f.source === 'reason' && !reasons.includes(f.code), t, 'cleared', out);
}

const kind: Kind<PowerwallColumns> = {
  name: 'powerwall',
  machine: machineNames.powerwall,
  fields: powerwallFields,
  state: powerwallState,
  defaults: { cadenceMs: 5 * 60_000, timeZone: 'UTC' },
  lifecycleStates,
  fold,
  silenceLimits,
  elapse: (asset, stage, config, out) => elapse(asset, plan.connectivity, stage, config, out),
  lose,
  open(asset, config, out) {
    openShared(asset, plan, config, out);
    openGridEvent(asset, out);
    openMeters(asset, out);
    openCapacity(asset, 'energyFullWh', config, out);
  },
  foldLifecycle,
  story: lifeStory,
  audience,
  view: (asset, life, config) => viewAsset(asset, life, config, view),
};

/** Home battery. */
export const powerwall = kind as unknown as Kind;
