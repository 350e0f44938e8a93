import type { Random } from '../random.ts';
import type { FleetRates } from './options.ts';

const DAY_MS = 86_400_000;

export interface Fault {
  /** Index into the kind's list of faults. */
  readonly which: number;
  readonly from: number;
  readonly until: number;
}

/** The fault of an asset at `time`: a new one now and then, the same one until it is over, none. */
export function stepFault(
  fault: Fault | null,
  time: number,
  dtMs: number,
  kinds: number,
  rates: FleetRates,
  random: Random,
): Fault | null {
  if (fault !== null) return time < fault.until ? fault : null;
  if (!random.chance((rates.faultsPerDay * dtMs) / DAY_MS)) return null;
  return { which: random.int(0, kinds - 1), from: time, until: time + random.exponential(rates.faultMs) };
}
