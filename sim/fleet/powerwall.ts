import type { Random } from '../random.ts';
import type { FieldValue } from '../record.ts';
import { type ActiveAlert, stepAlerts } from './alerts.ts';
import { type Battery, batteryPower, storedAfter } from './battery.ts';
import { type Fault, stepFault } from './fault.ts';
import { type FirmwareState, firmwareVersion, isRebooting, stepFirmware } from './firmware.ts';
import { type GridStatus, isIsland, type GridState } from './grid.ts';
import type { FleetRates } from './options.ts';
import type { Home } from './site.ts';
import { changedFields, nothingTold, type ToldFields } from './sparse.ts';

const HOUR_MS = 3_600_000;

export const powerwallFaults = [
  { alert: 'POD_f029_HW_CMA_OV', reason: 'DisabledBatteryBreakerOpen' },
  { alert: 'PINV_f012_SW_DcLinkOverVoltage', reason: 'DisabledExcessiveVoltageDrop' },
  { alert: 'THC_f102_ArcFault', reason: 'DisabledArcFaultLockout' },
] as const;

export interface PowerwallState {
  readonly storedWh: number;
  /** Held since the last step, W, + discharge. */
  readonly powerW: number;
  /** Lifetime energies at the terminals, Wh, exact. */
  readonly outWh: number;
  readonly inWh: number;
  readonly fault: Fault | null;
  readonly firmware: FirmwareState;
  readonly alerts: readonly ActiveAlert[];
  readonly told: ToldFields;
}

export function newPowerwall(home: Home, random: Random): PowerwallState {
  const outWh = home.ageDays * random.between(4000, 9000);
  return {
    storedWh: home.batteryWh * random.between(home.reserveSoc, 0.9),
    powerW: 0,
    outWh,
    inWh: outWh / random.between(0.85, 0.9),
    fault: null,
    firmware: { version: firmwareVersion(25, random.pick([6, 10, 14, 18]), random.int(0, 3)), update: null },
    alerts: [],
    told: nothingTold,
  };
}

export function batteryOf(home: Home): Battery {
  return { capacityWh: home.batteryWh, ratedW: home.batteryW, reserveSoc: home.reserveSoc };
}

/** Lets the held power flow for `dtMs`. */
export function flowPowerwall(home: Home, state: PowerwallState, dtMs: number): PowerwallState {
  const hours = dtMs / HOUR_MS;
  const energy = state.powerW * hours;
  return {
    ...state,
    storedWh: storedAfter(batteryOf(home), state.storedWh, state.powerW, hours),
    outWh: state.outWh + Math.max(0, energy),
    inWh: state.inWh + Math.max(0, -energy),
  };
}

/** What happens to the Powerwall itself at `time`: faults and firmware. */
export function stepPowerwallHealth(
  state: PowerwallState,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
) {
  const fault = stepFault(state.fault, time, dtMs, powerwallFaults.length, rates, random);
  const firmware = stepFirmware(state.firmware, time, dtMs, rates, random);
  return { state: { ...state, fault, firmware: firmware.state }, phases: firmware.phases };
}

/** It can neither charge nor discharge. */
export function isIdle(state: PowerwallState): boolean {
  return state.fault !== null || isRebooting(state.firmware);
}

/** Sets the power for the time until the next step: what the house needs beyond its roof, or gives. */
export function decidePower(
  home: Home,
  state: PowerwallState,
  needW: number,
  island: boolean,
  hours: number,
): PowerwallState {
  const powerW = isIdle(state) ? 0 : batteryPower(batteryOf(home), state.storedWh, needW, island, hours);
  return { ...state, powerW };
}

export interface HomeFlows {
  readonly siteW: number;
  readonly loadW: number;
  readonly solarW: number;
  readonly frequencyHz: number;
  readonly temperatureC: number;
}

/** The reading at `time`, sparse; null while it reboots. */
export function readPowerwall(
  home: Home,
  state: PowerwallState,
  grid: GridState,
  flows: HomeFlows,
  time: number,
): { state: PowerwallState; fields: Record<string, FieldValue> | null } {
  if (isRebooting(state.firmware)) return { state, fields: null };
  const soc = state.storedWh / home.batteryWh;
  const alerts = stepAlerts(state.alerts, wantedAlerts(home, state, soc, isIsland(grid)), new Date(time).toISOString());
  const slow = changedFields(state.told, slowFields(home, state, grid.status), time);
  const fields: Record<string, FieldValue> = {
    powerW: state.powerW,
    siteW: flows.siteW,
    loadW: flows.loadW,
    solarW: flows.solarW,
    soc: Math.round(soc * 1e4) / 1e4,
    energyOutWh: Math.floor(state.outWh),
    energyInWh: Math.floor(state.inWh),
    frequencyHz: flows.frequencyHz,
    tempC: Math.round((flows.temperatureC + 4 + Math.abs(state.powerW) / 900) * 10) / 10,
    ...slow.fields,
  };
  if (alerts.reported !== null) fields.alerts = alerts.reported;
  return { state: { ...state, alerts: alerts.active, told: slow.told }, fields };
}

function wantedAlerts(
  home: Home,
  state: PowerwallState,
  soc: number,
  island: boolean,
): Omit<ActiveAlert, 'startedAt'>[] {
  const wanted: Omit<ActiveAlert, 'startedAt'>[] = [];
  if (state.fault !== null) wanted.push({ name: powerwallFaults[state.fault.which].alert, severity: 'critical' });
  if (soc > 0.995) wanted.push({ name: 'POD_w110_SW_EOC', severity: 'informational' });
  if (!island && soc <= home.reserveSoc + 0.005)
    wanted.push({ name: 'SelfConsumptionReservedLimit', severity: 'informational' });
  return wanted;
}

function slowFields(home: Home, state: PowerwallState, gridStatus: GridStatus): Record<string, FieldValue> {
  const disabledReasons = state.fault === null ? [] : [powerwallFaults[state.fault.which].reason];
  const forming = gridStatus === 'SystemIslandedActive' || gridStatus === 'SystemTransitionToIsland';
  const gridStates = { SystemGridConnected: 'Grid_Compliant', SystemTransitionToGrid: 'Grid_Qualifying' } as const;
  return {
    gridStatus,
    inverterState: state.fault !== null ? 'PINV_Off' : forming ? 'PINV_GridForming' : 'PINV_GridFollowing',
    inverterGridState:
      gridStatus in gridStates ? gridStates[gridStatus as keyof typeof gridStates] : 'Grid_Uncompliant',
    opSeqState: state.fault === null ? 'Active' : 'Standby',
    disabledReasons,
    mode: home.inverter === null ? 'autonomous' : 'self_consumption',
    reserveSoc: home.reserveSoc,
    energyFullWh: home.batteryWh,
    firmware: state.firmware.version,
  };
}
