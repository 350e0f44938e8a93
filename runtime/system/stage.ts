import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ActorSystemRef } from 'nact';
import { openPartitionState } from '../../snapshots/store.ts';
import { GridfoldError } from '../kernel/errors.ts';
import { topics } from '../log/contract.ts';
import { type ActorType, type InputTopic, topicOf } from '../shard/contract.ts';
import { released } from '../shard/mirror-topic.ts';
import type { RestoreFrom } from '../shard/recovery.ts';
import { Shard, type ShardObserver, type ShardOptions } from '../shard/shard.ts';
import type { Seat } from '../shard/snapshot-turns.ts';
import type { TimerGate } from '../shard/timer-gate.ts';
import type { Change, PartitionStatus } from './engine.ts';
import type { RunningSink, RuntimeOptions } from './runtime-options.ts';
import { LocalSnapshots } from './local-snapshots.ts';
import { mustLeave, restartDelay, Restarts, type Verdict } from './restarts.ts';

/** What is folded shows at the next tick at the latest. */
const TICK_MS = 50;
const PUBLISH_IDLE_MS = 1000;
const HANDOVER_POLL_MS = 50;
/** Actors of one type feed each other at most so deep. */
const DEEPEST_FEED = 4;
const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000;

/** Who shares out the partitions; hears of those that cannot stay as they are. */
export interface StageOwner {
  /** Another process has claimed the partition, or will. */
  fenced(partition: number): void;
  /** It failed by a fault that does not pass. */
  failed(partition: number): void;
  /** Whether the partition belongs here, as far as is known: claiming it otherwise would fence who has it by right. */
  isOurs(partition: number): boolean;
}

/** One actor type of the runtime at work: a shard for each partition of its input. */
export class Stage {
  readonly type: ActorType;
  readonly shards: Shard[] = [];
  /** By partition, how often a shard was started here, after a failure too. */
  readonly starts: number[];
  readonly #options: RuntimeOptions;
  readonly #gate: TimerGate;
  readonly #system: ActorSystemRef;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #local: LocalSnapshots;
  readonly #owner: StageOwner;
  readonly #seat: (partition: number) => Seat;
  readonly #restarts = new Restarts();
  /** By partition, the restart that is under way. */
  readonly #restarting = new Map<number, Promise<void>>();
  /** Partitions whose shard is not at work yet, or is being let go. */
  readonly #moving = new Set<number>();
  #sinks: readonly RunningSink[] = [];

  /** `seat` gives each shard a new place in the turns of the process's snapshots. */
  constructor(
    type: ActorType,
    options: RuntimeOptions,
    gate: TimerGate,
    system: ActorSystemRef,
    owner: StageOwner,
    seat: (partition: number) => Seat,
  ) {
    this.type = type;
    this.#owner = owner;
    this.#seat = seat;
    this.#local = new LocalSnapshots(join(options.dataDir, 'state'), type.name);
    this.#options = options;
    this.#gate = gate;
    this.#system = system;
    this.starts = new Array<number>(options.log.partitions).fill(0);
    for (let p = 0; p < options.log.partitions; p++) this.shards.push(this.#makeShard(p));
  }

  /** Newest snapshots that lie here, by partition; see {@link LocalSnapshots}. */
  localSnapshots(): ReadonlyMap<number, number> {
    return this.#local.all;
  }

  feed(sinks: readonly RunningSink[]): void {
    this.#sinks = sinks;
  }

  /** Claims and recovers the partition. Rejects with what keeps it from going live. */
  async take(partition: number, handedOver: boolean): Promise<void> {
    // What an attempt that failed left behind, for people to see.
    await this.release(partition);
    this.#restarts.forget(partition);
    if (handedOver) await this.#handover(partition);
    await this.#begin(partition, 'newest');
  }

  /** Starts a shard, and another one while what keeps it from starting may pass and the partition belongs here. */
  async #begin(partition: number, first: RestoreFrom): Promise<void> {
    this.#moving.add(partition);
    try {
      for (let tries = 1, from = first; ; tries++) {
        if (!this.#owner.isOurs(partition)) throw moved(partition);
        const failure = await this.#tryToStart(partition, from);
        if (failure === null) break;
        if (typeof failure.verdict === 'string') throw failure.cause;
        from = failure.verdict.from;
        await this.shards[partition].abandon();
        await this.#pause(restartDelay(tries));
      }
    } finally {
      this.#moving.delete(partition);
    }
    this.#watch();
  }

  /** Starts a shard, and says what ended it already, and what becomes of the partition. */
  async #tryToStart(partition: number, from: RestoreFrom): Promise<{ cause: unknown; verdict: Verdict } | null> {
    const shard = this.#makeShard(partition);
    this.shards[partition] = shard;
    this.starts[partition] += 1;
    return shard.start(this.#system, from).then(
      () => {
        // From here on the observer hears of a failure.
        if (shard.failure === null) this.#moving.delete(partition);
        if (shard.failure === null) return null;
        const { cause } = shard.failure;
        return { cause, verdict: this.#restarts.afterWork(shard, cause) };
      },
      (cause: unknown) => ({ cause, verdict: this.#restarts.afterStart(cause, from) }),
    );
  }

  /** Commits, snapshots and lets the partition go; what could not be finished is replayed by the next owner. */
  async release(partition: number): Promise<void> {
    while (this.#restarting.has(partition)) await this.#restarting.get(partition);
    const shard = this.shards[partition];
    if (shard.phase === 'elsewhere') return;
    this.#moving.add(partition);
    try {
      await this.#letGo(shard);
      this.shards[partition] = this.#makeShard(partition);
    } finally {
      this.#moving.delete(partition);
    }
  }

  async #letGo(shard: Shard): Promise<void> {
    try {
      await shard.stop();
    } catch (error) {
      const { partition } = shard;
      const fields = { partition, error: String(error) };
      this.#options.message('warn', 'A partition was let go without a last commit', fields);
      await shard.abandon();
    }
  }

  /**
   * Resolves when all that stands in its input now is folded and committed, and open facts are published. A stage may
   * feed itself (a site its region): what it said on the way is waited for too, to the depth that actors may have.
   */
  async settled(): Promise<void> {
    const isBehind = () => this.#live().some((shard) => shard.lag('telemetry') > 0);
    for (let pass = 0; pass === 0 || (pass < DEEPEST_FEED && isBehind()); pass++) {
      await Promise.all(this.#live().map((shard) => this.#settle(shard)));
    }
  }

  #live(): Shard[] {
    return this.shards.filter((shard) => shard.phase === 'live');
  }

  async #settle(shard: Shard): Promise<void> {
    for (const input of ['telemetry', 'lifecycle'] as const) {
      const { end } = await this.#options.log.latest(topicOf(this.type, input), shard.partition);
      await shard.reached(input, end);
    }
    await shard.publish();
  }

  /** Calls `listener` with the actors that folds changed; returns unsubscribe. */
  onChange(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      this.#watch();
    };
  }

  status(): PartitionStatus[] {
    const { clock, horizonMs } = this.#options;
    const here = this.shards.filter((shard) => shard.phase !== 'elsewhere');
    return here.map((shard) => {
      const live = shard.phase === 'live';
      const { telemetry, lifecycle, timers } = live ? shard.committed : { telemetry: 0, lifecycle: 0, timers: 0 };
      const lag = (input: InputTopic) => (live ? shard.lag(input) : 0);
      return {
        actor: this.type.name,
        partition: shard.partition,
        phase: shard.phase,
        position: { telemetry, lifecycle, timers },
        lag: { telemetry: lag('telemetry'), lifecycle: lag('lifecycle') },
        topics: { telemetry: this.type.topics.readings, lifecycle: this.type.topics.lifecycle },
        assets: live ? shard.fold.state.assets : 0,
        snapshotAgeMs: clock.now() - shard.snapshots.takenAt,
        horizonMs,
      };
    });
  }

  #makeShard(partition: number): Shard {
    const o = this.#options;
    const openState: ShardOptions['openState'] = (usable, from, replaceWith) => {
      const dir = join(o.dataDir, 'state', `${this.type.name}-${partition}`);
      mkdirSync(dir, { recursive: true });
      return openPartitionState({
        dir,
        schemas: this.type.kinds.map((k) => k.state),
        blocksPerKind: o.blocksPerKind,
        maxResidentBytes: o.maxResidentBytes,
        windowBytesPerBlock: o.windowBytesPerBlock,
        usable,
        skipNewest: from === 'older',
        startEmpty: from === 'empty',
        replaceWith,
        message: o.message,
      });
    };
    return new Shard({
      type: this.type,
      partition,
      log: o.log,
      clock: o.clock,
      gate: this.#gate,
      openState,
      mirror: o.mirror ?? o.log.shared,
      commitIntervalMs: o.commitIntervalMs,
      seat: this.#seat(partition),
      snapshotRecords: o.snapshotRecords,
      horizonMs: o.horizonMs,
      acceptLoss: o.acceptLoss ?? false,
      tickMs: Math.min(TICK_MS, o.commitIntervalMs),
      publishIdleMs: PUBLISH_IDLE_MS,
      observer: this.#observe(o.observer(this.type)),
      changed: (shard) => this.#tell(shard),
    });
  }

  #observe(outer: ShardObserver): ShardObserver {
    return {
      ...outer,
      committed: (shard, durationMs) => {
        this.#restarts.committed(shard);
        outer.committed(shard, durationMs);
      },
      snapshot: (partition, figures) => {
        outer.snapshot(partition, figures);
        this.#note(this.shards[partition]);
        this.#trim(this.shards[partition]).catch((error) =>
          this.#options.message('warn', 'Trimming the log failed', { partition, error: String(error) }),
        );
      },
      failed: (partition, error) => {
        outer.failed(partition, error);
        this.#afterFailure(this.shards[partition], error);
      },
    };
  }

  /**
   * A shard whose failure may pass, or that has something else to start from, starts again; one that was fenced leaves;
   * any other stays failed, and health says so.
   */
  #afterFailure(failed: Shard, error: unknown): void {
    const { partition } = failed;
    if (this.shards[partition] !== failed) return;
    // Before it is at work, and while it is let go, whoever does that hears of the failure.
    if (this.#moving.has(partition)) return;
    const verdict = this.#restarts.afterWork(failed, error);
    if (verdict === 'leave') this.#owner.fenced(partition);
    else if (verdict === 'give up') this.#owner.failed(partition);
    if (typeof verdict === 'string') return;
    const restart = this.#restart(failed, verdict.from).finally(() => {
      if (this.#restarting.get(partition) === restart) this.#restarting.delete(partition);
    });
    this.#restarting.set(partition, restart);
  }

  /** Never rejects: a second failure comes back by the observer. */
  async #restart(failed: Shard, from: RestoreFrom): Promise<void> {
    const { partition } = failed;
    const failures = this.#restarts.failures(partition);
    try {
      await failed.abandon();
      if (failures > 1) await this.#pause(restartDelay(failures));
      await this.#begin(partition, from);
    } catch (second) {
      this.#options.message('error', 'A partition could not be restarted', { partition, error: String(second) });
      if (mustLeave(second)) this.#owner.fenced(partition);
      else this.#owner.failed(partition);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(ms, resolve));
  }

  /** Waits until the owner before us has released the partition, but not for long: the claim fences it in any case. */
  async #handover(partition: number): Promise<void> {
    const { log, clock, handoverTimeoutMs = 5_000 } = this.#options;
    this.shards[partition].phase = 'waiting';
    for (const until = clock.now() + handoverTimeoutMs; clock.now() < until; ) {
      if (await released(log, this.type.topics, partition)) return;
      await this.#pause(HANDOVER_POLL_MS);
    }
  }

  /** Only a group has somebody to tell. */
  #note({ partition, snapshots }: Shard): void {
    const newest = snapshots.positions.at(-1);
    if (!this.#options.log.shared || newest === undefined) return;
    this.#local.note(partition, newest.commit).catch((error) => {
      this.#options.message('warn', 'Where the newest snapshot stands could not be noted', { error: String(error) });
    });
  }

  #watch(): void {
    for (const shard of this.shards) shard.watch(this.#listeners.size > 0);
  }

  #tell(shard: Shard): void {
    const changes: Change[] = [];
    const { fold } = shard;
    shard.touched.drain((blockId, slot) => {
      const block = fold.state.block(blockId);
      if (block === null) return;
      const { kind } = fold.kinds[Math.floor(blockId / fold.state.blocksPerKind)];
      const revision = block.get(kind.state.index('revision'), slot);
      changes.push({ serial: block.serial(slot), kind: kind.name, partition: shard.partition, revision });
    });
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }

  /** Input and journal never pass the older of the two snapshots that are kept; derived events never pass a sink. */
  async #trim(shard: Shard): Promise<void> {
    const { log, retentionMs, retentionBytes } = this.#options;
    if (shard.snapshots.positions.length < 2) return;
    const retention = { maxAgeMs: retentionMs, maxBytes: retentionBytes ?? Number.POSITIVE_INFINITY };
    const { partition } = shard;
    const [older] = shard.snapshots.positions;
    await log.trim(this.type.topics.journal, partition, retention, older.commit);
    // A log that others use too has its own retention.
    if (log.shared) return;
    await log.trim(this.type.topics.readings, partition, retention, older.telemetry);
    const taken = Math.min(...this.#sinks.map((sink) => sink.next(partition)));
    if (this.#sinks.length > 0) await log.trim(topics.derived, partition, retention, taken);
    const letters = { ...retention, maxAgeMs: DEAD_LETTER_RETENTION_MS };
    await log.trim(topics.deadLetters, partition, letters, Number.MAX_SAFE_INTEGER);
  }
}

function moved(partition: number): GridfoldError {
  return new GridfoldError(
    'partition_moved',
    'rejoin',
    `partition ${partition} does not belong to this process any more`,
  );
}
