import type { ActorSystemRef } from 'nact';
import type { Clock } from '../kernel/clock.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { RestoreFrom } from '../shard/recovery.ts';
import type { Shard } from '../shard/shard.ts';
import { pause } from './pause.ts';
import { mustLeave, restartDelay, Restarts, type Verdict } from './restarts.ts';
import type { RuntimeOptions } from './runtime-options.ts';

/** Who shares out the partitions; hears of those that cannot stay as they are. */
export interface PartitionOwner {
  /** Another process has claimed the partition, or will. */
  fenced(partition: number): void;
  /** It failed by a fault that does not pass. */
  failed(partition: number): void;
  /** Whether the partition belongs here, as far as is known: claiming it otherwise would fence who has it by right. */
  isOurs(partition: number): boolean;
}

export interface SupervisorParts {
  readonly partitions: number;
  readonly system: ActorSystemRef;
  readonly clock: Clock;
  readonly owner: PartitionOwner;
  readonly message: RuntimeOptions['message'];
  /** A shard that is not at work yet. */
  makeShard(partition: number): Shard;
  /** A shard came to work. */
  started(): void;
}

/** Brings the shards of a stage to work, lets them go, and starts another one where one failed. */
export class Supervisor {
  /** By partition; `elsewhere` where it is not at work here. */
  readonly shards: Shard[];
  /** By partition, how often a shard was started here, after a failure too. */
  readonly starts: number[];
  readonly #parts: SupervisorParts;
  readonly #restarts = new Restarts();
  /** By partition, the restart that is under way. */
  readonly #restarting = new Map<number, Promise<void>>();
  /** Partitions whose shard is not at work yet, or is being let go. */
  readonly #moving = new Set<number>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.shards = Array.from({ length: parts.partitions }, (_, partition) => parts.makeShard(partition));
    this.starts = new Array<number>(parts.partitions).fill(0);
  }

  /** Forgets how the partition failed before: somebody gives it another chance. */
  forgive(partition: number): void {
    this.#restarts.forget(partition);
  }

  /** Starts a shard, and another one while what keeps it from starting may pass and the partition belongs here. */
  async begin(partition: number, first: RestoreFrom): Promise<void> {
    this.#moving.add(partition);
    try {
      for (let tries = 1, from = first; ; tries++) {
        if (!this.#parts.owner.isOurs(partition)) throw moved(partition);
        const failure = await this.#tryToStart(partition, from);
        if (failure === null) break;
        if (typeof failure.verdict === 'string') throw failure.cause;
        from = failure.verdict.from;
        await this.shards[partition].abandon();
        await pause(this.#parts.clock, restartDelay(tries));
      }
    } finally {
      this.#moving.delete(partition);
    }
    this.#parts.started();
  }

  /** Starts a shard, and says what ended it already, and what becomes of the partition. */
  async #tryToStart(partition: number, from: RestoreFrom): Promise<{ cause: unknown; verdict: Verdict } | null> {
    const shard = this.#parts.makeShard(partition);
    this.shards[partition] = shard;
    this.starts[partition] += 1;
    try {
      await shard.start(this.#parts.system, from);
    } catch (cause) {
      return { cause, verdict: this.#restarts.afterStart(cause, from) };
    }
    if (shard.failure !== null) {
      const { cause } = shard.failure;
      return { cause, verdict: this.#restarts.afterWork(shard, cause) };
    }
    // From here on the observer hears of a failure.
    this.#moving.delete(partition);
    return null;
  }

  /** Commits, snapshots and lets the partition go; what could not be finished is replayed by the next owner. */
  async release(partition: number): Promise<void> {
    while (this.#restarting.has(partition)) await this.#restarting.get(partition);
    const shard = this.shards[partition];
    if (shard.phase === 'elsewhere') return;
    this.#moving.add(partition);
    try {
      await this.#letGo(shard);
      this.shards[partition] = this.#parts.makeShard(partition);
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
      this.#parts.message('warn', 'A partition was let go without a last commit', fields);
      await shard.abandon();
    }
  }

  committed(shard: Shard): void {
    this.#restarts.committed(shard);
  }

  /**
   * A shard whose failure may pass, or that has something else to start from, starts again; one that was fenced leaves;
   * any other stays failed, and health says so.
   */
  failed(partition: number, error: unknown): void {
    // Before it is at work, and while it is let go, whoever does that hears of the failure.
    if (this.#moving.has(partition)) return;
    const failed = this.shards[partition];
    const verdict = this.#restarts.afterWork(failed, error);
    if (verdict === 'leave') this.#parts.owner.fenced(partition);
    else if (verdict === 'give up') this.#parts.owner.failed(partition);
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
      if (failures > 1) await pause(this.#parts.clock, restartDelay(failures));
      await this.begin(partition, from);
    } catch (second) {
      const fields = { partition, error: String(second) };
      this.#parts.message('error', 'A partition could not be restarted', fields);
      if (mustLeave(second)) this.#parts.owner.fenced(partition);
      else this.#parts.owner.failed(partition);
    }
  }
}

function moved(partition: number): GridfoldError {
  return new GridfoldError(
    'partition_moved',
    'rejoin',
    `partition ${partition} does not belong to this process any more`,
  );
}
