import { type ActorSystemRef, dispatch, type Ref, spawn, stop as stopActor } from 'nact';
import type { PartitionState, SnapshotFigures } from '../../snapshots/contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { crashPoint } from '../kernel/crash.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Claim, Log } from '../log/contract.ts';
import { type ActorType, type InputTopic, topicOf } from './contract.ts';
import { hasPassed } from './elapsed.ts';
import { PartitionFold } from './fold.ts';
import { encodeJournal, JournalBuilder, StepKind } from './journal.ts';
import { Mirror, type MirrorFigures } from './mirror.ts';
import { type OpenState, restoreMirrored } from './mirror-restore.ts';
import { lossesOf, passOver, refuseLosses } from './loss.ts';
import { encodePosition, type ShardPosition } from './position.ts';
import type { Run } from './record-reader.ts';
import {
  checkRecovery,
  claimPartition,
  fallback,
  isReplayable,
  type Phase,
  reachesBack,
  type RestoreFrom,
  replay,
  usableSnapshot,
  versionsOf,
} from './recovery.ts';
import { Source } from './source.ts';
import type { Tally } from './tally.ts';
import type { TimerGate } from './timer-gate.ts';
import { anythingUnpublished, fireTimers, publishOpen, timersDue } from './timers.ts';
import { Touched } from './touched.ts';

export interface ShardOptions {
  readonly type: ActorType;
  readonly partition: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly gate: TimerGate;
  readonly openState: OpenState;
  /** Whether each snapshot is also kept in the snapshots topic, for an owner without this directory. */
  readonly mirror: boolean;
  readonly commitIntervalMs: number;
  readonly snapshotIntervalMs: number;
  /** A snapshot is also due after so many records. */
  readonly snapshotRecords: number;
  readonly horizonMs: number;
  /** Goes on where the log dropped records before they were folded; every asset of the partition gets a gap. */
  readonly acceptLoss: boolean;
  readonly tickMs: number;
  /** Open facts of devices are published when the input has been silent for so long; at most every 15 s. */
  readonly publishIdleMs: number;
  readonly observer: ShardObserver;
}

/** What others hear of a shard. Calls are synchronous and must not throw. */
export interface ShardObserver {
  phase(partition: number, phase: Phase, detail: Record<string, unknown>): void;
  /** After a commit; `shard.touched` are the assets it changed, where somebody watches. */
  committed(shard: Shard, durationMs: number): void;
  snapshot(partition: number, figures: SnapshotFigures): void;
  /** A snapshot stands in the snapshots topic. */
  mirrored?(partition: number, figures: MirrorFigures): void;
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

type Done = (error?: unknown) => void;

interface Waiter {
  readonly topic: InputTopic;
  readonly offset: number;
  readonly done: Done;
}

const MAX_COMMIT_BYTES = 4 << 20;
const TIMERS_PER_STEP = 2000;
const PUBLISH_EVERY_MS = 15_000;
/** What was seen of the log longer ago says nothing of who is silent now. */
const SIGHT_MS = 15_000;

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
  /**
   * Positions of the newest two snapshots, of those in the snapshots topic where they are kept there: what lies before
   * the older one may be trimmed.
   */
  snapshots: ShardPosition[] = [];
  snapshotAt: number;
  #claim!: Claim;
  #mirror: Mirror | null = null;
  /** Of the newest local snapshot. */
  #snapshotCommit = 0;
  #source!: Source;
  #journal = new JournalBuilder();
  #actor: Ref<Message> | null = null;
  #cancelTick: () => void = () => {};
  #ticking = false;
  #watched = false;
  #lastCommitAt = 0;
  #lastRecordAt = 0;
  #lastPublishAt = 0;
  #recordsSinceSnapshot = 0;
  /** Where the input ended when it was last looked at, and when that was. */
  #sight = { end: 0, at: 0 };
  #snapshotting: Promise<void> | null = null;
  #waiters: Waiter[] = [];
  /** Asked of the actor, and not done yet: an actor that fails does nothing more. */
  readonly #asked = new Set<Done>();

  constructor(options: ShardOptions) {
    this.options = options;
    this.partition = options.partition;
    this.snapshotAt = options.clock.now();
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
          isMirrored: this.#mirror !== null && this.#mirror.snapshot !== null,
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
    await this.#source.stop();
    await this.#ask('stop');
    this.#dismiss();
  }

  /** After a failure: lets go of what it holds, without commit or snapshot. */
  async abandon(): Promise<void> {
    this.#cancelTick();
    this.phase = this.phase === 'live' ? 'stopped' : this.phase;
    this.#dismiss();
    await this.#source?.stop();
    // A publication that waits for the log is not waited for: it finds the state closed.
    await this.fold?.state.close();
  }

  /** The partition may come back to this process: its next actor has the same name. */
  #dismiss(): void {
    if (this.#actor !== null) stopActor(this.#actor);
    this.#actor = null;
    this.#disappoint(this.#notLive());
  }

  /**
   * Resolves when everything of `topic` below `offset` is folded and committed; rejects when the shard ends before, is
   * not at work, or `signal` ends the waiting.
   */
  reached(topic: InputTopic, offset: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.phase !== 'live') return reject(this.#notLive());
      if (this.committed[topic] >= offset) return resolve();
      const done: Done = (error) => {
        signal?.removeEventListener('abort', giveUp);
        this.#waiters = this.#waiters.filter((waiter) => waiter.done !== done);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      const giveUp = () => done(signal?.reason);
      signal?.addEventListener('abort', giveUp);
      this.#waiters.push({ topic, offset, done });
      if (this.fold.position[topic] >= offset) this.#send({ type: 'commit' });
    });
  }

  /** Remember which assets commits change, or stop doing so. */
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
    return new Promise((resolve, reject) => {
      const done: Done = (error) => {
        this.#asked.delete(done);
        if (error === undefined) resolve();
        else reject(error as Error);
      };
      this.#asked.add(done);
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
    const state = await this.#restore(committed, from);
    try {
      enter('checking', { assets: state.assets });
      const position = checkRecovery(log, partition, type, state, committed);
      this.#snapshotCommit = position.commit;
      const kept = this.#mirror === null ? { ...position } : this.#mirror.position;
      this.snapshots = kept === null ? [] : [kept];
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
      this.#recordsSinceSnapshot = records;
      const now = this.options.clock.now();
      this.options.gate.heard(Math.min(this.committed.clock, now));
      this.#sight = { end: this.#endOfReadings, at: now };
      this.#source = new Source(log, type, partition, this.committed, {
        run: (topic, run, unknownSchemas) => this.#send({ type: 'run', topic, run, unknownSchemas }),
        seen: (topic, next) => this.#send({ type: 'seen', topic, next }),
      });
      this.watch(this.#watched);
      enter('live', { replayed: records });
    } catch (error) {
      await state.close();
      throw error;
    }
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
    // A snapshot behind the loss is due: from the one before it nobody should have to start again.
    this.#recordsSinceSnapshot = Number.POSITIVE_INFINITY;
    await this.#commit();
  }

  async #restore(committed: ShardPosition, from: RestoreFrom): Promise<PartitionState> {
    const { type, partition, log, openState, observer } = this.options;
    const usable = usableSnapshot(committed);
    if (!this.options.mirror) return openState(usable, from);
    this.#mirror = await Mirror.open(log, type.topics.snapshots, partition);
    if (from === 'empty') this.#mirror.giveUp();
    const context = {
      partition,
      mirror: this.#mirror,
      usable,
      isReplayable: (position: ShardPosition) => isReplayable(log, type, partition, position, committed),
      say: (detail: Record<string, unknown>) => observer.phase(partition, 'restoring', detail),
    };
    return restoreMirrored(openState, context, from);
  }

  async #receive(message: Message): Promise<void> {
    if (message.type === 'run') await this.#run(message);
    else if (message.type === 'seen') await this.#onSeen(message.topic, message.next);
    else if (message.type === 'tick') await this.#onTick();
    else if (message.type === 'commit') await this.#commit();
    else if (message.type === 'publish') await this.#publishAll(message.done);
    else await this.#stopNow(message.done);
  }

  async #run({ topic, run: { batch, from, to }, unknownSchemas }: Message & { type: 'run' }): Promise<void> {
    const clock = this.#readClock();
    const began = performance.now();
    const unknown = unknownSchemas.length === 0 ? undefined : new Set(unknownSchemas);
    if (topic === 'telemetry') this.fold.telemetry(batch, from, to, clock, unknown);
    else this.fold.lifecycle(batch, from, to, clock, unknown);
    this.#journal.add(StepKind[topic], to - from, clock, unknownSchemas);
    this.#lastRecordAt = this.options.clock.now();
    this.options.gate.heard(this.#lastRecordAt);
    this.#recordsSinceSnapshot += to - from;
    this.options.observer.folded(this.partition, topic, to - from, performance.now() - began, this.fold.tally);
    this.fold.tally.reset();
    const { position, outputs } = this.fold;
    const isDue = outputs.bytes >= MAX_COMMIT_BYTES || this.#isCommitDue;
    // Somebody waits for exactly this: it need not wait for the interval too.
    if (isDue || this.#waiters.some((w) => position[w.topic] >= w.offset)) await this.#commit();
    this.#source.credit();
  }

  async #onSeen(topic: InputTopic, next: number): Promise<void> {
    this.#pass(topic, next);
    if (this.#waiters.some((w) => w.topic === topic)) await this.#commit();
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
    if (this.#hasCaughtUp(now) && this.options.gate.allows(now) && timersDue(this.fold, clock)) {
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
  }

  /**
   * Whether what stood in the log moments ago is folded. Until then nobody is silent: the sign of life that a timer
   * waits for may be among what is not read yet.
   */
  #hasCaughtUp(now: number): boolean {
    const { end, at } = this.#sight;
    const next = this.fold.position.telemetry;
    if (next < end) return false;
    this.#sight = { end: this.#endOfReadings, at: now };
    return next >= this.#sight.end || !hasPassed(SIGHT_MS, at, now);
  }

  get #endOfReadings(): number {
    const { log, type } = this.options;
    return log.extent(type.topics.readings, this.partition).end;
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
    const began = performance.now();
    const { position, outputs } = this.fold;
    crashPoint('commit.1');
    const journal = encodeJournal({
      generation: this.#claim.generation,
      commit: position.commit,
      steps: this.#journal.take(),
    });
    const touched = this.touched.take();
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
    this.touched.confirmed(touched);
    this.options.observer.committed(this, performance.now() - began);
    this.#wakeWaiters();
    crashPoint('commit.4');
    this.#snapshotIfDue();
  }

  /** Runs right after a commit or while nothing is uncommitted: the state then is exactly what was committed. */
  #snapshotIfDue(): void {
    const { clock, snapshotIntervalMs, snapshotRecords } = this.options;
    if (!this.#journal.empty || this.#snapshotting !== null) return;
    if (this.#isKept) return;
    const isTime = hasPassed(snapshotIntervalMs, this.snapshotAt, clock.now());
    if (!isTime && this.#recordsSinceSnapshot < snapshotRecords) return;
    this.#snapshotting = this.#snapshot().finally(() => {
      this.#snapshotting = null;
    });
    this.#snapshotting.catch((error) =>
      this.options.observer.phase(this.partition, this.phase, { snapshot_failed: String(error) }),
    );
  }

  /** Whether everything committed stands in a snapshot, and that one where its next owner finds it. */
  get #isKept(): boolean {
    const { commit } = this.committed;
    return (
      commit === this.#snapshotCommit && (this.#mirror === null || commit === (this.#mirror.position?.commit ?? 0))
    );
  }

  async #snapshot(): Promise<void> {
    const position = { ...this.committed };
    this.snapshotAt = this.options.clock.now();
    this.#recordsSinceSnapshot = 0;
    if (position.commit !== this.#snapshotCommit) {
      const meta = { position: encodePosition(position), versions: versionsOf(this.options.type) };
      const figures = await this.fold.state.snapshot(meta, Promise.resolve());
      this.#snapshotCommit = position.commit;
      this.fold.state.passivate();
      if (this.#mirror === null) this.snapshots = [...this.snapshots.slice(-1), position];
      this.options.observer.snapshot(this.partition, figures);
    }
    if (this.#mirror !== null) await this.#publishSnapshot(this.#mirror, position);
  }

  /** Keeps the newest local snapshot in the log. Where that fails, the next one brings along what this one did not. */
  async #publishSnapshot(mirror: Mirror, position: ShardPosition): Promise<void> {
    try {
      const figures = await mirror.publish(this.#claim, this.fold.state, position);
      this.snapshots = [...this.snapshots.slice(-1), position];
      if (figures !== null) this.options.observer.mirrored?.(this.partition, figures);
    } catch (error) {
      if (this.phase !== 'live') return;
      if (error instanceof GridfoldError && error.code === 'log_fenced') throw this.#fail(error);
      this.options.observer.phase(this.partition, this.phase, { mirror_failed: String(error) });
    }
  }

  async #stopNow(done: Done): Promise<void> {
    try {
      await this.#commit();
      await this.#snapshotting;
      if (!this.#isKept) await this.#snapshot();
      await this.#release();
      this.phase = 'stopped';
      await this.fold.state.close();
      done();
    } catch (error) {
      done(error);
    }
  }

  /** Tells the next owner that it need not wait. Where that fails it waits in vain, no more. */
  async #release(): Promise<void> {
    try {
      await this.#mirror?.release(this.#claim, this.committed);
    } catch (error) {
      this.options.observer.phase(this.partition, this.phase, { release_failed: String(error) });
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

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    for (const { topic, offset, done } of [...this.#waiters]) if (this.committed[topic] >= offset) done();
  }

  /** The first failure is told; what fails behind it, or after the end, is of no account. */
  #fail(error: unknown): unknown {
    if (this.phase === 'failed' || this.phase === 'stopped') return error;
    this.phase = 'failed';
    this.failure = { cause: error };
    this.#cancelTick();
    this.options.observer.failed(this.partition, error);
    this.#disappoint(error);
    return error;
  }

  /** Nobody waits for a shard that does nothing more. */
  #disappoint(error: unknown): void {
    for (const done of [...this.#asked, ...this.#waiters.map((waiter) => waiter.done)]) done(error);
  }

  /** Records of the log that are not folded yet. */
  lag(topic: InputTopic): number {
    const { end } = this.options.log.extent(topicOf(this.options.type, topic), this.partition);
    return Math.max(0, end - this.committed[topic]);
  }
}
