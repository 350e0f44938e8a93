import { type Clock, systemClock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { murmur2 } from '../../runtime/kernel/hash.ts';
import type { SourceRecord } from '../record.ts';
import { type DoorOptions, post, sleep } from './door.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { loadFleet, saveFleet } from './fleet-file.ts';
import type { FleetRates } from './options.ts';

const SHORT_LAG_MS = 900_000;
const STOP_GRACE_MS = 1000;

export interface DriverOptions {
  /** Where the runtime listens. */
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  readonly assets: number;
  /** Power cabinets with four charging stalls each, beside them. @default 0 */
  readonly cabinets?: number;
  /** Megapacks, four to a site, beside them. @default 0 */
  readonly megapacks?: number;
  /** @default 1 */
  readonly seed?: number;
  readonly rates?: Partial<FleetRates>;
  /** Time between two readings of an asset, milliseconds. @default 10 s */
  readonly cadenceMs?: number;
  /** How long before now a new fleet starts, and at most goes back to after a pause. @default 24 h */
  readonly backfillMs?: number;
  /** Cadence of that past. @default 5 min */
  readonly backfillCadenceMs?: number;
  /** How much faster than real time the past goes by, at the live cadence; 0 = as fast as the door takes it, at the cadence of the past. @default 0 */
  readonly speed?: number;
  /** Records per request. @default 500 */
  readonly batchRecords?: number;
  /** Requests under way at once; an asset always uses the same of them, so that its records keep their order. @default 2 */
  readonly lanes?: number;
  /** Where the fleet is kept between runs; without it every run starts a new past. */
  readonly stateFile?: string;
  /** How often it is written, milliseconds. @default 5 s */
  readonly saveIntervalMs?: number;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  onEvent?(event: DriverEvent): void;
}

export type DriverEvent =
  | { readonly type: 'started'; readonly from: number; readonly resumed: boolean }
  | { readonly type: 'live' }
  | { readonly type: 'retry'; readonly reason: string; readonly delayMs: number }
  | { readonly type: 'refused'; readonly count: number; readonly reason: string | null }
  | { readonly type: 'failed'; readonly error: Error };

export interface DriverStats {
  readonly phase: 'starting' | 'catching-up' | 'live' | 'stopped' | 'failed';
  readonly sent: number;
  readonly refused: number;
  readonly retries: number;
  /** Records that were lost on their simulated way. */
  readonly lost: number;
  /** Epoch milliseconds up to which the fleet is simulated. */
  readonly time: number;
}

export interface Driver {
  /** Settles when the past is told and the fleet is live; rejects when the driver fails or is stopped before. */
  readonly live: Promise<void>;
  stats(): DriverStats;
  fleet(): Fleet | null;
  /** Lets requests under way end (1 s at most), writes the state file and returns; called again, it waits for the first call. */
  stop(): Promise<void>;
}

/** Drives a virtual fleet through the public door: its past first, then in real time until it is stopped. */
export function startDriver(options: DriverOptions): Driver {
  const driver = new FleetDriver(options);
  driver.start();
  return driver;
}

class FleetDriver implements Driver {
  readonly live: Promise<void>;
  readonly #options: Required<Omit<DriverOptions, 'token' | 'stateFile' | 'rates' | 'onEvent' | 'fetch'>> &
    DriverOptions;
  #announceLive!: () => void;
  #failLive!: (reason: unknown) => void;
  #fleet: Fleet | null = null;
  #phase: DriverStats['phase'] = 'starting';
  #counts = { sent: 0, refused: 0, retries: 0 };
  #savedAt = 0;
  /** Nothing that the fleet has simulated is still on its way to the door: only then may it be saved. */
  #isAllTaken = false;
  /** Ends waiting; requests under way go on. */
  #stopping = new AbortController();
  /** Ends requests too. */
  #aborting = new AbortController();
  #run: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  constructor(options: DriverOptions) {
    this.#options = {
      cabinets: 0,
      megapacks: 0,
      seed: 1,
      cadenceMs: 10_000,
      backfillMs: 86_400_000,
      backfillCadenceMs: 300_000,
      speed: 0,
      batchRecords: 500,
      lanes: 2,
      saveIntervalMs: 5000,
      clock: systemClock,
      ...withoutUndefined(options),
    };
    assertPositive(this.#options, ['backfillMs', 'speed'], 0);
    assertPositive(this.#options, ['batchRecords', 'lanes', 'saveIntervalMs'], 1);
    this.live = new Promise((resolve, reject) => {
      this.#announceLive = resolve;
      this.#failLive = reject;
    });
    this.live.catch(() => {});
  }

  start(): void {
    this.#run = this.#drive().catch((error: unknown) => this.#end(error));
  }

  stats(): DriverStats {
    return { phase: this.#phase, ...this.#counts, lost: this.#fleet?.lost ?? 0, time: this.#fleet?.time ?? 0 };
  }

  fleet(): Fleet | null {
    return this.#fleet;
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(new Error('The fleet was stopped'));
    const cancel = this.#options.clock.after(STOP_GRACE_MS, () => this.#aborting.abort(this.#stopping.signal.reason));
    await this.#run;
    cancel();
    if (this.#fleet !== null && this.#isAllTaken) await this.#save(this.#fleet);
  }

  async #drive(): Promise<void> {
    this.#fleet = await this.#makeFleet();
    this.#phase = 'catching-up';
    await this.#deliver([...this.#fleet.lifecycleRecords()]);
    this.#isAllTaken = true;
    await this.#catchUp(this.#fleet);
    this.#phase = 'live';
    this.#announceLive();
    this.#options.onEvent?.({ type: 'live' });
    const { clock, cadenceMs } = this.#options;
    for (;;) {
      await this.#advance(this.#fleet, clock.now());
      await sleep(clock, Math.min(1000, cadenceMs), this.#stopping.signal);
    }
  }

  async #makeFleet(): Promise<Fleet> {
    const { assets, cabinets, megapacks, seed, rates, stateFile, clock, backfillMs, cadenceMs } = this.#options;
    const earliest = clock.now() - backfillMs;
    const saved = stateFile === undefined ? null : await loadFleet(stateFile);
    const fleet = createFleet(
      { assets, cabinets, megapacks, seed, rates, cadenceMs, startTime: Math.floor(earliest) },
      saved ?? undefined,
    );
    fleet.skipTo(earliest);
    this.#options.onEvent?.({ type: 'started', from: fleet.time, resumed: saved !== null });
    return fleet;
  }

  /** Tells the past: a short one at the live cadence, so that after a crash the same readings come again. */
  async #catchUp(fleet: Fleet): Promise<void> {
    const { clock, speed, cadenceMs, backfillCadenceMs } = this.#options;
    if (speed > 0) await this.#followAtSpeed(fleet, speed);
    fleet.cadenceMs = clock.now() - fleet.time > SHORT_LAG_MS ? backfillCadenceMs : cadenceMs;
    while (fleet.time < clock.now()) await this.#advance(fleet, clock.now());
    fleet.cadenceMs = cadenceMs;
  }

  async #followAtSpeed(fleet: Fleet, speed: number): Promise<void> {
    const { clock } = this.#options;
    const from = { simulated: fleet.time, wall: clock.now() };
    for (;;) {
      const now = clock.now();
      const target = from.simulated + (now - from.wall) * speed;
      if (target >= now) return;
      await this.#advance(fleet, Math.floor(target));
      await sleep(clock, 200, this.#stopping.signal);
    }
  }

  /** Simulates up to `target` in portions that fit the requests, and saves when all of a portion is taken. */
  async #advance(fleet: Fleet, target: number): Promise<void> {
    const { batchRecords, lanes, clock, saveIntervalMs } = this.#options;
    const portionMs = Math.max(
      1,
      Math.floor((fleet.cadenceMs * batchRecords * lanes) / Math.max(1, fleet.serials.length)),
    );
    while (fleet.time < target) {
      this.#stopping.signal.throwIfAborted();
      this.#isAllTaken = false;
      await this.#deliver(fleet.tick(Math.min(target, fleet.time + portionMs)));
      this.#isAllTaken = true;
      if (clock.now() - this.#savedAt >= saveIntervalMs) await this.#save(fleet);
    }
  }

  async #save(fleet: Fleet): Promise<void> {
    this.#savedAt = this.#options.clock.now();
    if (this.#options.stateFile !== undefined) await saveFleet(this.#options.stateFile, fleet.save());
  }

  async #deliver(records: readonly SourceRecord[]): Promise<void> {
    const lanes: SourceRecord[][] = Array.from({ length: this.#options.lanes }, () => []);
    for (const record of records) lanes[murmur2(Buffer.from(record.key)) % lanes.length].push(record);
    await Promise.all(lanes.map((lane) => this.#deliverLane(lane)));
  }

  async #deliverLane(records: readonly SourceRecord[]): Promise<void> {
    for (const batch of batches(records, this.#options.batchRecords)) {
      const { refused, reason } = await post(batch, this.#door());
      this.#counts.sent += batch.length;
      this.#counts.refused += refused;
      if (refused > 0) this.#options.onEvent?.({ type: 'refused', count: refused, reason });
    }
  }

  #door(): DoorOptions {
    const { url, token, clock, fetch } = this.#options;
    const onRetry = (reason: string, delayMs: number) => {
      this.#counts.retries += 1;
      this.#options.onEvent?.({ type: 'retry', reason, delayMs });
    };
    return { url, token, clock, fetch, signal: this.#aborting.signal, onRetry };
  }

  #end(error: unknown): void {
    this.#aborting.abort(error);
    this.#failLive(error);
    if (this.#stopping.signal.aborted) {
      this.#phase = 'stopped';
      return;
    }
    this.#phase = 'failed';
    this.#options.onEvent?.({ type: 'failed', error: error as Error });
  }
}

/** Runs of records of one topic, at most `size` long. */
export function* batches(records: readonly SourceRecord[], size: number): Generator<SourceRecord[]> {
  let batch: SourceRecord[] = [];
  for (const record of records) {
    if (batch.length > 0 && (batch.length >= size || batch[0].topic !== record.topic)) {
      yield batch;
      batch = [];
    }
    batch.push(record);
  }
  if (batch.length > 0) yield batch;
}

function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function assertPositive<K extends string>(options: Record<K, number>, names: readonly K[], min: number): void {
  for (const name of names) {
    if (options[name] >= min && Number.isFinite(options[name])) continue;
    const message = `Simulated fleet, option ${name}: ${options[name]} is not a number from ${min} up`;
    throw new GridfoldError('sim_option_invalid', 'fix-configuration', message);
  }
}
