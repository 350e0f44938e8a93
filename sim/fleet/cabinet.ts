import { Random } from '../random.ts';
import { type LifecycleRecord, lifecycle, type TelemetryRecord, telemetry } from '../record.ts';
import { type Fault, stepFault } from './fault.ts';
import type { FleetRates } from './options.ts';
import { flowStall, newStall, readStall, requestOf, STALL_W, type StallState, stepStall } from './supercharger.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** A pause of the simulation is not a time in which power flowed. */
const LONGEST_FLOW_MS = 900_000;
export const STALLS_PER_CABINET = 4;
const CABINETS_PER_SITE = 2;

/** A power cabinet with its stalls: what does not change about it. */
export interface Cabinet {
  readonly seed: number;
  readonly siteId: string;
  readonly name: string;
  readonly serials: readonly string[];
  /** Power that its stalls share, W. */
  readonly limitW: number;
  /** Place of its readings inside the cadence, 0..1. */
  readonly phase: number;
  readonly ageDays: number;
}

/** Everything that changes about it. Plain data. */
export interface CabinetState {
  readonly time: number;
  readonly stalls: readonly StallState[];
  /** While it has no connection its stalls go on, and tell it later. */
  readonly silence: Fault | null;
}

/** Cabinet `number`, counted from 1; two to a site. */
export function makeCabinet(seed: number, number: number): Cabinet {
  const random = Random.of(seed, 'cabinet', number);
  const prefix = seed === 1 ? '' : `${seed}-`;
  const digits = (n: number) => `${prefix}${String(n).padStart(6, '0')}`;
  const first = (number - 1) * STALLS_PER_CABINET + 1;
  return {
    seed,
    siteId: `CHARGE-${digits(Math.ceil(number / CABINETS_PER_SITE))}`,
    name: `cabinet-${((number - 1) % CABINETS_PER_SITE) + 1}`,
    serials: Array.from({ length: STALLS_PER_CABINET }, (_, i) => `SC-${digits(first + i)}`),
    limitW: random.pick([350_000, 387_000]),
    phase: random.next(),
    ageDays: random.int(20, 900),
  };
}

export function newCabinetState(cabinet: Cabinet, time: number): CabinetState {
  const stalls = cabinet.serials.map((serial) => newStall(Random.of(cabinet.seed, serial, 'start')));
  return { time, stalls, silence: null };
}

/** `(cabinet, state, time) -> state and readings`. All chance comes from seed, serial and time. `holdMs` is the time to the step after. */
export function stepCabinet(
  cabinet: Cabinet,
  before: CabinetState,
  time: number,
  holdMs: number,
  rates: FleetRates,
): { readonly state: CabinetState; readonly records: readonly TelemetryRecord[] } {
  const dtMs = Math.min(time - before.time, LONGEST_FLOW_MS);
  const silences = { ...rates, faultsPerDay: rates.silencesPerDay, faultMs: rates.silenceMs };
  const way = Random.of(cabinet.seed, cabinet.siteId, cabinet.name, time);
  const silence = stepFault(before.silence, time, dtMs, 1, silences, way);
  const stepped = before.stalls.map((stall, i) => {
    const serial = cabinet.serials[i];
    return stepStall(flowStall(stall, dtMs), serial, time, dtMs, rates, Random.of(cabinet.seed, serial, time));
  });
  const requests = stepped.map((stall) => requestOf(stall, holdMs));
  const offers = sharePower(requests, cabinet.limitW);
  const deviceTime = new Date(time).toISOString();
  const records: TelemetryRecord[] = [];
  const stalls = stepped.map((stall, i) => {
    const offeredW = offers[i];
    const powered = { ...stall, requestedW: requests[i], offeredW, powerW: Math.min(requests[i], offeredW) };
    const { state, fields } = readStall(powered, silence !== null, time);
    const txid = `${time.toString(36)}-${i}`;
    records.push(telemetry({ serial: cabinet.serials[i], kind: 'supercharger', deviceTime, txid, fields }));
    return state;
  });
  return { state: { time, stalls, silence }, records };
}

/**
 * Shares a cabinet's power, W: everybody gets an equal part, and what one does not need goes to the others. The parts add up to no
 * more than the limit.
 */
export function sharePower(requests: readonly number[], limitW: number): number[] {
  const offers = requests.map(() => 0);
  let left = limitW;
  const byNeed = requests.map((_, i) => i).sort((a, b) => requests[a] - requests[b] || a - b);
  byNeed.forEach((i, n) => {
    offers[i] = Math.floor(Math.min(requests[i], left / (requests.length - n)));
    left -= offers[i];
  });
  return offers;
}

/** How the stalls of a cabinet came into service. */
export function* cabinetLifecycle(
  cabinet: Cabinet,
  startTime: number,
  cadenceSeconds: number,
): Generator<LifecycleRecord> {
  const inService = startTime - cabinet.ageDays * DAY_MS;
  for (const [i, serial] of cabinet.serials.entries()) {
    const installed = {
      siteId: cabinet.siteId,
      position: `${cabinet.name}/stall-${i + 1}`,
      cabinet: cabinet.name,
      cabinetLimitW: cabinet.limitW,
      cadenceSeconds,
    };
    const steps: [type: string, time: number, source: string, data: Record<string, unknown>][] = [
      ['manufactured', inService - 60 * DAY_MS, 'factory', { model: 'Supercharger V3', ratedW: STALL_W }],
      ['shipped', inService - 40 * DAY_MS, 'logistics', {}],
      ['delivered', inService - 12 * DAY_MS, 'logistics', {}],
      ['installed', inService - 6 * HOUR_MS, 'installer-app', installed],
      ['commissioningStarted', inService - HOUR_MS, 'installer-app', {}],
      ['commissioned', inService, 'installer-app', {}],
    ];
    for (const [type, time, source, data] of steps) {
      const eventTime = new Date(time).toISOString();
      const id = `${source}/${serial}/${type}`;
      yield lifecycle({ id, serial, kind: 'supercharger', type, eventTime, recordTime: eventTime, source, data });
    }
  }
}
