import { isSame, type Placement } from '../members/placement.ts';
import type { Loss, Opening, Part, Turn, Wanted } from './part.ts';
import type { ServerFrame } from './protocol.ts';
import { type Budget, Tally } from './tally.ts';

/** Opens the parts of subscriptions. */
export interface PartSource {
  /** A part in the process at `at` (`''`: this one); null while it cannot be asked. */
  open(at: string, opening: Opening): Part | null;
}

/**
 * One subscription of a client: parts, each of some partitions, put together as one stream. A partition that goes to
 * another process, or whose process is lost, is a gap for the client: it forgets what it holds, and gets a snapshot of
 * where the partitions are then. The snapshot has its last chunk when every partition has given its own.
 */
export class Subscription {
  readonly wanted: Wanted;
  readonly #tally: Tally;
  readonly #source: PartSource;
  #parts: Part[] = [];
  #placement: Placement | undefined;
  #snapshot: boolean;
  #gap: Loss | null = null;
  #notice: ServerFrame | undefined;
  #isNoticed = false;

  constructor(wanted: Wanted, snapshot: boolean, budget: Budget, source: PartSource) {
    this.wanted = wanted;
    this.#snapshot = snapshot;
    this.#tally = new Tally(wanted.id, wanted.limit, budget);
    this.#source = source;
  }

  get hasWork(): boolean {
    if (this.#gap !== null || this.#notice !== undefined) return true;
    return this.#parts.some((part) => part.hasWork || part.loss !== null);
  }

  /** Opens parts where the partitions are now; called again and again. */
  follow(placement: Placement): void {
    const before = this.#placement;
    this.#placement = placement;
    if (before !== undefined && before !== placement) {
      const moved = this.#parts.filter((part) => part.partitions.some((p) => !isSame(before, placement, p)));
      if (moved.length > 0) this.#lose(moved, { why: 'rebalance', updates: 0 });
    }
    this.#extend();
  }

  /** The next frames, at most `limit` deltas or one chunk of the snapshot per part. */
  produce(limit: number): Turn {
    const lost = this.#parts.filter((part) => part.loss !== null);
    if (lost.length > 0) this.#lose(lost, sumOf(lost));
    if (this.#gap !== null) return { frames: [this.#announceGap(this.#gap)], oldest: null };
    const frames: ServerFrame[] = [];
    if (this.#notice !== undefined) frames.push(this.#notice);
    this.#notice = undefined;
    let oldest: number | null = null;
    for (const part of this.#parts) {
      if (!part.hasWork || frames.length >= limit) continue;
      const turn = part.produce(limit - frames.length);
      for (const frame of turn.frames) {
        const told = frame.t === 'snap' && frame.last === true ? this.#lastChunk(frame) : frame;
        if (told !== undefined) frames.push(told);
      }
      if (turn.oldest !== null) oldest = Math.min(oldest ?? turn.oldest, turn.oldest);
    }
    // Who came first is last the next time.
    this.#parts.push(...this.#parts.splice(0, 1));
    return { frames, oldest };
  }

  /** Gives back what it holds of the connection's budget. */
  end(): void {
    for (const part of this.#parts) part.end();
    this.#parts = [];
    this.#gap = null;
    this.#notice = undefined;
  }

  /** Parts of which the client knows nothing yet are simply opened again; else it has to begin again with all. */
  #lose(lost: readonly Part[], loss: Loss): void {
    if (lost.every((part) => !part.isShown)) {
      for (const part of lost) part.end();
      this.#parts = this.#parts.filter((part) => !lost.includes(part));
      this.#extend();
      return;
    }
    const waiting = this.#parts.reduce((updates, part) => updates + part.end(), 0);
    this.#parts = [];
    this.#notice = undefined;
    this.#isNoticed = false;
    this.#gap = { why: loss.why, updates: (this.#gap?.updates ?? 0) + loss.updates + waiting };
  }

  #announceGap({ why, updates }: Loss): ServerFrame {
    this.#gap = null;
    this.#snapshot = true;
    this.#tally.restart();
    this.#extend();
    return { t: 'gap', id: this.wanted.id, why, ...this.#tally.skip(updates), next: 'snapshot' };
  }

  #extend(): void {
    if (this.#gap !== null || this.#placement === undefined) return;
    const missing = this.#missing();
    const { at } = this.#placement;
    for (const [where, partitions] of Map.groupBy(missing, (partition) => at[partition])) {
      const opening = { wanted: this.wanted, partitions, snapshot: this.#snapshot, tally: this.#tally };
      const part = where === null ? null : this.#source.open(where, opening);
      if (part !== null) this.#parts.push(part);
      else this.#tell(where, partitions);
    }
  }

  /** Once, until the subscription is whole again: that somebody is missing, and who. */
  #tell(where: string | null, partitions: readonly number[]): void {
    if (this.#isNoticed) return;
    this.#isNoticed = true;
    const { id } = this.wanted;
    const which = `partition${partitions.length > 1 ? 's' : ''} ${partitions.join(', ')}`;
    this.#notice =
      where === null
        ? { t: 'err', id, code: 'partition_moving', msg: `nobody has ${which} now; their assets follow`, retryMs: 0 }
        : {
            t: 'err',
            id,
            code: 'owner_unreachable',
            msg: `${where} is away, or has not begun with ${which}; their assets follow`,
            retryMs: 0,
          };
  }

  #missing(): number[] {
    if (this.#parts.length === 0) return [...this.wanted.partitions];
    const covered = new Set(this.#parts.flatMap((part) => part.partitions));
    return covered.size === this.wanted.partitions.length
      ? []
      : this.wanted.partitions.filter((partition) => !covered.has(partition));
  }

  /** A part has told its last chunk; it is the subscription's only when all have. */
  #lastChunk({ t, id, items }: ServerFrame): ServerFrame | undefined {
    const isWhole = this.#parts.every((part) => part.isComplete) && this.#missing().length === 0;
    if (!isWhole) return (items as readonly object[]).length === 0 ? undefined : { t, id, last: false, items };
    this.#isNoticed = false;
    const truncated = this.#tally.truncated ? { truncated: true } : undefined;
    return { t, id, last: true, items, members: this.#tally.members, ...truncated };
  }
}

function sumOf(lost: readonly Part[]): Loss {
  const losses = lost.map((part) => part.loss as Loss);
  const updates = losses.reduce((sum, loss) => sum + loss.updates, 0);
  return { why: losses.some(({ why }) => why === 'overflow') ? 'overflow' : 'rebalance', updates };
}
