import type { FillFigures, PartitionState, SnapshotFigures } from '../../snapshots/contract.ts';
import type { Clock } from '../kernel/clock.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Claim, Log } from '../log/contract.ts';
import type { ActorType } from './contract.ts';
import { hasPassed } from './elapsed.ts';
import type { PartitionFold } from './fold.ts';
import { Mirror, type MirrorFigures } from './mirror.ts';
import { type OpenState, restoreMirrored } from './mirror-restore.ts';
import { encodePosition, type ShardPosition } from './position.ts';
import { isReplayable, type Phase, type RestoreFrom, usableSnapshot, versionsOf } from './recovery.ts';
import type { Seat } from './snapshot-turns.ts';

/** Part of `snapshotRecords` from which on a snapshot is taken when it is its turn; at the whole it waits for none. */
const EARLY_RECORDS = 7 / 8;

export interface KeeperOptions {
  readonly type: ActorType;
  readonly partition: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly openState: OpenState;
  /** Whether each snapshot is also kept in the snapshots topic, for an owner without this directory. */
  readonly mirror: boolean;
  /** When a snapshot is due by time, and whose turn it is. */
  readonly seat: Seat;
  /** A snapshot is also due after so many records. */
  readonly snapshotRecords: number;
  readonly observer: KeeperObserver;
}

/** What others hear of snapshots. Calls are synchronous and must not throw. */
export interface KeeperObserver {
  phase(partition: number, phase: Phase, detail: Record<string, unknown>): void;
  snapshot(partition: number, figures: SnapshotFigures): void;
  /** A snapshot stands in the snapshots topic. */
  mirrored?(partition: number, figures: MirrorFigures): void;
  /** The windows of a state that was taken from the snapshots topic are there. */
  filled?(partition: number, figures: FillFigures): void;
}

/** What a snapshot is taken of: the state as of the newest confirmed commit, and the right to publish it. */
export interface Committed {
  readonly claim: Claim;
  readonly fold: PartitionFold;
  readonly position: ShardPosition;
}

/**
 * The snapshots of a partition: in its directory and, where `mirror` is set, in the snapshots topic for its next owner.
 * It restores from them, says when the next one is due, and takes it beside the fold.
 */
export class SnapshotKeeper {
  /**
   * Positions of the newest two snapshots, of those in the snapshots topic where they are kept there: what lies before
   * the older one may be trimmed.
   */
  positions: readonly ShardPosition[] = [];
  takenAt: number;
  #dueAt: number;
  readonly #options: KeeperOptions;
  readonly #fenced: (error: unknown) => void;
  #mirror: Mirror | null = null;
  /** Commit of the newest local snapshot. */
  #localCommit = 0;
  #records = 0;
  #taking: Promise<void> | null = null;
  #isClosed = false;

  /** `fenced` hears of a publication that was refused, since the partition has another owner. */
  constructor(options: KeeperOptions, fenced: (error: unknown) => void) {
    this.#options = options;
    this.#fenced = fenced;
    this.takenAt = options.clock.now();
    this.#dueAt = options.seat.dueAfter(this.takenAt, true);
  }

  /** Opens the state that recovery starts from. */
  async restore(committed: ShardPosition, from: RestoreFrom): Promise<PartitionState> {
    const { type, partition, log, openState, mirror, observer } = this.#options;
    const usable = usableSnapshot(committed);
    if (!mirror) return openState(usable, from);
    this.#mirror = await Mirror.open(log, type.topics, partition);
    if (from === 'empty' || from === 'local') this.#mirror.giveUp();
    const context = {
      partition,
      mirror: this.#mirror,
      usable,
      isReplayable: (position: ShardPosition) => isReplayable(log, type, partition, position, committed),
      say: (detail: Record<string, unknown>) => observer.phase(partition, 'restoring', detail),
    };
    return restoreMirrored(openState, context, from);
  }

  /** Whether the snapshots topic holds one to fall back to. */
  get isMirrored(): boolean {
    return this.#mirror !== null && this.#mirror.snapshot !== null;
  }

  /** Recovery starts at this position, from a local snapshot. */
  restored(position: ShardPosition): void {
    this.#localCommit = position.commit;
    const kept = this.#mirror === null ? { ...position } : this.#mirror.position;
    this.positions = kept === null ? [] : [kept];
  }

  folded(records: number): void {
    this.#records += records;
  }

  /** A snapshot is due with the next commit: from the one before nobody should have to start again. */
  hasten(): void {
    this.#records = Number.POSITIVE_INFINITY;
  }

  /** Takes one if it is due; to be called while nothing is uncommitted. Never rejects, what fails is told. */
  takeIfDue(committed: Committed): void {
    const { observer, partition, seat } = this.#options;
    if (this.#taking !== null || !committed.fold.isWhole || this.#holds(committed.position) || !this.#mayTake()) return;
    this.#taking = this.#take(committed).finally(() => {
      this.#taking = null;
      seat.leave();
    });
    this.#taking.catch((error) => {
      if (isFence(error)) this.#fenced(error);
      else observer.phase(partition, 'live', { snapshot_failed: String(error) });
    });
  }

  #mayTake(): boolean {
    const { clock, seat, snapshotRecords } = this.#options;
    const now = clock.now();
    if (this.#records >= snapshotRecords) return true;
    const isTime = hasPassed(this.#dueAt - this.takenAt, this.takenAt, now);
    return (isTime || this.#records >= snapshotRecords * EARLY_RECORDS) && seat.take(now);
  }

  /** The last snapshot of an owner that leaves, which waits for no turn, and the word to the next one that it need not wait. */
  async finish(committed: Committed): Promise<void> {
    this.#options.seat.leave();
    await this.#taking;
    // A state that is not whole is no snapshot: the next owner starts where this one did.
    if (committed.fold.isWhole && !this.#holds(committed.position)) await this.#take(committed);
    try {
      await this.#mirror?.release(committed.claim, committed.position);
    } catch (error) {
      // The next owner waits in vain, no more.
      this.#options.observer.phase(this.#options.partition, 'live', { release_failed: String(error) });
    }
  }

  /** From here on a publication that fails is of no account: nobody waits for it. */
  close(): void {
    this.#isClosed = true;
    this.#options.seat.leave();
  }

  /** Whether everything committed stands in a snapshot, and that one where its next owner finds it. */
  #holds({ commit }: ShardPosition): boolean {
    return commit === this.#localCommit && (this.#mirror === null || commit === (this.#mirror.position?.commit ?? 0));
  }

  async #take(committed: Committed): Promise<void> {
    const { clock, type, observer, partition, seat } = this.#options;
    const { position, fold } = committed;
    this.takenAt = clock.now();
    this.#dueAt = seat.dueAfter(this.takenAt, false);
    this.#records = 0;
    if (position.commit !== this.#localCommit) {
      const meta = { position: encodePosition(position), versions: versionsOf(type) };
      const figures = await fold.state.snapshot(meta, Promise.resolve());
      this.#localCommit = position.commit;
      fold.state.passivate();
      if (this.#mirror === null) this.positions = [...this.positions.slice(-1), position];
      observer.snapshot(partition, figures);
    }
    if (this.#mirror !== null) await this.#publish(this.#mirror, committed);
  }

  /** Keeps the newest local snapshot in the log. Where that fails, the next one brings along what this one did not. */
  async #publish(mirror: Mirror, { claim, fold, position }: Committed): Promise<void> {
    const { observer, partition } = this.#options;
    try {
      const figures = await mirror.publish(claim, fold.state, position);
      this.positions = [...this.positions.slice(-1), position];
      if (figures !== null) observer.mirrored?.(partition, figures);
    } catch (error) {
      if (this.#isClosed) return;
      if (isFence(error)) throw error;
      observer.phase(partition, 'live', { mirror_failed: String(error) });
    }
  }
}

function isFence(error: unknown): boolean {
  return error instanceof GridfoldError && error.code === 'log_fenced';
}
