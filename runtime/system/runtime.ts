import { type ActorSystemRef, start as startSystem, stop as stopSystem } from 'nact';
import { GridfoldError } from '../kernel/errors.ts';
import { type AppendRecord, topics } from '../log/contract.ts';
import type { Member } from '../log/membership.ts';
import { SoleMember } from '../log/sole-member.ts';
import { encodeDeadLetter } from '../shard/outputs.ts';
import type { Shard } from '../shard/shard.ts';
import { SnapshotTurns } from '../shard/snapshot-turns.ts';
import { TimerGate } from '../shard/timer-gate.ts';
import { findAsset, homeOf, lifecycleOf, pageOfAssets, pageOfSummaries, storyOf, summaryOf } from './assets.ts';
import type {
  AssetQuery,
  AssetView,
  Change,
  Engine,
  FleetView,
  LifecycleView,
  PageQuery,
  PartitionStatus,
  Place,
  SinkStatus,
} from './engine.ts';
import { FleetSummary } from './fleet.ts';
import type { RunningSink, RuntimeOptions } from './runtime-options.ts';
import { type Holdings, Ownership } from './ownership.ts';
import { Stage } from './stage.ts';
import type { PartitionOwner } from './supervisor.ts';
import { assetView, lifecycleView } from './view.ts';

const REFUSED_TOPIC_PARTITION = 0;

/** The runtime of one process: shards per actor type and partition, supervised, and what the doors ask of them. */
export class Runtime implements Engine {
  readonly partitions: number;
  readonly kinds: readonly string[];
  readonly stages: readonly Stage[];
  /** The nact system that supervises shards, and sinks beside them. */
  readonly system: ActorSystemRef;
  readonly #options: RuntimeOptions;
  readonly #fleet = new FleetSummary();
  readonly #ownership: Ownership;
  #sinks: readonly RunningSink[] = [];
  #self = { url: '', version: '' };
  #released: Promise<void> | null = null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.partitions = options.log.partitions;
    this.kinds = options.types[0].kinds.map((k) => k.name);
    this.system = startSystem();
    const gate = new TimerGate(options.silenceOutageMs, options.silenceGraceMs);
    const owner: PartitionOwner = {
      fenced: (partition) => this.#ownership.fenced(partition),
      failed: (partition) => this.#ownership.failed(partition),
      isOurs: (partition) => this.#ownership.isOurs(partition),
    };
    const { types, snapshotIntervalMs } = options;
    const turns = new SnapshotTurns(snapshotIntervalMs, this.partitions * types.length);
    this.stages = types.map((type, i) => {
      const seat = (partition: number) => turns.seat(partition * types.length + i);
      return new Stage(type, options, gate, this.system, owner, seat);
    });
    const membership = options.membership ?? new SoleMember(this.partitions);
    this.#ownership = new Ownership(membership, this.#holdings(), this.partitions);
  }

  /** Shards of the actor type that the doors write to, by partition. */
  get shards(): readonly Shard[] {
    return this.stages[0].shards;
  }

  /**
   * Joins the group and recovers the partitions assigned first. Rejects with what keeps one from going live. `self` is
   * what the other members learn of this process.
   */
  async start(sinks: readonly RunningSink[], self = { url: '', version: '' }): Promise<void> {
    this.#sinks = sinks;
    this.#self = self;
    for (const stage of this.stages) stage.feed(sinks);
    await this.#ownership.start(self);
  }

  /**
   * Commits and snapshots every partition that is here, and leaves the group; the next start replays nothing. Sinks may
   * still take what was committed last.
   */
  release(): Promise<void> {
    this.#released ??= this.#ownership.stop();
    return this.#released;
  }

  /** Releases everything, and stops whatever the system supervises beside it. */
  async stop(): Promise<void> {
    await this.release();
    stopSystem(this.system);
  }

  get self() {
    return this.#self;
  }

  place(partition: number): Place {
    const place = this.#ownership.place(partition);
    if (place.at !== 'here') return place;
    const isLive = this.stages.every(({ shards }) => shards[partition]?.phase === 'live');
    const starts = this.stages.reduce((sum, stage) => sum + stage.starts[partition], 0);
    return isLive ? { at: 'here', starts } : { at: 'moving' };
  }

  members(): readonly Member[] {
    return this.#ownership.members();
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

  story(serial: string, asOf: number): object | null {
    return storyOf(this.shards, serial, asOf);
  }

  summary(kind: string, key: string): object | null {
    return summaryOf(this.#shardsOf(kind), kind, key);
  }

  summaries(kind: string, query: PageQuery): { items: object[]; cursor: string | null } {
    return pageOfSummaries(this.#shardsOf(kind), { ...query, kind });
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    return this.stages[0].onChange(listener);
  }

  async waitFor(topic: 'telemetry' | 'lifecycle', partition: number, offset: number, timeoutMs: number): Promise<void> {
    const shard = this.shards[partition];
    if (shard === undefined) {
      throw new GridfoldError('partition_not_live', 'retry', `there is no partition ${partition}`);
    }
    let cancel = () => {};
    const waiting = new AbortController();
    const late = new Promise<never>((_, reject) => {
      cancel = this.#options.clock.after(timeoutMs, () =>
        reject(new GridfoldError('wait_timeout', 'retry', `${topic}-${partition} is not folded up to ${offset} yet`)),
      );
    });
    await Promise.race([shard.reached(topic, offset, waiting.signal), late]).finally(() => {
      cancel();
      waiting.abort();
    });
  }

  async settled(): Promise<void> {
    for (const stage of this.stages) await stage.settled();
    await Promise.all(this.#sinks.map((sink) => sink.drained()));
  }

  status(): { ready: boolean; partitions: PartitionStatus[]; sinks: SinkStatus[] } {
    const partitions = this.stages.flatMap((stage) => stage.status());
    return {
      ready: this.#ownership.isSettled && partitions.every((p) => p.phase === 'live'),
      partitions,
      sinks: this.#sinks.map((s) => s.status()),
    };
  }

  /** A partition of this process: the shards of all stages. */
  #holdings(): Holdings {
    return {
      take: async (partition, handedOver) => {
        const takes = await Promise.allSettled(this.stages.map((stage) => stage.take(partition, handedOver)));
        const refusal = takes.find(({ status }) => status === 'rejected');
        if (refusal === undefined) return;
        // A partition is at work as a whole or not at all.
        const begun = this.stages.filter((_, i) => takes[i].status === 'fulfilled');
        for (const stage of begun) await stage.release(partition);
        throw (refusal as PromiseRejectedResult).reason;
      },
      release: async (partition) => {
        for (const stage of this.stages) await stage.release(partition);
      },
      snapshots: () => this.stages[0].localSnapshots(),
    };
  }

  #shardsOf(kind: string): readonly Shard[] {
    return this.stages.find(({ type }) => type.kinds.some((k) => k.name === kind))?.shards ?? [];
  }
}
