import { GridfoldError } from '../kernel/errors.ts';
import { type InputTopic, topicOf } from '../shard/contract.ts';
import { fallback, reachesBack, type RestoreFrom } from '../shard/recovery.ts';
import type { Shard } from '../shard/shard.ts';

const DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** What becomes of a partition that failed: another process may have it, it starts again from there, or stays failed. */
export type Verdict = 'leave' | 'give up' | { readonly from: RestoreFrom };

/** Damage showed in a partition: where it started from since, and up to where it has to come to be past the damage. */
interface Damaged {
  readonly from: RestoreFrom;
  readonly until: Readonly<Record<InputTopic, number>>;
}

/**
 * How the partitions of a stage that fail start again. What may pass is tried for as long as it takes. Damage does not
 * pass: each time it shows, the partition starts from where it has not started yet (see {@link fallback}), until what
 * stood in its input when it first showed is folded, or nothing is left to start from.
 */
export class Restarts {
  /** Failures in a row, by partition. */
  readonly #failures = new Map<number, number>();
  readonly #damaged = new Map<number, Damaged>();

  /** Another failure of a shard that was at work. */
  afterWork(shard: Shard, error: unknown): Verdict {
    const { partition } = shard;
    this.#failures.set(partition, this.failures(partition) + 1);
    if (mustLeave(error)) return 'leave';
    const tried = this.#damaged.get(partition)?.from ?? 'newest';
    const { log, type } = shard.options;
    const logReachesBack = reachesBack(log, type.topics, partition);
    const from = fallback(error, tried, { logReachesBack, isMirrored: shard.snapshots.isMirrored });
    if (from === null) return mayPass(error) ? { from: again(tried) } : 'give up';
    const until = this.#damaged.get(partition)?.until ?? endsOf(shard);
    this.#damaged.set(partition, { from, until });
    return { from };
  }

  /** A failure of a shard that did not come to work, though it tried everything that `from` falls back to. */
  afterStart(error: unknown, from: RestoreFrom): Verdict {
    if (mustLeave(error)) return 'leave';
    return mayPass(error) ? { from: again(from) } : 'give up';
  }

  /** How often the partition failed since it last committed. */
  failures(partition: number): number {
    return this.#failures.get(partition) ?? 0;
  }

  committed({ partition, committed }: Shard): void {
    this.#failures.delete(partition);
    const until = this.#damaged.get(partition)?.until;
    if (until !== undefined && committed.telemetry >= until.telemetry && committed.lifecycle >= until.lifecycle) {
      this.#damaged.delete(partition);
    }
  }

  forget(partition: number): void {
    this.#failures.delete(partition);
    this.#damaged.delete(partition);
  }
}

/** What a partition waits for before it is started again, in ms, after so many failures in a row. */
export function restartDelay(failures: number): number {
  return Math.min(MAX_DELAY_MS, DELAY_MS * 2 ** (failures - 1));
}

/** Whether the partition has, or will have, another owner. */
export function mustLeave(error: unknown): boolean {
  return error instanceof GridfoldError && error.reaction === 'rejoin';
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof GridfoldError) || error.reaction !== 'retry') return false;
  return error.code !== 'block_corrupt' && error.code !== 'window_corrupt';
}

/** Once the newest snapshot was discarded, the one before it is the newest. */
function again(from: RestoreFrom): RestoreFrom {
  return from === 'older' ? 'newest' : from;
}

function endsOf({ options: { log, type }, partition }: Shard): Record<InputTopic, number> {
  const end = (input: InputTopic) => log.extent(topicOf(type, input), partition).end;
  return { telemetry: end('telemetry'), lifecycle: end('lifecycle') };
}
