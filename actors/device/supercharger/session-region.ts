import type { Facts } from '../../../runtime/shard/derived.ts';
import { type BoundRegion, step } from '../region.ts';
import { CHARGING, FINISHING, isInSession, isOccupied, PREPARING } from './operation.ts';
import { IDLE_W } from './session.ts';
import { sessionRegion } from './session.machine.ts';
import type { SuperchargerAsset } from './state.ts';

const { table } = sessionRegion;
const AUTHORIZE = table.eventIndex('authorize');
const CONNECT = table.eventIndex('connect');
const CHARGE = table.eventIndex('charge');
const SUSPEND = table.eventIndex('suspend');
const END = table.eventIndex('end');
const CLOSE = table.eventIndex('close');
const IDLE_STATE = table.stateIndex('idle');
const AUTHORIZING_STATE = table.stateIndex('authorizing');
const CHARGING_STATE = table.stateIndex('charging');
const ENDING_STATE = table.stateIndex('ending');
const NO_EVENT = -1;

/** A transaction has begun, and with it ended the one that was open. */
export function regionBegins(asset: SuperchargerAsset, region: BoundRegion, t: number, out: Facts): void {
  if (asset.session !== AUTHORIZING_STATE && asset.session !== IDLE_STATE)
    step(asset, region, CLOSE, t, 'transaction', out);
  step(asset, region, CONNECT, t, 'transaction', out);
}

/** A transaction has ended: while the vehicle is still there, the session is ending. */
export function regionEnds(asset: SuperchargerAsset, region: BoundRegion, cause: string, t: number, out: Facts): void {
  step(asset, region, isOccupied(asset.operation) ? END : CLOSE, t, cause, out);
}

/** Region session after the status of a reading. `arrived`: the status has just become Preparing. `vehicleW`: NaN where the reading tells none. */
export function foldSessionRegion(
  asset: SuperchargerAsset,
  region: BoundRegion,
  arrived: boolean,
  vehicleW: number,
  t: number,
  out: Facts,
): void {
  if (asset.sessionStart === 0) {
    const event = eventWithout(asset, arrived);
    if (event !== NO_EVENT) step(asset, region, event, t, 'status', out);
    return;
  }
  const { operation } = asset;
  if (operation === FINISHING) step(asset, region, END, t, 'status', out);
  else if (isInSession(operation)) step(asset, region, operation === CHARGING ? CHARGE : SUSPEND, t, 'status', out);
  else if (vehicleW > IDLE_W) step(asset, region, CHARGE, t, 'power', out);
  else if (vehicleW <= IDLE_W && asset.session === CHARGING_STATE) step(asset, region, SUSPEND, t, 'power', out);
}

function eventWithout({ session, operation }: SuperchargerAsset, arrived: boolean): number {
  if (session === IDLE_STATE) return operation === PREPARING ? AUTHORIZE : NO_EVENT;
  if (session === ENDING_STATE && arrived) return AUTHORIZE;
  if (session === AUTHORIZING_STATE) return operation === PREPARING || isInSession(operation) ? NO_EVENT : CLOSE;
  return isOccupied(operation) ? NO_EVENT : CLOSE;
}
