import { Random } from '../random.ts';
import type { FleetRates } from './options.ts';

const DAY_MS = 86_400_000;
const SHORTEST_OUTAGE_MS = 120_000;
/** IEEE 1547: the grid must have been good for so long before anything reconnects. */
const RECONNECT_MS = 300_000;

export type GridStatus =
  | 'SystemGridConnected'
  | 'SystemTransitionToIsland'
  | 'SystemIslandedActive'
  | 'SystemTransitionToGrid';

export interface GridState {
  readonly status: GridStatus;
  /** When the outage, or the waiting after it, is over; epoch milliseconds. */
  readonly until: number;
}

export const gridConnected: GridState = { status: 'SystemGridConnected', until: 0 };

/** When the outage of the city that lasts at `time` ends; 0 where there is none. At most one begins in a day. */
export function cityOutage(seed: number, city: string, time: number, rates: FleetRates): number {
  const day = Math.floor(time / DAY_MS);
  const random = Random.of(seed, 'outage', city, day);
  if (!random.chance(rates.cityOutagesPerDay)) return 0;
  const from = day * DAY_MS + random.next() * DAY_MS;
  const until = from + Math.max(SHORTEST_OUTAGE_MS, random.exponential(rates.outageMs));
  return time >= from && time < until ? until : 0;
}

/** The home's grid at `time`, `dtMs` after the step before; `cityUntil`: end of an outage of its city, 0 = none. */
export function stepGrid(
  state: GridState,
  time: number,
  dtMs: number,
  cityUntil: number,
  rates: FleetRates,
  random: Random,
): GridState {
  switch (state.status) {
    case 'SystemGridConnected': {
      if (cityUntil > 0) return { status: 'SystemTransitionToIsland', until: cityUntil };
      if (!random.chance((rates.outagesPerDay * dtMs) / DAY_MS)) return state;
      const until = time + Math.max(SHORTEST_OUTAGE_MS, random.exponential(rates.outageMs));
      return { status: 'SystemTransitionToIsland', until };
    }
    case 'SystemTransitionToIsland':
      return { status: 'SystemIslandedActive', until: state.until };
    case 'SystemIslandedActive':
      return time < state.until ? state : { status: 'SystemTransitionToGrid', until: time + RECONNECT_MS };
    case 'SystemTransitionToGrid':
      return time < state.until ? state : gridConnected;
  }
}

/** The home lives on its own: everything but the connected grid. */
export function isIsland(state: GridState): boolean {
  return state.status !== 'SystemGridConnected';
}
