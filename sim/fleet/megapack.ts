import type { Random } from '../random.ts';
import type { FieldValue } from '../record.ts';
import { type ActiveAlert, stepAlerts } from './alerts.ts';
import { type Battery, chargeableW, dischargeableW, storedAfter } from './battery.ts';
import { type Fault, stepFault } from './fault.ts';
import type { FleetRates } from './options.ts';
import { changedFields, nothingTold, type ToldFields } from './sparse.ts';

const HOUR_MS = 3_600_000;
const STRINGS = 20;
/** Its heartbeat counts seconds in 16 bits and begins anew at zero. */
const HEARTBEATS = 65_536;
const VERSION = '2024.12.3';

/** What goes wrong with a virtual unit: contactors open, strings are lost, it gets hot, or it does not do what it is told. */
export const megapackFaults = [
  { alert: 'CONTACTOR_FAILURE', severity: 'critical', stops: true, strings: STRINGS, power: 0, heatC: 0 },
  { alert: 'STRING_FAULT', severity: 'performance', stops: false, strings: 3, power: 1, heatC: 0 },
  { alert: 'ModuleOverTemp', severity: 'performance', stops: false, strings: 0, power: 0.5, heatC: 27 },
  { alert: 'BatteryUnexpectedPower', severity: 'performance', stops: false, strings: 0, power: 1, heatC: 0 },
] as const;
const DISOBEYS = 3;

/** SunSpec 802 `State`, in the order in which a unit comes back from a fault. */
const RETURN = ['FAULT', 'DISCONNECTED', 'INITIALIZING', 'STANDBY', 'CONNECTED'] as const;
type StateWord = (typeof RETURN)[number] | 'SOC_PROTECTION';

/** What the site asks of each of its units. */
export interface Dispatch {
  readonly controlMode: 'RealPowerDispatch' | 'FCR';
  /** W, + discharge. */
  readonly setpointW: number;
  /** What a unit in a frequency reserve adds for the frequency of the grid, W. */
  readonly droopW: number;
  readonly frequencyHz: number;
  readonly temperatureC: number;
}

export interface MegapackState {
  readonly state: StateWord;
  readonly storedWh: number;
  /** Held since the last step, W, + discharge. */
  readonly powerW: number;
  readonly chargeableW: number;
  readonly dischargeableW: number;
  /** Lifetime energies at the terminals, Wh, exact. */
  readonly outWh: number;
  readonly inWh: number;
  readonly soh: number;
  readonly fault: Fault | null;
  readonly alerts: readonly ActiveAlert[];
  readonly told: ToldFields;
}

export function newMegapack(battery: Battery, ageDays: number, random: Random): MegapackState {
  const outWh = Math.round(ageDays * battery.capacityWh * random.between(0.5, 0.9));
  return {
    state: 'CONNECTED',
    storedWh: battery.capacityWh * random.between(0.3, 0.7),
    powerW: 0,
    chargeableW: battery.ratedW,
    dischargeableW: battery.ratedW,
    outWh,
    inWh: Math.round(outWh / random.between(0.86, 0.9)),
    soh: Math.round(1000 - (ageDays / 365) * random.between(12, 22)) / 1000,
    fault: null,
    alerts: [],
    told: nothingTold,
  };
}

/** Lets the held power flow for `dtMs`. */
export function flowMegapack(battery: Battery, state: MegapackState, dtMs: number): MegapackState {
  const hours = dtMs / HOUR_MS;
  const energyWh = state.powerW * hours;
  return {
    ...state,
    storedWh: storedAfter(battery, state.storedWh, state.powerW, hours),
    outWh: state.outWh + Math.max(0, energyWh),
    inWh: state.inWh + Math.max(0, -energyWh),
  };
}

/** State and power until the next step, `hours` later. */
export function stepMegapack(
  battery: Battery,
  before: MegapackState,
  dispatch: Dispatch,
  time: number,
  dtMs: number,
  hours: number,
  rates: FleetRates,
  random: Random,
): MegapackState {
  const fault = stepFault(before.fault, time, dtMs, megapackFaults.length, rates, random);
  const trouble = fault === null ? null : megapackFaults[fault.which];
  const state = trouble?.stops === true ? 'FAULT' : next(before.state);
  const share = (1 - stringsOut(fault) / STRINGS) * (trouble?.power ?? 1);
  const able = { ...battery, ratedW: battery.ratedW * share };
  const isClosed = state === 'CONNECTED';
  const charge = isClosed ? chargeableW(able, before.storedWh, hours) : 0;
  const discharge = isClosed ? dischargeableW(able, before.storedWh, false, hours) : 0;
  const asked = dispatch.setpointW + (dispatch.controlMode === 'FCR' ? dispatch.droopW : 0);
  const wanted = fault?.which === DISOBEYS ? asked / 2 : asked;
  const powerW = Math.round(Math.min(discharge, Math.max(-charge, wanted))) + 0;
  const isSpent = isClosed && powerW === 0 && (wanted > 0 ? discharge === 0 : wanted < 0 && charge === 0);
  const shown = isSpent ? 'SOC_PROTECTION' : state;
  return { ...before, fault, state: shown, powerW, chargeableW: charge, dischargeableW: discharge };
}

function next(state: StateWord): StateWord {
  if (state === 'SOC_PROTECTION') return 'CONNECTED';
  return RETURN[Math.min(RETURN.indexOf(state) + 1, RETURN.length - 1)];
}

function stringsOut(fault: Fault | null): number {
  return fault === null ? 0 : megapackFaults[fault.which].strings;
}

/** The reading at `time`, sparse. */
export function readMegapack(
  battery: Battery,
  state: MegapackState,
  dispatch: Dispatch,
  time: number,
): { state: MegapackState; fields: Record<string, FieldValue> } {
  const soc = state.storedWh / battery.capacityWh;
  const trouble = state.fault === null ? null : megapackFaults[state.fault.which];
  const wanted = trouble === null ? [] : [{ name: trouble.alert, severity: trouble.severity }];
  const alerts = stepAlerts(state.alerts, wanted, new Date(time).toISOString());
  const slow = changedFields(state.told, slowFields(state, soc, dispatch), time);
  const load = Math.abs(state.powerW) / battery.ratedW;
  const fields: Record<string, FieldValue> = {
    powerW: state.powerW,
    soc: Math.round(soc * 1e4) / 1e4,
    energyOutWh: Math.floor(state.outWh),
    energyInWh: Math.floor(state.inWh),
    frequencyHz: dispatch.frequencyHz,
    moduleTempMaxC: Math.round((24 + 6 * load + (trouble?.heatC ?? 0)) * 10) / 10,
    cellVoltageMinV: Math.round((3.18 + 0.14 * soc - 0.01 * load) * 1000) / 1000,
    cellVoltageMaxV: Math.round((3.2 + 0.15 * soc + 0.01 * load) * 1000) / 1000,
    tempC: Math.round(dispatch.temperatureC * 10) / 10,
    heartbeat: Math.floor(time / 1000) % HEARTBEATS,
    ...slow.fields,
  };
  if (alerts.reported !== null) fields.alerts = alerts.reported;
  return { state: { ...state, alerts: alerts.active, told: slow.told }, fields };
}

function slowFields(state: MegapackState, soc: number, dispatch: Dispatch): Record<string, FieldValue> {
  return {
    state: state.state,
    chargeState: chargeState(state, soc),
    controlMode: dispatch.controlMode,
    setpointW: dispatch.setpointW,
    soh: state.soh,
    availableChargeW: state.chargeableW,
    availableDischargeW: state.dischargeableW,
    stringsConnected:
      state.state === 'CONNECTED' || state.state === 'SOC_PROTECTION' || state.state === 'STANDBY'
        ? STRINGS - stringsOut(state.fault)
        : 0,
    stringsTotal: STRINGS,
    firmware: VERSION,
  };
}

/** SunSpec 802 `ChaSt`. */
function chargeState(state: MegapackState, soc: number): string {
  if (state.state === 'SOC_PROTECTION') return soc > 0.5 ? 'FULL' : 'EMPTY';
  if (state.state !== 'CONNECTED') return 'OFF';
  if (state.powerW === 0) return 'HOLDING';
  return state.powerW > 0 ? 'DISCHARGING' : 'CHARGING';
}
