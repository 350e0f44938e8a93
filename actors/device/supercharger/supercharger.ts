import type { StateSchema } from '../../../snapshots/schema.ts';
import type { AssetConfig, Kind } from '../../../runtime/shard/contract.ts';
import type { Facts } from '../../../runtime/shard/derived.ts';
import type { Reading } from '../../../runtime/shard/reading.ts';
import type { Alert } from '../../../codec/alerts.ts';
import { foldAlerts } from '../alerts.ts';
import { audience } from '../audience.ts';
import { foldDerates } from '../derates.ts';
import { allInvalid, foldShared, openShared, planDevice } from '../device.ts';
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
import { completeReading, settleRegister } from './complete.ts';
import { foldStallFaults } from './faults.ts';
import { OCPP16_STATUS, superchargerFields } from './fields.ts';
import { AVAILABLE, foldStatus, PREPARING } from './operation.ts';
import { operationRegion } from './operation.machine.ts';
import { beginSession, ENDED, STARTED, trackSession } from './session.ts';
import { endSession, leaveSession, openSessions } from './session-end.ts';
import { sessionRegion } from './session.machine.ts';
import { foldSessionRegion, regionBegins, regionEnds } from './session-region.ts';
import { accrueShortage, derateCauses, detailOf } from './sharing.ts';
import { type SuperchargerAsset, type SuperchargerColumns, superchargerState } from './state.ts';

/** No stall gives more: trucks get 1.2 MW. */
const MAX_POWER_W = 1e7;

const schema = superchargerState as unknown as StateSchema;
const operation = new BoundRegion(schema, operationRegion);
const session = new BoundRegion(schema, sessionRegion);
const plan = planDevice(schema, superchargerFields, [operation, session], MAX_POWER_W, 'deliveredWh');
const member = planMember(plan.fields, ['powerW', 'vehicleW', 'offeredW', 'requestedW', 'vehicleSoc']);
const view = {
  fields: plan.fields,
  connectivity: plan.connectivity,
  health: plan.health,
  operation,
  grid: null,
  more: [session],
};

const at = (name: string) => superchargerFields.findIndex((f) => f.name === name);
const VEHICLE = at('vehicleW');
const ENERGY_IN = at('energyInWh');
const STATUS = at('status');
const ERROR = at('errorCode');
const SOC = at('vehicleSoc');
const EVENT = at('sessionEvent');
const SEQ_NO = at('seqNo');
const AVAILABLE_WORD = OCPP16_STATUS.indexOf('Available');
const isTimed = (name: string) => at(name) < 0;

/** What the reading in hand says of its session. Used again for every reading: a turn allocates nothing. */
const word = {
  event: Number.NaN,
  id: null as string | null,
  stoppedReason: null as string | null,
  seqNo: Number.NaN,
  isFree: false,
  addedWh: 0,
};

function fold(asset: SuperchargerAsset, reading: Reading, config: AssetConfig, out: Facts): void {
  const { present, invalid, values } = reading;
  const energyIn = values[ENERGY_IN];
  const voided = invalid !== 0 && allInvalid(reading, plan);
  completeReading(asset, reading);
  const before = asset.totalInWh;
  accrueShortage(asset, reading.deviceTime, config);
  foldShared(asset, reading, plan, config, voided, 0, out);
  settleRegister(asset, reading);
  if (!voided) {
    foldStall(asset, reading, asset.totalInWh - before, out);
    if (out.forwards) sayMember(asset, member, config, out);
  }
  // The reading goes into the window as it came.
  reading.present = present;
  reading.invalid = invalid;
  values[ENERGY_IN] = energyIn;
}

function foldStall(asset: SuperchargerAsset, reading: Reading, addedWh: number, out: Facts): void {
  const t = reading.deviceTime;
  const { values, extra } = reading;
  const valid = reading.present & ~reading.invalid;
  const vehicleW = (valid >>> VEHICLE) & 1 ? values[VEHICLE] : Number.NaN;
  word.event = (valid >>> EVENT) & 1 ? values[EVENT] : Number.NaN;
  word.seqNo = (valid >>> SEQ_NO) & 1 ? values[SEQ_NO] : Number.NaN;
  word.isFree = (valid >>> STATUS) & 1 ? values[STATUS] === AVAILABLE_WORD : asset.operation === AVAILABLE;
  word.addedWh = addedWh;
  word.id = word.stoppedReason = null;
  if (extra !== null) foldExtras(asset, extra, t, out);
  if (beginSession(asset, word, t, out)) regionBegins(asset, session, t, out);
  const was = asset.operation;
  if ((valid >>> STATUS) & 1) foldStatus(asset, operation, values[STATUS], t, out);
  const moved = asset.operation !== was;
  trackSession(asset, word, vehicleW, (valid >>> SOC) & 1 ? values[SOC] : Number.NaN, t);
  foldSessionRegion(asset, session, moved && asset.operation === PREPARING, vehicleW, t, out);
  if (word.event === ENDED) {
    if (endSession(asset, word, t, out)) regionEnds(asset, session, 'transaction', t, out);
  } else if (moved && asset.operation === AVAILABLE && asset.sessionStart !== 0 && word.event !== STARTED) {
    leaveSession(asset, t, out);
    regionEnds(asset, session, 'status', t, out);
  }
  foldStallFaults(asset, ((valid >>> STATUS) & 1) !== 0 || ((valid >>> ERROR) & 1) !== 0, t, out);
  const causes = derateCauses(asset);
  if (causes !== asset.derates || causes !== asset.derated) {
    foldDerates(asset, causes, t, out, detailOf(asset, t));
  }
  foldHealth(asset, plan.health, t, out);
}

function foldExtras(
  asset: SuperchargerAsset,
  extra: readonly (readonly [string, unknown])[],
  t: number,
  out: Facts,
): void {
  for (const [name, value] of extra) {
    if (name === 'alerts') foldAlerts(asset, value as readonly Alert[], t, true, out);
    else if (name === 'sessionId' && value !== '') word.id = value as string;
    else if (name === 'stoppedReason' && value !== '') word.stoppedReason = value as string;
  }
  keepExtras(asset, extra, t, isTimed);
}

const kind: Kind<SuperchargerColumns> = {
  name: 'supercharger',
  machine: machineNames.supercharger,
  fields: superchargerFields,
  state: superchargerState,
  defaults: { cadenceMs: 60_000, timeZone: 'UTC' },
  lifecycleStates,
  fold,
  silenceLimits,
  elapse: (asset, stage, config, out) => elapse(asset, plan.connectivity, stage, config, out),
  lose,
  open(asset, config, out) {
    openShared(asset, plan, config, out);
    openSessions(asset, out);
  },
  foldLifecycle,
  story: lifeStory,
  audience,
  view: (asset, life, config) => viewAsset(asset, life, config, view),
};

/** One stall of a fast charger. */
export const supercharger = kind as unknown as Kind;
