import type { StateSchema } from '../../../snapshots/schema.ts';
import type { AssetConfig, Kind } from '../../../runtime/shard/contract.ts';
import type { Facts } from '../../../runtime/shard/derived.ts';
import type { Reading } from '../../../runtime/shard/reading.ts';
import type { Alert } from '../../../codec/alerts.ts';
import { foldAlerts } from '../alerts.ts';
import { audience } from '../audience.ts';
import { dayTurn } from '../availability.ts';
import { foldCapacity, openCapacity } from '../capacity.ts';
import { foldDerates } from '../derates.ts';
import { allInvalid, foldShared, openShared, planDevice } from '../device.ts';
import { type ChargeLevel, foldEfficiency } from '../efficiency.ts';
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
import { foldControl } from './control.ts';
import { controlRegion } from './control.machine.ts';
import { derateCauses, detailOf } from './derates.ts';
import { foldDispatch, holdDispatch, openDispatch } from './dispatch.ts';
import { foldHeat, foldSpread, openExcursions } from './excursions.ts';
import { foldStateFault, showsContact } from './faults.ts';
import { megapackFields } from './fields.ts';
import { foldOperation } from './operation.ts';
import { operationRegion } from './operation.machine.ts';
import { foldRating } from './rating.ts';
import { type MegapackAsset, type MegapackColumns, megapackState } from './state.ts';
import { endTrip, foldTrips, isTripped } from './trips.ts';

/** More than any single unit moves, by far. */
const MAX_POWER_W = 1e8;

const schema = megapackState as unknown as StateSchema;
const operation = new BoundRegion(schema, operationRegion);
const control = new BoundRegion(schema, controlRegion);
const plan = planDevice(schema, megapackFields, [operation, control], MAX_POWER_W);
const member = planMember(plan.fields, [
  'powerW',
  'setpointW',
  'soc',
  'availableChargeW',
  'availableDischargeW',
  'moduleTempMaxC',
]);
const view = {
  fields: plan.fields,
  connectivity: plan.connectivity,
  health: plan.health,
  operation,
  grid: null,
  more: [control],
};

const at = (name: string) => megapackFields.findIndex((f) => f.name === name);
const POWER = at('powerW');
const STATE = at('state');
const CHARGE_STATE = at('chargeState');
const CONTROL_MODE = at('controlMode');
const STRINGS = at('stringsConnected');
const CELLS = plan.fields.bit('cellVoltageMinV') | plan.fields.bit('cellVoltageMaxV');
const HEALTH = plan.fields.bit('soh');
const HEAT = plan.fields.bit('moduleTempMaxC');
const DISPATCH = plan.fields.bit('powerW') | plan.fields.bit('setpointW');
const isTimed = (name: string) => at(name) < 0;

function fold(asset: MegapackAsset, reading: Reading, config: AssetConfig, out: Facts): void {
  const voided = reading.invalid !== 0 && allInvalid(reading, plan);
  holdDispatch(asset);
  const { soc } = asset;
  foldShared(asset, reading, plan, config, voided, 0, out);
  const t = reading.deviceTime;
  if (asset.soc !== soc && !Number.isNaN(soc)) asset.socMoved += Math.abs(asset.soc - soc);
  if (dayTurn.ended) foldEfficiency(asset, levelOf(asset), t, out);
  if (voided) {
    foldDispatch(asset, false, t, config, out);
    return;
  }
  const { values } = reading;
  const valid = reading.present & ~reading.invalid;
  foldRating(asset);
  if ((valid & HEALTH) !== 0) foldCapacity(asset, 'soh', asset.soh, t, config, out);
  if (reading.extra !== null) foldExtras(asset, reading.extra, t, out);
  const state = (valid >>> STATE) & 1 ? values[STATE] : Number.NaN;
  const strings = (valid >>> STRINGS) & 1 ? values[STRINGS] : Number.NaN;
  if (isTripped(asset) && showsContact(state, strings)) endTrip(asset);
  const charge = (valid >>> CHARGE_STATE) & 1 ? values[CHARGE_STATE] : Number.NaN;
  foldOperation(asset, operation, charge, (valid >>> POWER) & 1 ? values[POWER] : Number.NaN, t, out);
  if ((valid >>> CONTROL_MODE) & 1) foldControl(asset, control, values[CONTROL_MODE], t, out);
  foldStateFault(asset, t, out);
  foldDispatch(asset, (asset.invalidFields & DISPATCH) === 0, t, config, out);
  if ((valid & HEAT) !== 0) foldHeat(asset, t, out);
  if ((valid & CELLS) !== 0) foldSpread(asset, t, out);
  const causes = derateCauses(asset);
  if (causes !== asset.derates || causes !== asset.derated) {
    foldDerates(asset, causes, t, out, detailOf(asset, t));
  }
  foldHealth(asset, plan.health, t, out);
  if (out.forwards) sayMember(asset, member, config, out);
}

/** A Megapack tells shares, not energies: cycles count by the state of charge. */
function levelOf({ soc, socMoved }: MegapackAsset): ChargeLevel {
  return { soc, remainingWh: Number.NaN, fullWh: Number.NaN, socMoved };
}

function foldExtras(asset: MegapackAsset, extra: readonly (readonly [string, unknown])[], t: number, out: Facts): void {
  for (const [name, value] of extra) {
    if (name === 'alerts') {
      foldAlerts(asset, value as readonly Alert[], t, true, out);
      foldTrips(asset, value as readonly Alert[], t, out);
    }
  }
  keepExtras(asset, extra, t, isTimed);
}

const kind: Kind<MegapackColumns> = {
  name: 'megapack',
  machine: machineNames.megapack,
  fields: megapackFields,
  state: megapackState,
  defaults: { cadenceMs: 60_000, timeZone: 'UTC' },
  lifecycleStates,
  fold,
  silenceLimits,
  elapse: (asset, stage, config, out) => elapse(asset, plan.connectivity, stage, config, out),
  lose,
  open(asset, config, out) {
    openShared(asset, plan, config, out);
    openCapacity(asset, 'soh', config, out);
    openDispatch(asset, out);
    openExcursions(asset, out);
  },
  foldLifecycle,
  story: lifeStory,
  audience,
  view: (asset, life, config) => viewAsset(asset, life, config, view),
};

/** Utility battery: one unit of a site. */
export const megapack = kind as unknown as Kind;
