import { join } from 'node:path';
import type { ActorSystemRef } from 'nact';
import { type ActorType, topicOf } from '../shard/contract.ts';
import { Shard, type ShardObserver } from '../shard/shard.ts';
import type { Seat } from '../shard/snapshot-turns.ts';
import type { TimerGate } from '../shard/timer-gate.ts';
import { ChangeFeed } from './change-feed.ts';
import type { Change, PartitionStatus } from './engine.ts';
import { awaitRelease } from './handover.ts';
import { LocalSnapshots } from './local-snapshots.ts';
import { statusOf } from './partition-status.ts';
import { trimLog } from './retention.ts';
import type { RunningSink, RuntimeOptions } from './runtime-options.ts';
import { shardOptions } from './shard-options.ts';
import { type PartitionOwner, Supervisor } from './supervisor.ts';

/** Actors of one type feed each other at most so deep. */
const DEEPEST_FEED = 4;

/** One actor type of the runtime at work: a shard for each partition of its input. */
export class Stage {
  readonly type: ActorType;
  readonly #options: RuntimeOptions;
  readonly #gate: TimerGate;
  readonly #seat: (partition: number) => Seat;
  readonly #local: LocalSnapshots;
  readonly #supervisor: Supervisor;
  readonly #changes: ChangeFeed;
  #sinks: readonly RunningSink[] = [];

  /** `seat` gives each shard a new place in the turns of the process's snapshots. */
  constructor(
    type: ActorType,
    options: RuntimeOptions,
    gate: TimerGate,
    system: ActorSystemRef,
    owner: PartitionOwner,
    seat: (partition: number) => Seat,
  ) {
    const { log, clock, message, dataDir } = options;
    this.type = type;
    this.#options = options;
    this.#gate = gate;
    this.#seat = seat;
    this.#local = new LocalSnapshots(join(dataDir, 'state'), type.name);
    const makeShard = (partition: number) => this.#makeShard(partition);
    const started = () => this.#changes.watch();
    const { partitions } = log;
    this.#supervisor = new Supervisor({ partitions, system, clock, owner, message, makeShard, started });
    this.#changes = new ChangeFeed(this.shards);
  }

  /** By partition. */
  get shards(): readonly Shard[] {
    return this.#supervisor.shards;
  }

  /** By partition, how often a shard was started here, after a failure too. */
  get starts(): readonly number[] {
    return this.#supervisor.starts;
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
    this.#supervisor.forgive(partition);
    if (handedOver) {
      this.shards[partition].phase = 'waiting';
      await awaitRelease(this.#options, this.type.topics, partition);
    }
    await this.#supervisor.begin(partition, 'newest');
  }

  /** Commits, snapshots and lets the partition go; what could not be finished is replayed by the next owner. */
  release(partition: number): Promise<void> {
    return this.#supervisor.release(partition);
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
    return this.#changes.subscribe(listener);
  }

  status(): PartitionStatus[] {
    return this.shards.filter((shard) => shard.phase !== 'elsewhere').map(statusOf);
  }

  #makeShard(partition: number): Shard {
    return new Shard(
      shardOptions(this.#options, {
        type: this.type,
        partition,
        gate: this.#gate,
        seat: this.#seat(partition),
        observer: this.#observe(this.#options.observer(this.type)),
        changed: (changed) => this.#changes.tell(changed),
      }),
    );
  }

  #observe(outer: ShardObserver): ShardObserver {
    return {
      ...outer,
      committed: (shard, durationMs) => {
        this.#supervisor.committed(shard);
        outer.committed(shard, durationMs);
      },
      snapshot: (partition, figures) => {
        outer.snapshot(partition, figures);
        this.#afterSnapshot(this.shards[partition]);
      },
      failed: (partition, error) => {
        outer.failed(partition, error);
        this.#supervisor.failed(partition, error);
      },
    };
  }

  #afterSnapshot(shard: Shard): void {
    const { partition } = shard;
    const { message } = this.#options;
    this.#note(shard);
    trimLog(this.#options, shard, this.#sinks).catch((error) =>
      message('warn', 'Trimming the log failed', { partition, error: String(error) }),
    );
  }

  /** Only a group has somebody to tell. */
  #note({ partition, snapshots }: Shard): void {
    const newest = snapshots.positions.at(-1);
    if (!this.#options.log.shared || newest === undefined) return;
    this.#local.note(partition, newest.commit).catch((error) => {
      this.#options.message('warn', 'Where the newest snapshot stands could not be noted', { error: String(error) });
    });
  }
}
