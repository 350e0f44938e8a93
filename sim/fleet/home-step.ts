import { Random } from '../random.ts';
import { type LifecycleRecord, lifecycle, type SourceRecord, telemetry } from '../record.ts';
import { chargeableW } from './battery.ts';
import { type Fault, stepFault } from './fault.ts';
import { cityOutage, gridConnected, type GridState, isIsland, stepGrid } from './grid.ts';
import { householdLoad } from './household.ts';
import {
  decideInverter,
  flowInverter,
  type InverterState,
  newInverter,
  readInverter,
  stepInverterHealth,
} from './inverter.ts';
import type { FleetRates } from './options.ts';
import {
  batteryOf,
  decidePower,
  flowPowerwall,
  isIdle,
  newPowerwall,
  type PowerwallState,
  powerwallFaults,
  readPowerwall,
  stepPowerwallHealth,
} from './powerwall.ts';
import type { Home } from './site.ts';
import { outsideTemperature, roofPower } from './weather.ts';

const HOUR_MS = 3_600_000;
/** A pause of the simulation is not a time in which power flowed. */
const LONGEST_FLOW_MS = 900_000;
const NIGHT_CHARGE_W = 3000;
const READINGS_RESENT = 0;
const READINGS_LOST = 1;

/** Everything that changes about a home. Plain data: it can be saved as JSON. */
export interface HomeState {
  /** Epoch milliseconds of the last step. */
  readonly time: number;
  readonly grid: GridState;
  readonly powerwall: PowerwallState;
  /** Kept without a roof too, and then always 0. */
  readonly inverter: InverterState;
  /** The gateway's silence; `which` says what becomes of the readings meanwhile. */
  readonly silence: Fault | null;
}

export interface HomeStep {
  readonly state: HomeState;
  readonly records: readonly SourceRecord[];
}

export function newHomeState(home: Home, time: number): HomeState {
  const random = Random.of(home.seed, home.siteId, 'start');
  return {
    time,
    grid: gridConnected,
    powerwall: newPowerwall(home, random),
    inverter: newInverter(home, time, random),
    silence: null,
  };
}

/**
 * The home one step later: `(home, state, time) -> state and records`. `holdMs` is the time to the step after, for which
 * the decided powers must be possible. All chance comes from seed, home and time.
 *
 * A home that is dark (an island without power) has nobody to speak, and its readings of nothing would look like missing data.
 */
export function stepHome(home: Home, before: HomeState, time: number, holdMs: number, rates: FleetRates): HomeStep {
  const random = Random.of(home.seed, home.siteId, time);
  const dtMs = Math.min(time - before.time, LONGEST_FLOW_MS);
  const dark = cityOutage(home.seed, home.city.name, time, rates);
  const grid = stepGrid(before.grid, time, dtMs, dark, rates, random);
  const silence = stepSilence(before.silence, time, dtMs, rates, random);
  const flown = flowPowerwall(home, before.powerwall, dtMs);
  const health = stepPowerwallHealth(flown, time, dtMs, rates, random);
  const roof = stepInverterHealth(flowInverter(home, before.inverter, time, dtMs), time, dtMs, rates, random);
  const powers = decidePowers(home, health.state, roof, grid, before.grid, time, holdMs / HOUR_MS);
  const flows = { ...powers.flows, frequencyHz: frequency(home, grid, powers.islandLimited, random) };
  const records: SourceRecord[] = [
    ...updateRecords(home, health.phases),
    ...maintenanceRecords(home, before.powerwall.fault, powers.powerwall.fault, time),
  ];
  const state = { time, grid, silence, powerwall: powers.powerwall, inverter: powers.inverter };
  const isUnheard = silence?.which === READINGS_LOST || (isIsland(grid) && flows.loadW === 0);
  if (isUnheard) return { state, records };
  const battery = readPowerwall(home, powers.powerwall, grid, flows, time);
  const solar = readInverter(home, powers.inverter, { ...flows, islandLimited: powers.islandLimited }, time);
  const stamp = { deviceTime: new Date(time).toISOString(), txid: transaction(time, random) };
  if (battery.fields !== null) {
    records.push(telemetry({ serial: home.powerwall, kind: 'powerwall', ...stamp, fields: battery.fields }));
  }
  if (home.inverter !== null) {
    records.push(telemetry({ serial: home.inverter, kind: 'inverter', ...stamp, fields: solar.fields }));
  }
  return { state: { ...state, powerwall: battery.state, inverter: solar.state }, records };
}

const transaction = (time: number, random: Random) => `${time.toString(36)}-${random.int(0, 0xffff).toString(36)}`;

function decidePowers(
  home: Home,
  powerwall: PowerwallState,
  inverter: InverterState,
  grid: GridState,
  gridBefore: GridState,
  time: number,
  hours: number,
) {
  const island = isIsland(grid);
  const wantedW = householdLoad(home, time);
  const roofW = roofPower(home, time);
  const battery = batteryOf(home);
  const absorbableW = isIdle(powerwall) ? 0 : chargeableW(battery, powerwall.storedWh, hours);
  const limitW = !island ? Number.MAX_VALUE : isIdle(powerwall) ? 0 : wantedW + absorbableW;
  const gridLost = island && (!isIsland(gridBefore) || isIdle(powerwall));
  const solar = decideInverter(home, inverter, time, roofW, limitW, gridLost);
  const needW = isCheapHour(home, time) && !island ? -NIGHT_CHARGE_W : wantedW - solar.powerW;
  const decided = decidePower(home, powerwall, needW, island, hours);
  /** An island serves what it can; the rest of the load is off. */
  const loadW = island ? Math.max(0, solar.powerW + decided.powerW) : wantedW;
  return {
    powerwall: decided,
    inverter: solar,
    islandLimited: island && roofW > limitW,
    flows: {
      loadW,
      solarW: solar.powerW,
      siteW: island ? 0 : loadW - solar.powerW - decided.powerW,
      temperatureC: outsideTemperature(home.city, time),
    },
  };
}

/** A home without a roof charges its battery when energy is cheap: from one to five in the night. */
function isCheapHour(home: Home, time: number): boolean {
  if (home.inverter !== null) return false;
  const hour = ((time + home.city.timeZone.offsetAt(time)) / HOUR_MS) % 24;
  return hour >= 1 && hour < 5;
}

/** An island with more sun than it can use raises its frequency, and the inverters give way. */
function frequency(home: Home, grid: GridState, islandLimited: boolean, random: Random): number {
  const nominal = home.city.longitude < -30 ? 60 : 50;
  const offset = isIsland(grid) && islandLimited ? 1.5 : random.between(-0.02, 0.02);
  return Math.round((nominal + offset) * 1000) / 1000;
}

function stepSilence(
  silence: Fault | null,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
): Fault | null {
  const asFault = { ...rates, faultsPerDay: rates.silencesPerDay, faultMs: rates.silenceMs };
  const isLost = random.chance(rates.silenceLoss);
  const next = stepFault(silence, time, dtMs, 1, asFault, random);
  return next === null || next === silence ? next : { ...next, which: isLost ? READINGS_LOST : READINGS_RESENT };
}

function updateRecords(
  home: Home,
  phases: readonly { readonly phase: string; readonly version: string; readonly time: number }[],
): LifecycleRecord[] {
  return phases.map(({ phase, version, time }) =>
    event(home.powerwall, 'firmwareUpdate', time, 'update-service', { phase, version }),
  );
}

/** A faulty Powerwall is looked at by someone: a ticket while it lasts, and the parts when it is over. */
function maintenanceRecords(home: Home, before: Fault | null, now: Fault | null, time: number): LifecycleRecord[] {
  if (before === null && now !== null) {
    const ticket = `T-${Math.floor(time / 1000)}`;
    return [event(home.powerwall, 'maintenanceStarted', time, 'ticketing', { ticket })];
  }
  if (before !== null && now === null) {
    const parts = before.which === 0 ? [`breaker for ${powerwallFaults[0].reason}`] : [];
    return [event(home.powerwall, 'maintenanceCompleted', time, 'ticketing', { parts })];
  }
  return [];
}

function event(
  serial: string,
  type: string,
  time: number,
  source: string,
  data: Record<string, unknown>,
): LifecycleRecord {
  const eventTime = new Date(time).toISOString();
  const id = `${source}/${serial}/${type}/${data.phase ?? ''}${time}`;
  return lifecycle({ id, serial, kind: 'powerwall', type, eventTime, recordTime: eventTime, source, data });
}
