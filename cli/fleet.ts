import { startDriver } from '../sim/fleet/index.ts';

export interface FleetSettings {
  readonly url: string;
  readonly token: string | null;
  readonly assets: number;
  /** Power cabinets with four charging stalls each. @default 0 */
  readonly cabinets?: number;
  /** Megapacks, four to a site. @default 0 */
  readonly megapacks?: number;
  readonly seed: number;
  /** Time between two readings of an asset. */
  readonly cadenceMs: number;
  /** Where the fleet stands between two runs, so that its counters go on; null: a new fleet each time. */
  readonly file: string | null;
  readonly warn: (message: string) => void;
}

export interface RunningFleet {
  /** Records sent so far. */
  readonly sent: number;
  /** Lets what is on its way arrive (1 s at most), and keeps where the fleet stands. */
  stop(): Promise<void>;
}

/**
 * Simulates a fleet through the instance's public door: a new one tells its past day first, so that there is something
 * to see, and then goes on in real time.
 */
export function startFleet(settings: FleetSettings): RunningFleet {
  const { url, token, assets, cabinets = 0, megapacks = 0, seed, cadenceMs, file, warn } = settings;
  const driver = startDriver({
    url,
    token: token ?? undefined,
    assets,
    cabinets,
    megapacks,
    seed,
    cadenceMs,
    stateFile: file ?? undefined,
    onEvent: (event) => {
      if (event.type === 'refused') warn(`simulated fleet: ${event.count} records refused (${event.reason})`);
      if (event.type === 'failed') warn(`simulated fleet: ${event.error.message}`);
    },
  });
  // Its failure is an event already told.
  driver.live.catch(() => {});
  return {
    get sent() {
      return driver.stats().sent;
    },
    stop: () => driver.stop(),
  };
}
