import type { Facts } from '../../../runtime/shard/derived.ts';
import { type BoundRegion, step } from '../region.ts';
import { CHARGE_STATES, STATES } from './fields.ts';
import { chargeLimit, dischargeLimit, isAtLimit } from './limits.ts';
import { operationRegion } from './operation.machine.ts';
import { idlePower } from './rating.ts';
import type { MegapackAsset } from './state.ts';
import { endTrip, isTripped } from './trips.ts';

const NEVER_REPORTED = 255;
const NO_EVENT = -1;

const { table } = operationRegion;
const DISCONNECT = table.eventIndex('disconnect');
const CONNECT = table.eventIndex('connect');
const PROTECT = table.eventIndex('protect');
const DISCHARGE = table.eventIndex('discharge');
const CHARGE = table.eventIndex('charge');
const IDLE = table.eventIndex('idle');

const UNKNOWN = table.stateIndex('unknown');
const DISCONNECTED = table.stateIndex('disconnected');
const INITIALIZING = table.stateIndex('initializing');
const CONNECTED_IDLE = table.stateIndex('connectedIdle');
const CHARGING = table.stateIndex('charging');
const DISCHARGING = table.stateIndex('discharging');
const PROTECTED = table.stateIndex('socProtection');

/** Event of each word of `state`. */
const STATE_EVENTS = Uint8Array.from(
  ['disconnect', 'initialize', 'connect', 'standBy', 'protect', 'suspend', 'disconnect'] as const,
  (name) => table.eventIndex(name),
);
const PROTECTS = STATES.indexOf('SOC_PROTECTION');
const OFF = CHARGE_STATES.indexOf('OFF');
/** Event of each word of `chargeState`; the others say nothing of the direction. */
const CHARGE_EVENTS = Int8Array.from(CHARGE_STATES, (word) =>
  word === 'DISCHARGING' ? DISCHARGE : word === 'CHARGING' ? CHARGE : word === 'HOLDING' ? IDLE : NO_EVENT,
);

/** Whether its contactors are closed and it may move power. */
export function isConnected(asset: MegapackAsset): boolean {
  const state = asset.operation;
  return state === CONNECTED_IDLE || state === CHARGING || state === DISCHARGING || state === PROTECTED;
}

/** Whether its strings are meant to be closed: not while the contactors are open, nor while it closes them one by one. */
export function closesStrings({ operation }: MegapackAsset): boolean {
  return operation !== DISCONNECTED && operation !== INITIALIZING;
}

/**
 * Region operation after a reading whose fields are applied. `charge`, `power`: what it told, NaN where it did not.
 * The state that the unit tells wins; while it is connected the charge state goes before the power.
 */
export function foldOperation(
  asset: MegapackAsset,
  region: BoundRegion,
  charge: number,
  power: number,
  t: number,
  out: Facts,
): void {
  if (isTripped(asset) && provesContact(asset, power)) endTrip(asset);
  const isOpen = isTripped(asset);
  const event = isOpen ? DISCONNECT : asset.state === NEVER_REPORTED ? unstated(asset, charge, power) : stated(asset);
  if (event !== NO_EVENT && table.next(asset.operation, event) !== asset.operation) {
    step(asset, region, event, t, isOpen ? 'alert' : causeOf(asset, charge), out);
  }
  if (isOpen) return;
  if (!isConnected(asset) || asset.state === PROTECTS) {
    if (asset.operationPending !== 0) asset.operationPending = 0;
    return;
  }
  const direction = Number.isNaN(charge) ? NO_EVENT : CHARGE_EVENTS[charge];
  if (direction !== NO_EVENT) turnTo(asset, region, direction, t, out);
  else if (!Number.isNaN(power)) foldPower(asset, region, power, t, out);
  foldLimits(asset, region, t, out);
}

/** Power beyond the threshold in two readings in a row does not flow through open contactors. */
function provesContact(asset: MegapackAsset, power: number): boolean {
  if (Number.isNaN(power)) return false;
  const flows = Math.abs(power) > idlePower(asset);
  const isProof = flows && asset.operationPending === CONNECT + 1;
  const pending = flows && !isProof ? CONNECT + 1 : 0;
  if (asset.operationPending !== pending) asset.operationPending = pending;
  return isProof;
}

/** A state is a level: the word holds until another comes. At a limit of its charge a connected unit stays so. */
function stated(asset: MegapackAsset): number {
  const event = STATE_EVENTS[asset.state];
  return event === CONNECT && asset.operation === PROTECTED && isAtLimit(asset) ? NO_EVENT : event;
}

/** Sources that tell no state: a unit that measures power is connected, unless its charge state is off. */
function unstated(asset: MegapackAsset, charge: number, power: number): number {
  if (asset.chargeState === OFF) return DISCONNECT;
  const state = asset.operation;
  if (state === PROTECTED) return isAtLimit(asset) ? NO_EVENT : CONNECT;
  if (state !== UNKNOWN && state !== DISCONNECTED) return NO_EVENT;
  return Number.isNaN(power) && Number.isNaN(charge) ? NO_EVENT : CONNECT;
}

function causeOf(asset: MegapackAsset, charge: number): string {
  if (asset.state !== NEVER_REPORTED) return 'state';
  return Number.isNaN(charge) ? 'power' : 'charge_state';
}

function turnTo(asset: MegapackAsset, region: BoundRegion, event: number, t: number, out: Facts): void {
  if (asset.operationPending !== 0) asset.operationPending = 0;
  if (!isBarred(asset, event)) step(asset, region, event, t, 'charge_state', out);
}

/** A change of power counts when a second reading in a row confirms it. */
function foldPower(asset: MegapackAsset, region: BoundRegion, power: number, t: number, out: Facts): void {
  const idleW = idlePower(asset);
  const event = power > idleW ? DISCHARGE : power < -idleW ? CHARGE : IDLE;
  const state = asset.operation;
  const pending = asset.operationPending;
  if (table.next(state, event) === state || isBarred(asset, event)) {
    if (pending !== 0) asset.operationPending = 0;
  } else if (pending === event + 1) {
    asset.operationPending = 0;
    step(asset, region, event, t, 'power', out);
  } else {
    asset.operationPending = event + 1;
  }
}

/** What trickles beyond a limit does not leave it. */
function isBarred(asset: MegapackAsset, event: number): boolean {
  if (asset.operation !== PROTECTED) return false;
  return event === CHARGE ? chargeLimit(asset) !== null : event === DISCHARGE && dischargeLimit(asset) !== null;
}

function foldLimits(asset: MegapackAsset, region: BoundRegion, t: number, out: Facts): void {
  const state = asset.operation;
  const cause = state === CHARGING ? chargeLimit(asset) : state === DISCHARGING ? dischargeLimit(asset) : null;
  if (cause !== null) step(asset, region, PROTECT, t, cause, out);
}
