import { dispatch, type Ref, spawn, stop } from 'nact';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import type { SinkStatus } from '../../runtime/system/engine.ts';
import type { Sink, SinkBatch } from './contract.ts';
import { pull } from './pull.ts';

export interface SinkRunnerOptions {
  /** The nact system or actor that supervises the runner. */
  readonly parent: Ref<never>;
  readonly log: Log;
  readonly sink: Sink;
  readonly clock: Clock;
  /** @default 'derived' */
  readonly topic?: string;
  /** Time between commits while fewer than `maxRows` events wait, 10..60000 ms. @default 1000 */
  readonly commitIntervalMs?: number;
  /** Events of one commit, and the number that commits at once, 1..100000. @default 8192 */
  readonly maxRows?: number;
  /** Bytes of events of one commit. @default 8 MiB */
  readonly maxBytes?: number;
  /** First and longest wait after an error that may pass; it doubles in between. @default 100 and 30000 */
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  /** How long {@link SinkRunner.stop} goes on committing what the log holds, and then waits. @default 500 */
  readonly flushTimeoutMs?: number;
  /** After each commit, for metrics. */
  readonly onCommit?: (commit: SinkCommit) => void;
  /** Once per error; `final` when the runner has stopped for good. */
  readonly onError?: (error: GridfoldError, final: boolean) => void;
}

export interface SinkCommit {
  readonly sink: string;
  readonly durationMs: number;
  readonly rowsByType: Readonly<Record<string, number>>;
  /** Next offset by partition, of the partitions that moved. */
  readonly next: ReadonlyMap<number, number>;
}

interface Waiter {
  readonly ends: ReadonlyMap<number, number>;
  resolve(): void;
  reject(error: GridfoldError): void;
}

/**
 * Feeds one sink from the derived topic: an actor whose only message is "pull", so that one bounded batch is in memory
 * at a time. A sink that stalls is simply not read for.
 *
 * An error with reaction `retry` is tried again with growing waits, starting from the target's ledger; any other stops
 * the runner for good, and {@link status} says why.
 */
export class SinkRunner {
  readonly #options: Required<Omit<SinkRunnerOptions, 'onCommit' | 'onError'>> & SinkRunnerOptions;
  /** Where the log is read on, and what the target's ledger says; offsets between them hold no event. */
  readonly #next = new Map<number, number>();
  readonly #written = new Map<number, number>();
  readonly #unsubscribe: (() => void)[] = [];
  #actor: Ref<'pull'> | null = null;
  /** From sending "pull" until it is done. */
  #pulling: Promise<void> | null = null;
  #pulled: () => void = () => undefined;
  #cancelTimer: (() => void) | null = null;
  #waiters: Waiter[] = [];
  #ledgerRead = false;
  #rows = 0;
  #firstPartition = 0;
  #failures = 0;
  #error: GridfoldError | null = null;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  #ended: GridfoldError | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: SinkRunnerOptions) {
    this.#options = {
      topic: topics.derived,
      commitIntervalMs: 1000,
      maxRows: 8192,
      maxBytes: 8 * 1024 * 1024,
      retryMinMs: 100,
      retryMaxMs: 30_000,
      flushTimeoutMs: 500,
      ...options,
    };
    assertBounds('commitIntervalMs', this.#options.commitIntervalMs, 10, 60_000);
    assertBounds('maxRows', this.#options.maxRows, 1, 100_000);
  }

  /**
   * Opens the sink, reads its ledger and begins. A target that is away is tried again in the background; an error that
   * cannot pass is thrown.
   */
  async start(): Promise<void> {
    const { parent, log, topic, sink } = this.#options;
    this.#actor = spawn(parent, () => this.#pull(), `sink-${sink.name}`, {
      onCrash: (_message, error, context) => {
        this.#fail(toError(error));
        return context.stop;
      },
    });
    for (let partition = 0; partition < log.partitions; partition++) {
      this.#unsubscribe.push(log.onAppend(topic, partition, () => this.#schedule()));
    }
    await this.#sendPull();
    if (this.#ended !== null) throw this.#ended;
  }

  status(): SinkStatus {
    return {
      sink: this.#options.sink.name,
      lag: this.#lag(),
      rows: this.#rows,
      lastCommitAt: Number.isFinite(this.#lastCommitMs) ? new Date(this.#lastCommitMs).toISOString() : null,
      error: this.#error?.message ?? null,
    };
  }

  /** Next offset that the target wants of a partition; what lies before it the log may let go. */
  next(partition: number): number {
    return this.#next.get(partition) ?? 0;
  }

  /** Resolves when the target has committed everything that is in the log now, without waiting for the interval. */
  async drained(): Promise<void> {
    if (this.#ended !== null) throw this.#ended;
    const { log, topic } = this.#options;
    const partitions = Array.from({ length: log.partitions }, (_, p) => p);
    const ends = new Map(
      await Promise.all(partitions.map(async (p) => [p, (await log.latest(topic, p)).end] as const)),
    );
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      this.#waiters.push({ ends, resolve, reject });
      this.#release();
      this.#schedule();
    });
  }

  /**
   * Commits what the log holds, for `flushTimeoutMs` at most, waits as long again for a commit that hangs, and closes the
   * sink. What is left waits in the log.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#actor !== null && this.#failures === 0) await this.#atMost(this.drained());
    this.#end(new GridfoldError('sink_closed', 'stop', `sink ${this.#options.sink.name} is closed`));
    // A stopped actor drops a message it has not begun, so this turn should end first.
    if (this.#pulling !== null) await this.#atMost(this.#pulling);
    this.#stopActor();
    await this.#options.sink.close();
  }

  async #atMost(work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(this.#options.flushTimeoutMs, resolve);
    });
    await Promise.race([work.catch(() => undefined), deadline]);
    cancel();
  }

  /** Sends "pull" now, or sets a timer for when it is due. Called whenever something may have changed. */
  #schedule(): void {
    if (this.#ended !== null || this.#pulling !== null || this.#failures > 0 || !this.#ledgerRead) return;
    const lag = this.#lag();
    if (lag === 0) return;
    const { commitIntervalMs, maxRows, clock } = this.#options;
    const due = lag >= maxRows || this.#waiters.length > 0 ? 0 : this.#lastCommitMs + commitIntervalMs - clock.now();
    if (due <= 0) void this.#sendPull();
    else this.#pullAfter(due);
  }

  #pullAfter(delayMs: number): void {
    this.#cancelTimer ??= this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = null;
      void this.#sendPull();
    });
  }

  #sendPull(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#pulling !== null || this.#actor === null) return this.#pulling ?? Promise.resolve();
    this.#pulling = new Promise((resolve) => {
      this.#pulled = resolve;
    });
    dispatch(this.#actor, 'pull');
    return this.#pulling;
  }

  /** The actor's turn: one bounded commit. */
  async #pull(): Promise<void> {
    try {
      await this.#step();
      this.#failures = 0;
      this.#error = null;
    } catch (cause) {
      this.#retryOrFail(toError(cause));
    } finally {
      this.#pulling = null;
      this.#pulled();
    }
    this.#release();
    this.#schedule();
  }

  async #step(): Promise<void> {
    if (this.#ended !== null) return;
    const { log, sink, topic, clock, maxRows, maxBytes } = this.#options;
    if (!this.#ledgerRead) await this.#readLedger();
    const batches = await pull(log, topic, this.#next, this.#firstPartition, { rows: maxRows, bytes: maxBytes });
    if (batches.length === 0) return;
    const startMs = clock.now();
    const written = batches
      .filter((batch) => batch.events.length > 0)
      .map((batch) => joined(batch, this.#written.get(batch.partition) ?? 0));
    if (written.length > 0) await sink.write(written);
    for (const batch of written) this.#written.set(batch.partition, batch.next);
    for (const batch of batches) {
      this.#next.set(batch.partition, batch.next);
      this.#rows += batch.events.length;
    }
    if (written.length === 0) return;
    this.#firstPartition = (batches[batches.length - 1].partition + 1) % log.partitions;
    this.#lastCommitMs = clock.now();
    this.#options.onCommit?.(describeCommit(sink.name, written, this.#lastCommitMs - startMs));
  }

  async #readLedger(): Promise<void> {
    const { sink } = this.#options;
    await sink.open();
    const ledger = await sink.ledger();
    for (const map of [this.#next, this.#written]) {
      map.clear();
      for (const entry of ledger) map.set(entry.partition, entry.next);
    }
    this.#rows = ledger.reduce((sum, entry) => sum + entry.rows, 0);
    this.#ledgerRead = true;
  }

  #retryOrFail(error: GridfoldError): void {
    if (this.#ended !== null) return;
    if (error.reaction !== 'retry') {
      this.#fail(error);
      return;
    }
    const { retryMinMs, retryMaxMs, onError } = this.#options;
    this.#pullAfter(Math.min(retryMaxMs, retryMinMs * 2 ** this.#failures));
    this.#failures += 1;
    this.#error = error;
    // The commit may have happened although its answer was lost: only the target knows.
    this.#ledgerRead = false;
    onError?.(error, false);
  }

  #fail(error: GridfoldError): void {
    if (this.#ended !== null) return;
    this.#error = error;
    this.#end(error);
    this.#stopActor();
    this.#options.onError?.(error, true);
  }

  #stopActor(): void {
    if (this.#actor !== null) stop(this.#actor);
    this.#actor = null;
  }

  #end(reason: GridfoldError): void {
    this.#ended ??= reason;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#ended);
  }

  #release(): void {
    const done = (waiter: Waiter) => [...waiter.ends].every(([partition, end]) => this.next(partition) >= end);
    const ready = this.#ledgerRead ? this.#waiters.filter(done) : [];
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }

  #lag(): number {
    const { log, topic } = this.#options;
    let lag = 0;
    for (let p = 0; p < log.partitions; p++) lag += Math.max(0, log.extent(topic, p).end - this.next(p));
    return lag;
  }
}

/** The batch as it follows on the ledger: from there up to its first event the log holds none. */
function joined(batch: SinkBatch, from: number): SinkBatch {
  if (batch.from === from) return batch;
  return { ...batch, from, offsets: batch.offsets ?? batch.events.map((_, i) => batch.from + i) };
}

function describeCommit(sink: string, batches: readonly SinkBatch[], durationMs: number): SinkCommit {
  const rowsByType: Record<string, number> = {};
  for (const batch of batches) {
    for (const event of batch.events) rowsByType[event.type] = (rowsByType[event.type] ?? 0) + 1;
  }
  return { sink, durationMs, rowsByType, next: new Map(batches.map((b) => [b.partition, b.next])) };
}

function toError(cause: unknown): GridfoldError {
  if (cause instanceof GridfoldError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new GridfoldError('sink_failed', 'stop', `unexpected: ${message}`, { cause });
}

function assertBounds(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new GridfoldError(
    'config_invalid',
    'fix-configuration',
    `${name} must be a whole number from ${least} to ${most}, not ${value}`,
  );
}
