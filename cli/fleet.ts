import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, systemClock } from '../runtime/kernel/clock.ts';
import { createFleet, type Fleet, type SavedFleet } from '../sim/fleet/fleet.ts';
import type { SourceRecord } from '../sim/record.ts';
import type { Client } from './client.ts';
import { Delivery } from './deliver.ts';
import { recordsOfSource } from './records.ts';

const TICK_MS = 1_000;

export interface FleetSettings {
  readonly assets: number;
  readonly seed: number;
  /** Time between two readings of an asset. */
  readonly cadenceMs: number;
  /** Where the fleet stands between two runs, so that its counters go on; null: a new fleet each time. */
  readonly file: string | null;
  readonly client: Client;
  readonly warn: (message: string) => void;
  readonly clock?: Clock;
}

export interface RunningFleet {
  /** Records sent so far. */
  readonly sent: number;
  /** Sends nothing more, waits for what is on its way, and keeps where the fleet stands. */
  stop(): Promise<void>;
}

/** Simulates a fleet in real time and sends what it reports through the instance's public door. */
export function startFleet(settings: FleetSettings): RunningFleet {
  const clock = settings.clock ?? systemClock;
  const fleet = openFleet(settings, clock.now());
  let sent = 0;
  let isStopped = false;
  let cancel = (): void => {};

  const send = async (records: Iterable<SourceRecord>): Promise<void> => {
    try {
      sent += (await new Delivery(settings.client).run(recordsOfSource(records))).accepted;
    } catch (error) {
      // As a device does: what cannot be delivered is lost to it, and the next reading comes anyway.
      if (!isStopped) settings.warn(`simulated fleet: ${(error as Error).message}`);
    }
  };
  /** Resolves after a tick's time, or at once when stopped. */
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const stopTimer = clock.after(TICK_MS, resolve);
      cancel = () => {
        stopTimer();
        resolve();
      };
    });
  // One tick after the other: a slow door slows the fleet down, and nothing piles up.
  const live = async (): Promise<void> => {
    await send(fleet.lifecycleRecords());
    while (!isStopped) {
      await send(fleet.tick(Math.max(clock.now(), fleet.time)));
      if (!isStopped) await pause();
    }
  };
  const running = live();
  return {
    get sent() {
      return sent;
    },
    async stop() {
      isStopped = true;
      cancel();
      await running;
      if (settings.file !== null) save(settings.file, fleet.save());
    },
  };
}

function openFleet({ assets, seed, cadenceMs, file, warn }: FleetSettings, now: number): Fleet {
  const options = { assets, seed, cadenceMs, startTime: now };
  const saved = file === null ? null : load(file);
  if (saved === null) return createFleet(options);
  try {
    const fleet = createFleet(options, saved);
    fleet.skipTo(now);
    return fleet;
  } catch (error) {
    warn(`simulated fleet: begins anew, ${(error as Error).message}`);
    return createFleet(options);
  }
}

function load(file: string): SavedFleet | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SavedFleet;
  } catch {
    return null;
  }
}

function save(file: string, fleet: SavedFleet): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(fleet));
  renameSync(`${file}.new`, file);
}
