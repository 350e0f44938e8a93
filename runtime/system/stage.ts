import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ActorSystemRef } from 'nact';
import { openPartitionState } from '../../snapshots/store.ts';
import { GridfoldError } from '../kernel/errors.ts';
import { topics } from '../log/contract.ts';
import { type ActorType, type InputTopic, topicOf } from '../shard/contract.ts';
import { Shard, type ShardObserver, type ShardOptions } from '../shard/shard.ts';
import type { TimerGate } from '../shard/timer-gate.ts';
import type { Change, PartitionStatus } from './engine.ts';
import type { RunningSink, RuntimeOptions } from './runtime-options.ts';

const TICK_MS = 100;
const PUBLISH_IDLE_MS = 1000;
const MAX_RESTARTS = 3;
/** Actors of one type feed each other at most so deep. */
const DEEPEST_FEED = 4;
const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000;

/** One actor type of the runtime at work: a shard for each partition of its input. */
export class Stage {
  readonly type: ActorType;
  readonly shards: Shard[] = [];
  readonly #options: RuntimeOptions;
  readonly #gate: TimerGate;
  readonly #system: ActorSystemRef;
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #restarts = new Map<number, number>();
  #sinks: readonly RunningSink[] = [];
  #stopping = false;

  constructor(type: ActorType, options: RuntimeOptions, gate: TimerGate, system: ActorSystemRef) {
    this.type = type;
    this.#options = options;
    this.#gate = gate;
    this.#system = system;
    for (let p = 0; p < options.log.partitions; p++) this.shards.push(this.#makeShard(p));
  }

  /** Recovers all partitions. Rejects with what keeps one from going live. */
  async start(sinks: readonly RunningSink[]): Promise<void> {
    this.#sinks = sinks;
    await Promise.all(this.shards.map((shard) => shard.start(this.#system)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.shards.map((shard) => shard.stop()));
  }

  /**
   * Resolves when all that stands in its input now is folded and committed, and open facts are published. A stage may
   * feed itself (a site its region): what it said on the way is waited for too, to the depth that actors may have.
   */
  async settled(): Promise<void> {
    for (let pass = 0; pass === 0 || (pass < DEEPEST_FEED && this.shards.some((s) => s.lag('telemetry') > 0)); pass++) {
      await Promise.all(this.shards.map((shard) => this.#settle(shard)));
    }
  }

  async #settle(shard: Shard): Promise<void> {
    for (const input of ['telemetry', 'lifecycle'] as const) {
      const { end } = await this.#options.log.latest(topicOf(this.type, input), shard.partition);
      await shard.reached(input, end);
    }
    await shard.publish();
  }

  /** Calls `listener` after each commit with the actors it changed; returns unsubscribe. */
  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      this.#watch();
    };
  }

  status(): PartitionStatus[] {
    const { clock, horizonMs } = this.#options;
    return this.shards.map((shard) => {
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
        snapshotAgeMs: clock.now() - shard.snapshotAt,
        horizonMs,
      };
    });
  }

  #makeShard(partition: number): Shard {
    const o = this.#options;
    const openState: ShardOptions['openState'] = (usable, from) => {
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
      commitIntervalMs: o.commitIntervalMs,
      snapshotIntervalMs: o.snapshotIntervalMs,
      snapshotRecords: o.snapshotRecords,
      horizonMs: o.horizonMs,
      tickMs: Math.min(TICK_MS, o.commitIntervalMs),
      publishIdleMs: PUBLISH_IDLE_MS,
      observer: this.#observe(o.observer(this.type)),
    });
  }

  #observe(outer: ShardObserver): ShardObserver {
    return {
      ...outer,
      committed: (shard, durationMs) => {
        outer.committed(shard, durationMs);
        if (this.#listeners.size > 0) this.#tell(shard);
      },
      snapshot: (partition, figures) => {
        outer.snapshot(partition, figures);
        this.#trim(this.shards[partition]).catch((error) =>
          this.#options.message('warn', 'Trimming the log failed', { partition, error: String(error) }),
        );
      },
      failed: (partition, error) => {
        outer.failed(partition, error);
        this.#restart(partition, error);
      },
    };
  }

  /** A shard whose error says `retry` starts again from its snapshots; any other stays failed, and health says so. */
  #restart(partition: number, error: unknown): void {
    const retry = error instanceof GridfoldError && error.reaction === 'retry';
    const tries = (this.#restarts.get(partition) ?? 0) + 1;
    const failed = this.shards[partition];
    if (this.#stopping || !retry || tries > MAX_RESTARTS || failed.fold === undefined) return;
    this.#restarts.set(partition, tries);
    const again = async () => {
      await failed.abandon();
      const shard = this.#makeShard(partition);
      this.shards[partition] = shard;
      await shard.start(this.#system, (error as GridfoldError).code === 'block_corrupt' ? 'older' : 'newest');
      this.#watch();
    };
    again().catch((second) =>
      this.#options.message('error', 'A partition could not be restarted', { partition, error: String(second) }),
    );
  }

  #watch(): void {
    for (const shard of this.shards) shard.watch(this.#listeners.size > 0);
  }

  #tell(shard: Shard): void {
    const changes: Change[] = [];
    const { fold } = shard;
    shard.touched.each((blockId, slot) => {
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
    if (shard.snapshots.length < 2) return;
    const retention = { maxAgeMs: retentionMs, maxBytes: retentionBytes ?? Number.POSITIVE_INFINITY };
    const { partition, snapshots } = shard;
    await log.trim(this.type.topics.readings, partition, retention, snapshots[0].telemetry);
    await log.trim(this.type.topics.journal, partition, retention, snapshots[0].commit);
    const taken = Math.min(...this.#sinks.map((sink) => sink.next(partition)));
    if (this.#sinks.length > 0) await log.trim(topics.derived, partition, retention, taken);
    const letters = { ...retention, maxAgeMs: DEAD_LETTER_RETENTION_MS };
    await log.trim(topics.deadLetters, partition, letters, Number.MAX_SAFE_INTEGER);
  }
}
