import type { Facts } from '../../../runtime/shard/derived.ts';
import { AlertBit } from '../flags.ts';
import { type BoundRegion, step } from '../region.ts';
import { operationRegion } from './operation.machine.ts';
import { eventOfState, NO_EVENT } from './schemes.ts';
import type { InverterAsset } from './state.ts';

/** Of a source that tells no state: power from which it works, and below which it sleeps, W, in two readings in a row. */
export const WORKS_W = 50;
const SLEEPS_W = 20;

const { table } = operationRegion;
const OFF = table.eventIndex('off');
const SLEEP = table.eventIndex('sleep');
const RUN = table.eventIndex('run');
const THROTTLE = table.eventIndex('throttle');
const STANDBY = table.eventIndex('standby');
const TRIP = table.eventIndex('trip');

export const RUNNING = table.stateIndex('running');
export const THROTTLED = table.stateIndex('throttled');
export const FAULTED = table.stateIndex('faulted');
const UNKNOWN = table.stateIndex('unknown');
export const OFF_STATE = table.stateIndex('off');
export const SLEEPING = table.stateIndex('sleeping');
const TRIPPED = table.stateIndex('tripped');

/** Whether the unit is awake, so that what it no longer reports is gone. Off, at night, it means nothing. */
export function isAwake(asset: InverterAsset): boolean {
  const state = asset.operation;
  return state !== OFF_STATE && state !== SLEEPING;
}

export function isFeeding(state: number): boolean {
  return state === RUNNING || state === THROTTLED;
}

/** Region operation after a reading whose fields are applied. `code`, `power`: what it told, NaN where it did not. */
export function foldOperation(
  asset: InverterAsset,
  region: BoundRegion,
  code: number,
  power: number,
  t: number,
  out: Facts,
): void {
  if (!Number.isNaN(code)) foldState(asset, region, code, t, out);
  else if (Number.isNaN(asset.stateCode) && !Number.isNaN(power)) foldPower(asset, region, power, t, out);
  foldThrottle(asset, region, t, out);
}

/** The state that the inverter tells wins; power only confirms it. */
function foldState(asset: InverterAsset, region: BoundRegion, code: number, t: number, out: Facts): void {
  let event = eventOfState(asset.stateScheme, code);
  if (event === NO_EVENT) return;
  if (event === RUN && isThrottled(asset)) event = THROTTLE;
  const gridLost = (asset.alertBits & AlertBit.gridLost) !== 0;
  if (gridLost && (event === OFF || event === STANDBY || event === SLEEP)) {
    if (asset.operation === TRIPPED) return;
    if (table.has(asset.operation, TRIP)) event = TRIP;
  }
  if (table.next(asset.operation, event) !== asset.operation) step(asset, region, event, t, 'state', out);
}

/** Sources that tell no state: two readings in a row decide. */
function foldPower(asset: InverterAsset, region: BoundRegion, power: number, t: number, out: Facts): void {
  const state = asset.operation;
  const event = power > WORKS_W ? (isThrottled(asset) ? THROTTLE : RUN) : power < SLEEPS_W ? SLEEP : NO_EVENT;
  const changes = event !== NO_EVENT && table.next(state, event) !== state && !(event === RUN && isFeeding(state));
  if (!changes) {
    if (asset.operationPending !== 0) asset.operationPending = 0;
  } else if (state === UNKNOWN || asset.operationPending === event + 1) {
    if (asset.operationPending !== 0) asset.operationPending = 0;
    step(asset, region, event, t, 'power', out);
  } else {
    asset.operationPending = event + 1;
  }
}

/** Throttling begins and ends with its sources, where the state itself did not tell. */
function foldThrottle(asset: InverterAsset, region: BoundRegion, t: number, out: Facts): void {
  const state = asset.operation;
  if (state === RUNNING && isThrottled(asset)) step(asset, region, THROTTLE, t, 'throttle', out);
  else if (state === THROTTLED && !isThrottled(asset) && !tellsThrottled(asset)) {
    step(asset, region, RUN, t, 'throttle', out);
  }
}

function isThrottled(asset: InverterAsset): boolean {
  return (asset.alertBits & AlertBit.throttled) !== 0;
}

function tellsThrottled(asset: InverterAsset): boolean {
  return !Number.isNaN(asset.stateCode) && eventOfState(asset.stateScheme, asset.stateCode) === THROTTLE;
}
