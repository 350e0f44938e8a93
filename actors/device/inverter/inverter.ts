import type { StateSchema } from '../../../snapshots/schema.ts';
import type { AssetConfig, Kind } from '../../../runtime/shard/contract.ts';
import type { Facts } from '../../../runtime/shard/derived.ts';
import { fieldTime } from '../../../runtime/shard/fields.ts';
import type { Reading } from '../../../runtime/shard/reading.ts';
import type { Alert } from '../../../codec/alerts.ts';
import { foldAlerts } from '../alerts.ts';
import { foldDerates } from '../derates.ts';
import { audience } from '../audience.ts';
import { allInvalid, type DevicePlan, foldShared, openShared, planDevice } from '../device.ts';
import { longestHold } from '../energy.ts';
import { keepExtras } from '../extras.ts';
import { foldHealth } from '../health.ts';
import { foldLifecycle, lifecycleStates } from '../lifecycle.ts';
import { lifeStory } from '../life-story.ts';
import { machineNames } from '../machine-names.ts';
import { planMember, sayMember } from '../member.ts';
import { BoundRegion } from '../region.ts';
import { lose } from '../loss.ts';
import { elapse, silenceLimits } from '../silence.ts';
import { viewAsset } from '../view.ts';
import { foldStateFaults } from './faults.ts';
import { inverterFields } from './fields.ts';
import { derateCauses, foldLists } from './lists.ts';
import { clips, detailOf, foldLoss, foldPeak } from './losses.ts';
import { foldOperation, isAwake, OFF_STATE, SLEEPING } from './operation.ts';
import { operationRegion } from './operation.machine.ts';
import { type InverterAsset, type InverterColumns, inverterState } from './state.ts';
import { foldStrings, openStrings } from './strings.ts';

/** More than any single inverter feeds. */
const MAX_POWER_W = 1e7;

const schema = inverterState as unknown as StateSchema;
const operation = new BoundRegion(schema, operationRegion);
const plan: DevicePlan = {
  ...planDevice(schema, inverterFields, [operation], MAX_POWER_W),
  nightStates: (1 << OFF_STATE) | (1 << SLEEPING),
};
const member = planMember(plan.fields, ['powerW', 'dcPowerW', 'throttlePct']);
const view = { fields: plan.fields, connectivity: plan.connectivity, health: plan.health, operation, grid: null };

const at = (name: string) => inverterFields.findIndex((f) => f.name === name);
const POWER = at('powerW');
const STATE = at('stateCode');
const SCHEME = at('stateScheme');
const ERROR = at('errorCode');
const THROTTLE = at('throttlePct');
const STRING_BITS = (1 << at('stringsConnected')) | (1 << at('stringsTotal'));
const isTimed = (name: string) => at(name) < 0;

function fold(asset: InverterAsset, reading: Reading, config: AssetConfig, out: Facts): void {
  const voided = reading.invalid !== 0 && allInvalid(reading, plan);
  const t = reading.deviceTime;
  if (asset.throttlePct > 0 && ((asset.invalidFields >>> THROTTLE) & 1) === 0) {
    foldLoss(asset, t, fieldTime(asset, plan.fields, THROTTLE), longestHold(config));
  }
  const { powerW: before, lastDeviceTime: last } = asset;
  foldShared(asset, reading, plan, config, voided, 0, out);
  if (voided) return;
  const { values } = reading;
  const valid = reading.present & ~reading.invalid;
  // In a scheme that nobody knows a number means nothing, least of all what it meant in the scheme before.
  const readable = ((asset.invalidFields >>> SCHEME) & 1) === 0;
  const code = (valid >>> STATE) & 1 && readable ? values[STATE] : Number.NaN;
  const error = (valid >>> ERROR) & 1 ? values[ERROR] : Number.NaN;
  const power = (valid >>> POWER) & 1 ? values[POWER] : Number.NaN;
  const { extra } = reading;
  if (extra !== null) keepLists(asset, extra, t);
  foldOperation(asset, operation, code, power, t, out);
  foldStateFaults(asset, code, error, power, t, out);
  if (extra !== null) foldAlertList(asset, extra, t, out);
  const clipsNow = Number.isNaN(power)
    ? clips(asset, t)
    : foldPeak(asset, before, power, t - last <= longestHold(config), t);
  const causes = derateCauses(asset, clipsNow);
  if (causes !== asset.derates || causes !== asset.derated) {
    foldDerates(asset, causes, t, out, detailOf(asset, clipsNow, t));
  }
  if (asset.stringsOut !== 0 || (valid & STRING_BITS) !== 0) foldStrings(asset, t, out);
  foldHealth(asset, plan.health, t, out);
  if (out.forwards) sayMember(asset, member, config, out);
}

function keepLists(asset: InverterAsset, extra: readonly (readonly [string, unknown])[], t: number): void {
  keepExtras(asset, extra, t, isTimed);
  foldLists(asset);
}

/** After the state: whether an alert that is no longer listed is gone depends on whether the unit is awake. */
function foldAlertList(
  asset: InverterAsset,
  extra: readonly (readonly [string, unknown])[],
  t: number,
  out: Facts,
): void {
  for (const [name, value] of extra) {
    if (name === 'alerts') foldAlerts(asset, value as readonly Alert[], t, isAwake(asset), out);
  }
}

const kind: Kind<InverterColumns> = {
  name: 'inverter',
  machine: machineNames.inverter,
  fields: inverterFields,
  state: inverterState,
  defaults: { cadenceMs: 10 * 60_000, timeZone: 'UTC' },
  lifecycleStates,
  fold,
  silenceLimits,
  elapse: (asset, stage, config, out) => elapse(asset, plan.connectivity, stage, config, out),
  lose,
  open(asset, config, out) {
    openShared(asset, plan, config, out);
    openStrings(asset, out);
  },
  foldLifecycle,
  story: lifeStory,
  audience,
  view: (asset, life, config) => viewAsset(asset, life, config, view),
};

/** Solar inverter. */
export const inverter = kind as unknown as Kind;
