import type { Random } from '../random.ts';
import type { FieldValue } from '../record.ts';
import { type Fault, stepFault } from './fault.ts';
import type { FleetRates } from './options.ts';
import { changedFields, nothingTold, type ToldFields } from './sparse.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Most that one stall gives, W. */
export const STALL_W = 250_000;
/** A vehicle that wants less has all it wants, Wh. */
const ENOUGH_WH = 50;
const VERSION = '2024.8.1';

/** Error codes of OCPP 1.6 with which a virtual stall fails, and why its transaction ends then. */
export const stallFaults = [
  { errorCode: 'GroundFailure', stoppedReason: 'GroundFault' },
  { errorCode: 'PowerSwitchFailure', stoppedReason: 'Other' },
  { errorCode: 'ConnectorLockFailure', stoppedReason: 'EVDisconnected' },
] as const;

type Status = 'Available' | 'Preparing' | 'Charging' | 'SuspendedEV' | 'SuspendedEVSE' | 'Finishing' | 'Faulted';

/** A vehicle at a stall, and its transaction. */
export interface Visit {
  readonly id: string;
  /** Number of its newest message. */
  readonly seqNo: number;
  readonly batteryWh: number;
  readonly storedWh: number;
  /** Energy at which its driver has enough. */
  readonly wantedWh: number;
  readonly peakW: number;
  /** When it drives away, once it has enough; epoch milliseconds, 0 until then. */
  readonly leavesAt: number;
  readonly event: 'Started' | 'Updated' | 'Ended';
  readonly stoppedReason: string | null;
}

export interface StallState {
  readonly status: Status;
  readonly visit: Visit | null;
  /** Held since the last step, W into the vehicle. */
  readonly powerW: number;
  readonly offeredW: number;
  readonly requestedW: number;
  /** Lifetime energy into vehicles, Wh, exact. */
  readonly deliveredWh: number;
  readonly fault: Fault | null;
  readonly told: ToldFields;
}

export function newStall(random: Random): StallState {
  const deliveredWh = Math.round(random.between(2e6, 2e8));
  const rest = { powerW: 0, offeredW: 0, requestedW: 0, fault: null, told: nothingTold };
  return { status: 'Available', visit: null, deliveredWh, ...rest };
}

/** Lets the held power flow for `dtMs`. */
export function flowStall(state: StallState, dtMs: number): StallState {
  const energyWh = (state.powerW * dtMs) / HOUR_MS;
  const visit = state.visit === null ? null : { ...state.visit, storedWh: state.visit.storedWh + energyWh };
  return { ...state, visit, deliveredWh: state.deliveredWh + energyWh };
}

/** What happens at the stall at `time`: faults, arrivals, departures. Power is shared later. */
export function stepStall(
  state: StallState,
  serial: string,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
): StallState {
  const fault = stepFault(state.fault, time, dtMs, stallFaults.length, rates, random);
  const now = { ...state, fault, powerW: 0 };
  const visit = state.visit?.event === 'Ended' ? null : state.visit;
  if (fault !== null) {
    const ended = visit === null ? null : endVisit(visit, stallFaults[fault.which].stoppedReason);
    return { ...now, status: 'Faulted', visit: ended };
  }
  if (visit === null) {
    const isFree = state.status === 'Available';
    const arrives = isFree && random.chance((rates.sessionsPerDay * dtMs) / DAY_MS);
    return arrives
      ? { ...now, status: 'Preparing', visit: arrive(serial, time, random) }
      : { ...now, status: 'Available', visit: null };
  }
  return { ...now, ...stepVisit(visit, time, random) };
}

function arrive(serial: string, time: number, random: Random): Visit {
  const batteryWh = random.int(55, 100) * 1000;
  return {
    id: `${serial}-${time.toString(36)}`,
    seqNo: 0,
    batteryWh,
    storedWh: batteryWh * random.between(0.08, 0.5),
    wantedWh: batteryWh * random.between(0.6, 0.95),
    peakW: random.pick([120_000, 170_000, 250_000]),
    leavesAt: 0,
    event: 'Started',
    stoppedReason: null,
  };
}

function stepVisit(visit: Visit, time: number, random: Random): Pick<StallState, 'status' | 'visit'> {
  const next: Visit = { ...visit, seqNo: visit.seqNo + 1, event: 'Updated' };
  if (visit.wantedWh - visit.storedWh > ENOUGH_WH) return { status: 'Charging', visit: next };
  if (visit.leavesAt === 0) {
    const leavesAt = time + Math.ceil(random.exponential(8 * MINUTE_MS));
    return { status: 'SuspendedEV', visit: { ...next, leavesAt } };
  }
  if (time < visit.leavesAt) return { status: 'SuspendedEV', visit: next };
  return { status: 'Finishing', visit: endVisit(visit, 'EVDisconnected') };
}

function endVisit(visit: Visit, stoppedReason: string): Visit {
  return { ...visit, seqNo: visit.seqNo + 1, event: 'Ended', stoppedReason };
}

/** What the vehicle asks for, W: all it can up to half full, then less and less; and never more than fits until the next step. */
export function requestOf({ status, visit }: StallState, holdMs: number): number {
  if (status !== 'Charging' || visit === null) return 0;
  const taper = Math.min(1, Math.max(0.15, (1.1 - visit.storedWh / visit.batteryWh) / 0.6));
  const fits = ((visit.wantedWh - visit.storedWh) * HOUR_MS) / holdMs;
  return Math.floor(Math.min(visit.peakW * taper, STALL_W, fits));
}

/** The reading at a step, sparse. */
export function readStall(
  state: StallState,
  isOffline: boolean,
  time: number,
): { state: StallState; fields: Record<string, FieldValue> } {
  const { visit, fault } = state;
  const slow = changedFields(
    state.told,
    {
      status: state.status,
      errorCode: fault === null ? 'NoError' : stallFaults[fault.which].errorCode,
      offeredW: state.offeredW,
      requestedW: state.requestedW,
      firmware: VERSION,
    },
    time,
  );
  const fields: Record<string, FieldValue> = {
    vehicleW: state.powerW,
    deliveredWh: Math.floor(state.deliveredWh),
    ...slow.fields,
  };
  if (visit !== null) {
    fields.sessionId = visit.id;
    fields.sessionEvent = visit.event;
    fields.seqNo = visit.seqNo;
    fields.vehicleSoc = Math.round((visit.storedWh / visit.batteryWh) * 1000) / 1000;
    if (isOffline) fields.offline = true;
    if (visit.stoppedReason !== null) fields.stoppedReason = visit.stoppedReason;
  }
  return { state: { ...state, told: slow.told }, fields };
}
