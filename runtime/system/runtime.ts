import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ActorSystemRef, start as startSystem, stop as stopSystem } from 'nact';
import { openPartitionState } from '../../snapshots/store.ts';
import type { Clock } from '../kernel/clock.ts';
import { GridfoldError } from '../kernel/errors.ts';
import { type AppendRecord, type Log, topics } from '../log/contract.ts';
import type { ActorType } from '../shard/contract.ts';
import { encodeDeadLetter } from '../shard/outputs.ts';
import { Shard, type ShardObserver, type ShardOptions } from '../shard/shard.ts';
import { TimerGate } from '../shard/timer-gate.ts';
import { type AssetQuery, findAsset, homeOf, lifecycleOf, pageOfAssets } from './assets.ts';
import type { AssetView, Change, Engine, FleetView, LifecycleView, PartitionStatus, SinkStatus } from './engine.ts';
import { FleetSummary } from './fleet.ts';
import { assetView, lifecycleView } from './view.ts';

/** A sink at work, as the runtime sees it. */
export interface RunningSink {
  readonly name: string;
  status(): SinkStatus;
  /** Resolves when the target holds everything that stands in the derived topic now. */
  drained(): Promise<void>;
  /** Next offset of the derived topic that the target wants: nothing below it is needed any more. */
  next(partition: number): number;
}

export interface RuntimeOptions {
  readonly type: ActorType;
  readonly log: Log;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly commitIntervalMs: number;
  readonly snapshotIntervalMs: number;
  readonly snapshotRecords: number;
  readonly horizonMs: number;
  readonly blocksPerKind: number;
  readonly maxResidentBytes: number;
  readonly windowBytesPerBlock: number;
  readonly silenceOutageMs: number;
  readonly silenceGraceMs: number;
  readonly retentionMs: number;
  readonly retentionBytes: number | null;
  readonly observer: ShardObserver;
  /** Adds the energy of the day, which the tables know and the shards do not. */
  readonly withEnergy?: (fleet: FleetView) => FleetView;
  readonly message: (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, unknown>) => void;
}

const TICK_MS = 100;
const PUBLISH_IDLE_MS = 1000;
const REFUSED_TOPIC_PARTITION = 0;
const MAX_RESTARTS = 3;
const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000;

/** The runtime of one process: a shard per partition, supervised, and what the doors ask of them. */
export class Runtime implements Engine {
  readonly partitions: number;
  readonly kinds: readonly string[];
  readonly shards: Shard[] = [];
  readonly #options: RuntimeOptions;
  readonly #gate: TimerGate;
  /** The nact system that supervises shards, and sinks beside them. */
  readonly system: ActorSystemRef;
  readonly #fleet = new FleetSummary();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  readonly #restarts = new Map<number, number>();
  #sinks: readonly RunningSink[] = [];
  #stopping = false;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.partitions = options.log.partitions;
    this.kinds = options.type.kinds.map((k) => k.name);
    this.#gate = new TimerGate(options.silenceOutageMs, options.silenceGraceMs);
    this.system = startSystem();
    for (let p = 0; p < this.partitions; p++) this.shards.push(this.#makeShard(p));
  }

  /** Recovers all partitions. Rejects with what keeps one from going live. */
  async start(sinks: readonly RunningSink[]): Promise<void> {
    this.#sinks = sinks;
    await Promise.all(this.shards.map((shard) => shard.start(this.system)));
  }

  /** Commits and snapshots every partition; the next start replays nothing. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.shards.map((shard) => shard.stop()));
    stopSystem(this.system);
  }

  async produce(
    topic: 'telemetry' | 'lifecycle',
    records: readonly { key: string; value: Uint8Array }[],
  ): Promise<{ partition: number; next: number }[]> {
    const byPartition = new Map<number, AppendRecord[]>();
    for (const { key: serial, value } of records) {
      const { key, partition } = homeOf(serial, this.partitions);
      const list = byPartition.get(partition);
      if (list === undefined) byPartition.set(partition, [{ key, value }]);
      else list.push({ key, value });
    }
    return Promise.all(
      [...byPartition].map(async ([partition, list]) => {
        const extent = await this.#options.log.append(topic, partition, list);
        return { partition, next: extent.end };
      }),
    );
  }

  async refuse(lines: readonly { value: Uint8Array; reason: string }[]): Promise<void> {
    const timestamp = this.#options.clock.now();
    const letters = lines.map(({ value, reason }) => ({
      key: null,
      value: encodeDeadLetter({ topic: 'door', partition: 0, offset: -1, timestamp, reason, value }),
    }));
    if (letters.length > 0) await this.#options.log.append(topics.deadLetters, REFUSED_TOPIC_PARTITION, letters);
  }

  asset(serial: string): AssetView | null {
    const found = findAsset(this.shards, serial);
    return found === null ? null : assetView(found.shard.fold, found.runtime);
  }

  assets(query: AssetQuery): { items: AssetView[]; cursor: string | null } {
    return pageOfAssets(this.shards, query);
  }

  fleet(): FleetView {
    const fleet = this.#fleet.sum(this.shards);
    return this.#options.withEnergy?.(fleet) ?? fleet;
  }

  lifecycle(serial: string): LifecycleView[] | null {
    const result = lifecycleOf(this.shards, serial);
    return result === undefined ? null : lifecycleView(result);
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => {
      this.#listeners.delete(listener);
      this.#watch();
    };
  }

  async waitFor(topic: 'telemetry' | 'lifecycle', partition: number, offset: number, timeoutMs: number): Promise<void> {
    const shard = this.shards[partition];
    if (shard === undefined || shard.phase !== 'live') {
      throw new GridfoldError('partition_not_live', 'retry', `partition ${partition} is not live`);
    }
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(timeoutMs, () =>
        reject(new GridfoldError('wait_timeout', 'retry', `${topic}-${partition} is not folded up to ${offset} yet`)),
      );
    });
    await Promise.race([shard.reached(topic, offset), late]).finally(() => cancel());
  }

  async settled(): Promise<void> {
    const { log } = this.#options;
    await Promise.all(
      this.shards.map(async (shard) => {
        for (const topic of ['telemetry', 'lifecycle'] as const) {
          await shard.reached(topic, log.extent(topics[topic], shard.partition).end);
        }
        await shard.publish();
      }),
    );
    await Promise.all(this.#sinks.map((sink) => sink.drained()));
  }

  status(): { ready: boolean; partitions: PartitionStatus[]; sinks: SinkStatus[] } {
    const partitions = this.shards.map((shard) => this.#partitionStatus(shard));
    return {
      ready: partitions.every((p) => p.phase === 'live'),
      partitions,
      sinks: this.#sinks.map((s) => s.status()),
    };
  }

  #partitionStatus(shard: Shard): PartitionStatus {
    const live = shard.phase === 'live';
    const { telemetry, lifecycle, timers } = live ? shard.committed : { telemetry: 0, lifecycle: 0, timers: 0 };
    return {
      partition: shard.partition,
      phase: shard.phase,
      position: { telemetry, lifecycle, timers },
      lag: live
        ? { telemetry: shard.lag('telemetry'), lifecycle: shard.lag('lifecycle') }
        : { telemetry: 0, lifecycle: 0 },
      assets: live ? shard.fold.state.assets : 0,
      snapshotAgeMs: this.#options.clock.now() - shard.snapshotAt,
      horizonMs: this.#options.horizonMs,
    };
  }

  #makeShard(partition: number): Shard {
    const o = this.#options;
    const openState: ShardOptions['openState'] = (usable, from) => {
      const dir = join(o.dataDir, 'state', `device-${partition}`);
      mkdirSync(dir, { recursive: true });
      return openPartitionState({
        dir,
        schemas: o.type.kinds.map((k) => k.state),
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
      type: o.type,
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
      observer: this.#observe(o.observer),
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
      await shard.start(this.system, (error as GridfoldError).code === 'block_corrupt' ? 'older' : 'newest');
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
    const older = shard.snapshots[0];
    await log.trim(topics.telemetry, shard.partition, retention, older.telemetry);
    await log.trim(topics.journal, shard.partition, retention, older.commit);
    const taken = Math.min(...this.#sinks.map((sink) => sink.next(shard.partition)));
    if (this.#sinks.length > 0) await log.trim(topics.derived, shard.partition, retention, taken);
    await log.trim(
      topics.deadLetters,
      shard.partition,
      { ...retention, maxAgeMs: DEAD_LETTER_RETENTION_MS },
      Number.MAX_SAFE_INTEGER,
    );
  }
}
