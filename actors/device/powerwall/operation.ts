import type { Facts } from '../../../runtime/shard/derived.ts';
import { AlertBit, Flag } from '../flags.ts';
import { type BoundRegion, step } from '../region.ts';
import { INVERTER_GRID_STATES, INVERTER_STATES, OP_SEQ_STATES } from './fields.ts';
import { GRID_TIED, ISLAND_STATES } from './grid.ts';
import { operationRegion } from './operation.machine.ts';
import type { PowerwallAsset } from './state.ts';

/** Power beyond which the battery works, and within which it rests, W. Between the two it goes on as it was. */
const WORKS_W = 100;
export const RESTS_W = 50;
const NEVER_REPORTED = 255;

const { table } = operationRegion;
const READY = table.eventIndex('ready');
const DISCHARGE = table.eventIndex('discharge');
const CHARGE = table.eventIndex('charge');
const IDLE = table.eventIndex('idle');
const FULL = table.eventIndex('full');
const RESERVE = table.eventIndex('reserve');
const EMPTY = table.eventIndex('empty');
const SLEEP = table.eventIndex('sleep');
const WAKE = table.eventIndex('wake');
const DISABLE = table.eventIndex('disable');
const ENABLE = table.eventIndex('enable');
const NO_EVENT = -1;

const S_INITIALIZING = table.stateIndex('initializing');
const S_CHARGING = table.stateIndex('charging');
const S_DISCHARGING = table.stateIndex('discharging');
const S_RESERVE = table.stateIndex('atReserve');
const S_EMPTY = table.stateIndex('empty');
const S_SLEEPING = table.stateIndex('sleeping');
const S_DISABLED = table.stateIndex('disabled');

const FOLLOWING = INVERTER_STATES.indexOf('PINV_GridFollowing');
const FORMING = INVERTER_STATES.indexOf('PINV_GridForming');
const ACTIVE = OP_SEQ_STATES.indexOf('Active');
const NO_GRID_STATE = INVERTER_GRID_STATES.indexOf('');

/** Region operation after a reading whose fields are applied. `power`: what it measured, NaN where it did not. */
export function foldOperation(asset: PowerwallAsset, region: BoundRegion, power: number, t: number, out: Facts): void {
  if ((asset.flags & Flag.disabled) !== 0 || asset.inverterGridState === NO_GRID_STATE) {
    if (asset.operationPending !== 0) asset.operationPending = 0;
    if (asset.operation !== S_DISABLED) step(asset, region, DISABLE, t, 'disabled', out);
    return;
  }
  const state = asset.operation;
  if (state === S_DISABLED) step(asset, region, ENABLE, t, 'enabled', out);
  else if (state === S_INITIALIZING && isReady(asset, power)) step(asset, region, READY, t, 'state', out);
  if (!Number.isNaN(power)) foldPower(asset, region, power, t, out);
  foldEnds(asset, region, t, out);
}

function isReady(asset: PowerwallAsset, power: number): boolean {
  const inverter = asset.inverterState;
  if (inverter === NEVER_REPORTED) return !Number.isNaN(power);
  const sequence = asset.opSeqState;
  return (inverter === FOLLOWING || inverter === FORMING) && (sequence === ACTIVE || sequence === NEVER_REPORTED);
}

/** A change of power counts when a second reading in a row confirms it. */
function foldPower(asset: PowerwallAsset, region: BoundRegion, power: number, t: number, out: Facts): void {
  const event =
    power > WORKS_W ? DISCHARGE : power < -WORKS_W ? CHARGE : power <= RESTS_W && power >= -RESTS_W ? IDLE : NO_EVENT;
  const state = asset.operation;
  const changes = event !== NO_EVENT && table.next(state, event) !== state;
  const pending = asset.operationPending;
  if (!changes || (state === S_RESERVE && event === DISCHARGE && holdsReserve(asset))) {
    if (pending !== 0) asset.operationPending = 0;
  } else if (pending === event + 1) {
    asset.operationPending = 0;
    step(asset, region, event, t, 'power', out);
  } else {
    asset.operationPending = event + 1;
  }
}

/** The ends of charge and discharge, and what follows from them. */
function foldEnds(asset: PowerwallAsset, region: BoundRegion, t: number, out: Facts): void {
  const state = asset.operation;
  const alerts = asset.alertBits;
  if (state === S_CHARGING) {
    if (asset.availableChargeW === 0) step(asset, region, FULL, t, 'available_power', out);
    else if ((alerts & AlertBit.endOfCharge) !== 0) step(asset, region, FULL, t, 'alert', out);
  } else if (state === S_DISCHARGING) {
    if ((alerts & AlertBit.endOfDischarge) !== 0) step(asset, region, EMPTY, t, 'alert', out);
    else if (holdsReserve(asset)) step(asset, region, RESERVE, t, 'reserve', out);
  } else if (state === S_EMPTY) {
    if ((alerts & AlertBit.dormant) !== 0 && ISLAND_STATES.includes(asset.grid))
      step(asset, region, SLEEP, t, 'alert', out);
  } else if (state === S_SLEEPING) {
    if ((alerts & AlertBit.dormant) === 0) step(asset, region, WAKE, t, 'alert', out);
  }
}

/** The owner's reserve is reached and the grid is there; a home nobody says is off the grid is on it. */
function holdsReserve(asset: PowerwallAsset): boolean {
  if (asset.grid !== GRID_TIED && asset.grid !== 0) return false;
  return asset.soc <= asset.reserveSoc || (asset.alertBits & AlertBit.reserveLimit) !== 0;
}
