import type { Facts } from '../../runtime/shard/derived.ts';
import { counterReset, iso } from './facts.ts';

const HOUR_MS = 3_600_000;
/** An acc32 register holds at most this; a counter that falls from its last tenth has rolled over. */
const ACC32 = 2 ** 32;
/** Registers that count in whole kWh step by this much at once. */
const COARSE_STEP_WH = 1000;

/** True where no asset of the kind could have moved so much energy in that time. */
export function isImpossible(deltaWh: number, elapsedMs: number, maxPowerW: number): boolean {
  return !(deltaWh >= 0 && deltaWh <= (maxPowerW * elapsedMs) / HOUR_MS + COARSE_STEP_WH);
}

export type ResetClass = 'reset' | 'rollover' | 'daily';

/** A lifetime counter that fell from `before` to `after`: what it counted, and why it fell. */
export function fallOf(before: number, after: number): { deltaWh: number; cause: ResetClass } {
  if (before > 0.9 * ACC32 && before <= ACC32) return { deltaWh: ACC32 - before + after, cause: 'rollover' };
  return { deltaWh: after, cause: 'reset' };
}

/**
 * What a counter that restarts each local day has counted since its last reading.
 *
 * `owner` is the day whose energy the last value was. A higher value on another day is growth of a counter that has
 * not restarted where the readings are neighbours, and a restart that hides in the gap where they are not.
 */
export function dailyStep(
  before: number,
  after: number,
  owner: number,
  day: number,
  neighbours: boolean,
): { deltaWh: number; owner: number; restarted: boolean } {
  if (after < before) return { deltaWh: after, owner: day, restarted: true };
  if (day === owner) return { deltaWh: after - before, owner, restarted: false };
  if (after === before) return { deltaWh: 0, owner: after === 0 ? day : owner, restarted: false };
  if (neighbours || before === 0) return { deltaWh: after - before, owner: day, restarted: false };
  return { deltaWh: after, owner: day, restarted: true };
}

export function sayReset(
  serial: string,
  field: string,
  at: number,
  before: number,
  after: number,
  cause: ResetClass,
  out: Facts,
): void {
  out.emit(counterReset, `${serial}/${field}/${iso(at)}`, at, { field, before, after, class: cause });
}
