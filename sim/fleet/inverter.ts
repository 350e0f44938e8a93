import type { Random } from '../random.ts';
import type { FieldValue } from '../record.ts';
import { type Fault, stepFault } from './fault.ts';
import type { FleetRates } from './options.ts';
import type { Home } from './site.ts';
import { changedFields, nothingTold, type ToldFields } from './sparse.ts';

const HOUR_MS = 3_600_000;
const START_DELAY_MS = 300_000;
const WAKES_AT_W = 40;
const SLEEPS_BELOW_W = 20;

/** SunSpec model 103, point `St`. */
export const sunspec103 = {
  off: 1,
  sleeping: 2,
  starting: 3,
  running: 4,
  throttled: 5,
  shuttingDown: 6,
  fault: 7,
  standby: 8,
} as const;

/** Event bits of model 103 that make it fault; the error code is the bit's number plus one. */
export const inverterFaults = [
  { code: 1, event: 'GROUND_FAULT' },
  { code: 2, event: 'DC_OVER_VOLT' },
  { code: 8, event: 'OVER_TEMP' },
  { code: 13, event: 'BLOWN_STRING_FUSE' },
] as const;

export interface InverterState {
  readonly stateCode: number;
  /** When starting ends, epoch milliseconds. */
  readonly startedAt: number;
  /** Held since the last step, W. */
  readonly powerW: number;
  /** Energy of its life and of the local day `day`, Wh, exact. */
  readonly outWh: number;
  readonly dayWh: number;
  readonly day: number;
  readonly fault: Fault | null;
  readonly told: ToldFields;
}

export function newInverter(home: Home, time: number, random: Random): InverterState {
  return {
    stateCode: sunspec103.sleeping,
    startedAt: 0,
    powerW: 0,
    outWh: home.ageDays * home.panelW * random.between(2.5, 4.5),
    dayWh: 0,
    day: home.city.timeZone.dayNumber(time),
    fault: null,
    told: nothingTold,
  };
}

/** Lets the held power flow for `dtMs` up to `time`; the day's counter restarts at local midnight. */
export function flowInverter(home: Home, state: InverterState, time: number, dtMs: number): InverterState {
  const energy = (state.powerW * dtMs) / HOUR_MS;
  const day = home.city.timeZone.dayNumber(time);
  const dayWh = (day === state.day ? state.dayWh : 0) + energy;
  return { ...state, outWh: state.outWh + energy, dayWh, day };
}

export function stepInverterHealth(
  state: InverterState,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
): InverterState {
  return { ...state, fault: stepFault(state.fault, time, dtMs, inverterFaults.length, rates, random) };
}

/**
 * State and power until the next step. `roofW` is what the sun offers, `limitW` what may be fed (an island whose battery
 * is full takes less: its Powerwall raises the frequency), `gridLost` the moment in which the grid goes away.
 */
export function decideInverter(
  home: Home,
  state: InverterState,
  time: number,
  roofW: number,
  limitW: number,
  gridLost: boolean,
): InverterState {
  const stateCode = nextStateCode(home, state, time, roofW, limitW, gridLost);
  const isRunning = stateCode === sunspec103.running || stateCode === sunspec103.throttled;
  const powerW = isRunning ? Math.floor(Math.min(roofW, home.inverterW, limitW)) : 0;
  const begins = stateCode === sunspec103.starting && state.stateCode !== sunspec103.starting;
  return { ...state, stateCode, powerW, startedAt: begins ? time : state.startedAt };
}

function nextStateCode(
  home: Home,
  state: InverterState,
  time: number,
  roofW: number,
  limitW: number,
  gridLost: boolean,
): number {
  const code = sunspec103;
  if (state.fault !== null) return roofW > 0 ? code.fault : code.sleeping;
  if (gridLost && state.stateCode !== code.sleeping) return code.standby;
  switch (state.stateCode) {
    case code.sleeping:
    case code.standby:
    case code.fault:
      return roofW > WAKES_AT_W ? code.starting : code.sleeping;
    case code.starting:
      if (roofW < SLEEPS_BELOW_W) return code.sleeping;
      if (time - state.startedAt < START_DELAY_MS) return code.starting;
      break;
    case code.shuttingDown:
      return code.sleeping;
  }
  if (roofW < SLEEPS_BELOW_W) return code.shuttingDown;
  return roofW > Math.min(limitW, home.inverterW) ? code.throttled : code.running;
}

/** The reading at `time`, sparse. At night it tells that it sleeps. */
export function readInverter(
  home: Home,
  state: InverterState,
  flows: { readonly frequencyHz: number; readonly temperatureC: number; readonly islandLimited: boolean },
  time: number,
): { state: InverterState; fields: Record<string, FieldValue> } {
  const slow = changedFields(state.told, slowFields(home, state, flows.islandLimited), time);
  const counter: Record<string, FieldValue> = home.hasDailyCounter
    ? { energyDayWh: Math.floor(state.dayWh) }
    : { energyOutWh: Math.floor(state.outWh) };
  const fields = {
    powerW: state.powerW,
    ...counter,
    dcPowerW: Math.round(state.powerW / 0.97),
    tempC: Math.round((flows.temperatureC + 6 + state.powerW / 350) * 10) / 10,
    frequencyHz: flows.frequencyHz,
    ...slow.fields,
  };
  return { state: { ...state, told: slow.told }, fields };
}

function slowFields(home: Home, state: InverterState, islandLimited: boolean): Record<string, FieldValue> {
  const isThrottled = state.stateCode === sunspec103.throttled;
  const fault = state.fault === null || state.stateCode !== sunspec103.fault ? null : inverterFaults[state.fault.which];
  const strings = Math.ceil(home.panelW / 2500);
  return {
    stateCode: state.stateCode,
    stateScheme: 'sunspec-103',
    errorCode: fault === null ? 0 : fault.code,
    events: fault === null ? [] : [fault.event],
    throttleSources: isThrottled ? [islandLimited ? 'FREQ_WATT' : 'MAX_W'] : [],
    stringsConnected: fault?.event === 'BLOWN_STRING_FUSE' ? strings - 1 : strings,
    stringsTotal: strings,
    firmware: '3.14.2',
  };
}
