import type { Facts } from '../../../runtime/shard/derived.ts';
import { gapTransition, iso } from '../facts.ts';
import { type BoundRegion, regionSince, step } from '../region.ts';
import { OCPP16_STATUS, OCPP201_STATUS } from './fields.ts';
import { operationRegion } from './operation.machine.ts';
import type { SuperchargerAsset } from './state.ts';

const { table } = operationRegion;
const AVAILABLE_EVENT = table.eventIndex('available');
const PREPARING_EVENT = table.eventIndex('preparing');
const FINISHING_EVENT = table.eventIndex('finishing');
const SUSPENDED_EV_EVENT = table.eventIndex('suspendedEV');
/** Distance from a status to the jump that leads to it from everywhere. */
const MISSED = table.eventIndex('missedToAvailable') - AVAILABLE_EVENT;

export const UNKNOWN = table.stateIndex('unknown');
export const AVAILABLE = table.stateIndex('available');
export const PREPARING = table.stateIndex('preparing');
export const CHARGING = table.stateIndex('charging');
export const SUSPENDED_EV = table.stateIndex('suspendedEV');
export const SUSPENDED_EVSE = table.stateIndex('suspendedEVSE');
export const FINISHING = table.stateIndex('finishing');
export const FAULTED = table.stateIndex('faulted');
const RESERVED = table.stateIndex('reserved');

const OCCUPIED_WORD = OCPP16_STATUS.length + OCPP201_STATUS.indexOf('Occupied');
const EV_CONNECTED_WORD = OCPP16_STATUS.length + OCPP201_STATUS.indexOf('EVConnected');

/** A vehicle is there, or somebody is about to charge. */
export function isOccupied(state: number): boolean {
  return state === PREPARING || state === FINISHING || isInSession(state);
}

/** The status that only a stall with a transaction has. */
export function isInSession(state: number): boolean {
  return state === CHARGING || state === SUSPENDED_EV || state === SUSPENDED_EVSE;
}

/**
 * Region operation after a told status (index of its word). A jump that the table of OCPP 1.6 does not have is
 * accepted, and stated as a gap: messages between were missed.
 */
export function foldStatus(asset: SuperchargerAsset, region: BoundRegion, word: number, t: number, out: Facts): void {
  const from = asset.operation;
  const event = eventOf(word, from);
  if (event < 0 || table.states[from] === table.events[event]) return;
  if (table.has(from, event)) {
    // Where vehicle and stall both suspend, the stall's word counts.
    const yields = event === SUSPENDED_EV_EVENT && from === SUSPENDED_EVSE && regionSince(asset, region) === t;
    if (!yields) step(asset, region, event, t, 'status', out);
    return;
  }
  step(asset, region, event + MISSED, t, 'status', out);
  const nth = asset.operationNth;
  out.emit(gapTransition, `${asset.serial}/${region.name}/${iso(t)}/${nth}`, t, {
    region: region.name,
    from: table.states[from],
    to: table.states[asset.operation],
    at: t,
  });
}

/** Event of a status word, -1 where it changes nothing. The words of 2.0.1 are coarser than the states: they never undo a finer one. */
function eventOf(word: number, from: number): number {
  if (word < OCPP16_STATUS.length) return AVAILABLE_EVENT + word;
  if (word === OCCUPIED_WORD) return isOccupied(from) ? -1 : PREPARING_EVENT;
  if (word === EV_CONNECTED_WORD) return from === PREPARING || isInSession(from) ? -1 : PREPARING_EVENT;
  if (isInSession(from) || from === FINISHING) return FINISHING_EVENT;
  return from === AVAILABLE || from === RESERVED || from === UNKNOWN ? PREPARING_EVENT : -1;
}
