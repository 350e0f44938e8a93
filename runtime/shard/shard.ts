import { type ActorSystemRef, dispatch, type Ref, spawn, stop as stopActor } from 'nact';
import { crashPoint } from '../kernel/crash.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Claim } from '../log/contract.ts';
import { type InputTopic, topicOf } from './contract.ts';
import { hasPassed } from './elapsed.ts';
import { PartitionFold } from './fold.ts';
import { encodeJournal, JournalBuilder, StepKind } from './journal.ts';
import { type KeeperObserver, type KeeperOptions, SnapshotKeeper } from './keeper.ts';
import { lossesOf, passOver, refuseLosses } from './loss.ts';
import { encodePosition, type ShardPosition } from './position.ts';
import type { Run } from './record-reader.ts';
import {
  checkRecovery,
  claimPartition,
  fallback,
  type Phase,
  reachesBack,
  type RestoreFrom,
  replay,
} from './recovery.ts';
import { Sight } from './sight.ts';
import { Source } from './source.ts';
import type { Tally } from './tally.ts';
import type { TimerGate } from './timer-gate.ts';
import { anythingUnpublished, fireTimers, publishOpen, timersDue } from './timers.ts';
import { Touched } from './touched.ts';
import { type Done, Waiting } from './waiting.ts';

export interface ShardOptions extends KeeperOptions {
  readonly gate: TimerGate;
  readonly commitIntervalMs: number;
  readonly horizonMs: number;
  /** Goes on where the log dropped records before they were folded; every asset of the partition gets a gap. */
  readonly acceptLoss: boolean;
  readonly tickMs: number;
  /** Open facts of devices are published when the input has been silent for so long; at most every 15 s. */
  readonly publishIdleMs: number;
  readonly observer: ShardObserver;
  /** Called now and then after folds, where somebody watches: `touched` are the assets they changed, committed or not yet. */
  readonly changed: (shard: Shard) => void;
}

/** What others hear of a shard. Calls are synchronous and must not throw. */
export interface ShardObserver extends KeeperObserver {
  committed(shard: Shard, durationMs: number): void;
  /** After a batch; `tally` is what it counted. */
  folded(partition: number, topic: InputTopic, records: number, durationMs: number, tally: Tally): void;
  quarantined(partition: number, kind: string, serial: string, error: unknown): void;
  /** The shard cannot go on by itself. */
  failed(partition: number, error: unknown): void;
}

type Message =
  | { readonly type: 'run'; readonly topic: InputTopic; readonly run: Run; readonly unknownSchemas: readonly number[] }
  | { readonly type: 'seen'; readonly topic: InputTopic; readonly next: number }
  | { readonly type: 'tick' }
  | { readonly type: 'commit' }
  | { readonly type: 'publish'; readonly done: Done }
  | { readonly type: 'stop'; readonly done: Done };

const MAX_COMMIT_BYTES = 4 << 20;
const TIMERS_PER_STEP = 2000;
const PUBLISH_EVERY_MS = 15_000;
/**
 * The owner of one partition: a nact actor whose messages are batches. It folds, commits, snapshots and recovers;
 * one message is handled at a time, so a turn needs no locks.
 */
export class Shard {
  readonly options: ShardOptions;
  readonly partition: number;
  readonly touched = new Touched();
  phase: Phase = 'elsewhere';
  /** What ended it. */
  failure: { readonly cause: unknown } | null = null;
  fold!: PartitionFold;
  /** As of the newest confirmed commit. */
  committed!: ShardPosition;
  readonly snapshots: SnapshotKeeper;
  #claim!: Claim;
  #source!: Source;
  #journal = new JournalBuilder();
  #actor: Ref<Message> | null = null;
  #cancelTick: () => void = () => {};
  #ticking = false;
  #watched = false;
  #lastCommitAt = 0;
  #lastRecordAt = 0;
  #lastPublishAt = 0;
  #sight!: Sight;
  #isLeaving = false;
  /** It leaves at a record that could not be folded yet. */
  #isHeld = false;
  readonly #leaving = Promise.withResolvers<void>();
  readonly #waiting = new Waiting();

  constructor(options: ShardOptions) {
    this.options = options;
    this.partition = options.partition;
    this.snapshots = new SnapshotKeeper(options, (error) => this.#fail(error));
  }

  /** Recovers the partition and begins to fold; from an older snapshot, or from the log alone, where damage demands it. */
  async start(system: ActorSystemRef, from: RestoreFrom = 'newest'): Promise<void> {
    for (let restoreFrom = from; ; ) {
      try {
        await this.#recover(restoreFrom);
        break;
      } catch (error) {
        const { log, type } = this.options;
        const next = fallback(error, restoreFrom, {
          logReachesBack: reachesBack(log, type.topics, this.partition),
          isMirrored: this.snapshots.isMirrored,
        });
        if (next === null) throw this.#fail(error);
        this.options.observer.phase(this.partition, 'restoring', { falling_back: next, because: String(error) });
        restoreFrom = next;
      }
    }
    this.#actor = spawn(
      system,
      (_: unknown, message: Message) => this.#receive(message),
      `${this.options.type.name}-${this.partition}`,
      {
        onCrash: (_message: unknown, error: unknown, context: { stop: unknown }) => {
          this.#fail(error);
          return context.stop;
        },
      } as never,
    ) as unknown as Ref<Message>;
    this.#source.start((error) => this.#fail(error));
    this.#tick();
  }

  /** Commits, snapshots and closes, so that the next start replays nothing. */
  async stop(): Promise<void> {
    this.#cancelTick();
    if (this.phase !== 'live') return this.abandon();
    this.#leave();
    await this.#source.stop();
    await this.#ask('stop');
    this.#dismiss();
  }

  /** After a failure: lets go of what it holds, without commit or snapshot. */
  async abandon(): Promise<void> {
    this.#cancelTick();
    this.phase = this.phase === 'live' ? 'stopped' : this.phase;
    this.#leave();
    this.snapshots.close();
    this.#dismiss();
    await this.#source?.stop();
    // A publication that waits for the log is not waited for: it finds the state closed.
    await this.fold?.state.close();
  }

  /** The partition may come back to this process: its next actor has the same name. */
  #dismiss(): void {
    if (this.#actor !== null) stopActor(this.#actor);
    this.#actor = null;
    this.#waiting.disappoint(this.#notLive());
  }

  /**
   * Resolves when everything of `topic` below `offset` is folded and committed; rejects when the shard ends before, is
   * not at work, or `signal` ends the waiting.
   */
  async reached(topic: InputTopic, offset: number, signal?: AbortSignal): Promise<void> {
    if (this.phase !== 'live') throw this.#notLive();
    if (this.committed[topic] >= offset) return;
    const reached = this.#waiting.reached(topic, offset, signal);
    if (this.fold.position[topic] >= offset) this.#send({ type: 'commit' });
    await reached;
  }

  /** Remember which assets change, or stop doing so. */
  watch(on: boolean): void {
    this.#watched = on;
    if (this.fold !== undefined) this.fold.onTouch = on ? this.touched.note : null;
  }

  /** Publishes all open facts and commits them. */
  publish(): Promise<void> {
    return this.#ask('publish');
  }

  /** Resolves when the actor has done it; rejects when it fails before, or is not at work. */
  #ask(type: 'publish' | 'stop'): Promise<void> {
    return this.#waiting.ask((done) => {
      if (this.phase === 'live') this.#send({ type, done });
      else done(this.#notLive());
    });
  }

  #notLive(): GridfoldError {
    return new GridfoldError('partition_not_live', 'retry', `partition ${this.partition} is ${this.phase}`);
  }

  #send(message: Message): void {
    if (this.#actor !== null && this.phase === 'live') dispatch(this.#actor, message);
  }

  async #recover(from: RestoreFrom): Promise<void> {
    const { type, partition, log, observer } = this.options;
    const enter = (phase: Phase, detail = {}) => {
      this.phase = phase;
      observer.phase(partition, phase, detail);
    };
    enter('claiming');
    const { claim, committed } = await claimPartition(log, type.topics, partition);
    enter('restoring', { generation: claim.generation });
    const state = await this.snapshots.restore(committed, from);
    try {
      enter('checking', { assets: state.assets });
      const position = checkRecovery(log, partition, type, state, committed);
      this.snapshots.restored(position);
      const { horizonMs } = this.options;
      this.fold = new PartitionFold({ type, partition, partitions: log.partitions, state, position, horizonMs });
      this.fold.onFailure = (kind, serial, error) => observer.quarantined(partition, kind, serial, error);
      enter('replaying', { commits: committed.commit - position.commit });
      const records = await replay(log, this.fold, committed);
      this.fold.tally.reset();
      this.#claim = claim;
      this.committed = { ...this.fold.position };
      await this.#beginWhereLogBegins();
      await this.#passLosses();
      this.snapshots.folded(records);
      const now = this.options.clock.now();
      this.options.gate.heard(Math.min(this.committed.clock, now));
      this.#sight = new Sight(() => log.extent(type.topics.readings, partition).end, now);
      this.#source = new Source(log, type, partition, this.committed, {
        run: (topic, run, unknownSchemas) => this.#send({ type: 'run', topic, run, unknownSchemas }),
        seen: (topic, next) => this.#send({ type: 'seen', topic, next }),
      });
      this.watch(this.#watched);
      enter('live', { replayed: records });
      this.#awaitWindows();
    } catch (error) {
      await state.close();
      throw error;
    }
  }

  /** A state that was taken from the snapshots topic gets its windows beside the fold. */
  #awaitWindows(): void {
    this.fold.state.filling?.done.then(
      (figures) => this.options.observer.filled?.(this.partition, figures),
      (error) => this.#fail(error),
    );
  }

  /** A partition that never committed begins where its log begins. The journal says so: a replay begins there too. */
  async #beginWhereLogBegins(): Promise<void> {
    const { log, type, partition } = this.options;
    const { position } = this.fold;
    if (position.commit > 0) return;
    for (const input of ['telemetry', 'lifecycle'] as const) {
      const { start } = log.extent(topicOf(type, input), partition);
      if (start > 0) this.#pass(input, start);
    }
    await this.#commit();
  }

  /** Goes on where the log begins, when it lost records that were not folded: only if somebody has accepted that. */
  async #passLosses(): Promise<void> {
    const { log, type, partition, acceptLoss, observer } = this.options;
    const losses = lossesOf(log, type, partition, this.fold.position);
    if (losses.length === 0) return;
    if (!acceptLoss) throw refuseLosses(type, partition, losses);
    const clock = this.#readClock();
    for (const loss of losses) {
      observer.phase(partition, this.phase, { accepted_loss: loss });
      passOver(this.fold, loss, clock);
      const kind = loss.input === 'telemetry' ? StepKind.lostTelemetry : StepKind.lostLifecycle;
      this.#journal.add(kind, loss.next - loss.from, clock);
    }
    this.snapshots.hasten();
    await this.#commit();
  }

  async #receive(message: Message): Promise<void> {
    // The record it left at is the next owner's, and everything behind it.
    if (this.#isHeld && message.type !== 'stop') return;
    if (message.type === 'run') await this.#run(message);
    else if (message.type === 'seen') await this.#onSeen(message.topic, message.next);
    else if (message.type === 'tick') await this.#onTick();
    else if (message.type === 'commit') await this.#commit();
    else if (message.type === 'publish') await this.#publishAll(message.done);
    else await this.#stopNow(message.done);
  }

  async #run({ topic, run, unknownSchemas }: Message & { type: 'run' }): Promise<void> {
    for (let next = run.from; next < run.to; ) {
      next = this.#foldRun(topic, { ...run, from: next }, unknownSchemas);
      const { position, outputs } = this.fold;
      const isDue = outputs.bytes >= MAX_COMMIT_BYTES || this.#isCommitDue;
      // Somebody waits for exactly this: it need not wait for the interval too.
      if (next < run.to || isDue || this.#waiting.isFor(position)) await this.#commit();
      if (next < run.to && !(await this.#moreWindows())) {
        this.#isHeld = true;
        return;
      }
    }
    this.#source.credit();
  }

  /** Returns where to go on; see {@link PartitionFold.telemetry}. */
  #foldRun(topic: InputTopic, { batch, from, to }: Run, unknownSchemas: readonly number[]): number {
    const clock = this.#readClock();
    const began = performance.now();
    const unknown = unknownSchemas.length === 0 ? undefined : new Set(unknownSchemas);
    const next = this.fold[topic](batch, from, to, clock, unknown);
    if (next === from) return next;
    this.#journal.add(StepKind[topic], next - from, clock, unknownSchemas);
    this.#lastRecordAt = this.options.clock.now();
    this.options.gate.heard(this.#lastRecordAt);
    this.snapshots.folded(next - from);
    this.options.observer.folded(this.partition, topic, next - from, performance.now() - began, this.fold.tally);
    this.fold.tally.reset();
    return next;
  }

  /**
   * The next record reaches back to where windows are still to come, and nothing overtakes it: waits for more of them.
   * False where the shard leaves meanwhile; its next owner folds the record.
   */
  async #moreWindows(): Promise<boolean> {
    await Promise.race([this.fold.state.filling?.more(), this.#leaving.promise]);
    return !this.#isLeaving;
  }

  #leave(): void {
    this.#isLeaving = true;
    this.#leaving.resolve();
  }

  async #onSeen(topic: InputTopic, next: number): Promise<void> {
    this.#pass(topic, next);
    if (this.#waiting.isForTopic(topic)) await this.#commit();
  }

  /** Goes on at `next`: the offsets before it hold no record. */
  #pass(topic: InputTopic, next: number): void {
    const { position } = this.fold;
    const kind = topic === 'telemetry' ? StepKind.passedTelemetry : StepKind.passedLifecycle;
    this.#journal.add(kind, next - position[topic], this.#readClock());
    position[topic] = next;
  }

  async #onTick(): Promise<void> {
    this.#ticking = false;
    const clock = this.#readClock();
    const now = this.options.clock.now();
    if (
      this.#sight.hasCaughtUp(this.fold.position.telemetry, now) &&
      this.options.gate.allows(now) &&
      timersDue(this.fold, clock)
    ) {
      const fired = fireTimers(this.fold, clock, TIMERS_PER_STEP);
      if (fired > 0) this.#journal.add(StepKind.timers, fired, clock);
    }
    // What folds in order of arrival is bounded and few: its open facts need not wait for a pause.
    const { type, publishIdleMs } = this.options;
    const isTime = type.order === 'arrival' || hasPassed(publishIdleMs, this.#lastRecordAt, now);
    if (isTime && hasPassed(PUBLISH_EVERY_MS, this.#lastPublishAt, now) && anythingUnpublished(this.fold))
      this.#publishStep(clock);
    if (!this.#journal.empty && this.#isCommitDue) await this.#commit();
    else this.#snapshotIfDue();
    this.#tellChanges();
  }

  /** What is shown follows the fold, not the commit: that would only fold the same again. */
  #tellChanges(): void {
    if (this.touched.count > 0) this.options.changed(this);
  }

  get #isCommitDue(): boolean {
    return hasPassed(this.options.commitIntervalMs, this.#lastCommitAt, this.options.clock.now());
  }

  async #publishAll(done: Done): Promise<void> {
    while (anythingUnpublished(this.fold)) {
      this.#publishStep(this.#readClock());
      await this.#commit();
    }
    await this.#commit();
    done();
  }

  #publishStep(clock: number): void {
    const published = publishOpen(this.fold, clock, TIMERS_PER_STEP);
    this.#lastPublishAt = this.options.clock.now();
    if (published > 0) this.#journal.add(StepKind.publish, published, clock);
  }

  async #commit(): Promise<void> {
    this.#lastCommitAt = this.options.clock.now();
    if (this.#journal.empty) return;
    this.#tellChanges();
    const began = performance.now();
    const { position, outputs } = this.fold;
    crashPoint('commit.1');
    const journal = encodeJournal({
      generation: this.#claim.generation,
      commit: position.commit,
      steps: this.#journal.take(),
    });
    crashPoint('commit.2');
    const { readings, lifecycle } = this.options.type.topics;
    const inputs = new Map([
      [readings, position.telemetry],
      [lifecycle, position.lifecycle],
    ]);
    const batch = { outputs: outputs.take(), journal, position: encodePosition(position), inputs };
    position.commit = await this.options.log.commit(this.#claim, batch);
    crashPoint('commit.3');
    this.committed = { ...position };
    this.options.observer.committed(this, performance.now() - began);
    this.#waiting.wake(this.committed);
    crashPoint('commit.4');
    this.#snapshotIfDue();
  }

  /** Runs right after a commit or while nothing is uncommitted: the state then is exactly what was committed. */
  #snapshotIfDue(): void {
    if (this.#journal.empty) this.snapshots.takeIfDue(this.#confirmed);
  }

  get #confirmed() {
    return { claim: this.#claim, fold: this.fold, position: { ...this.committed } };
  }

  async #stopNow(done: Done): Promise<void> {
    try {
      await this.#commit();
      await this.snapshots.finish(this.#confirmed);
      this.phase = 'stopped';
      await this.fold.state.close();
      done();
    } catch (error) {
      done(error);
    }
  }

  #tick(): void {
    this.#cancelTick = this.options.clock.after(this.options.tickMs, () => {
      if (this.phase !== 'live') return;
      if (!this.#ticking) this.#send({ type: 'tick' });
      this.#ticking = true;
      this.#tick();
    });
  }

  /** Wall time, never backwards: the partition clock. */
  #readClock(): number {
    return Math.max(this.options.clock.now(), this.fold.position.clock);
  }

  /** The first failure is told; what fails behind it, or after the end, is of no account. */
  #fail(error: unknown): unknown {
    if (this.phase === 'failed' || this.phase === 'stopped') return error;
    this.phase = 'failed';
    this.failure = { cause: error };
    this.#cancelTick();
    this.options.observer.failed(this.partition, error);
    this.#waiting.disappoint(error);
    return error;
  }

  /** Records of the log that are not folded yet. */
  lag(topic: InputTopic): number {
    const { end } = this.options.log.extent(topicOf(this.options.type, topic), this.partition);
    return Math.max(0, end - this.committed[topic]);
  }
}
