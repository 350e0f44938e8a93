import type { AssetView } from '../../runtime/system/engine.ts';
import type { AssetFilter } from '../query/filter.ts';
import type { Document, Projection } from './document.ts';
import { idsIn, type Loss, type Opening, type Part, type Turn } from './part.ts';
import { mergePatch } from './patch.ts';
import type { ServerFrame } from './protocol.ts';
import type { Tally } from './tally.ts';

/** Where a part looks assets up; views and documents are shared by all parts of one flush. */
export interface Assets {
  view(serial: string): AssetView | null;
  document(view: AssetView, projection: Projection): Document;
  page(
    filter: AssetFilter,
    query: { cursor: string; limit: number; until: number },
  ): { items: AssetView[]; cursor: string | null };
}

interface Pending {
  /** Updates that wait, folded into one. */
  n: number;
  /** When the oldest of them was heard of, clock milliseconds. */
  since: number;
}

/** One chunk of a snapshot. */
interface Step {
  readonly views: readonly AssetView[];
  readonly isLast: boolean;
}

const assetsPerChunk = 100;

/**
 * The part of a subscription that is at work here: what its client holds (`#sent`), and which assets changed since
 * (`#pending`). Only serials wait, never frames, so a connection that takes nothing costs the same as one that keeps up:
 * the newest state is read when there is room to send it. Sequence numbers are given then.
 */
export class LocalPart implements Part {
  readonly at = '';
  readonly partitions: readonly number[];
  /** Null where it wants what its filter matches. */
  readonly ids: readonly string[] | null;
  readonly filter: AssetFilter | null;
  readonly #projection: Projection;
  readonly #tally: Tally;
  readonly #assets: Assets;
  readonly #ended: (part: LocalPart) => void;
  readonly #covered: ReadonlySet<number>;
  readonly #sent = new Map<string, { rev: number; document: Document }>();
  readonly #pending = new Map<string, Pending>();
  readonly #steps: Iterator<Step, undefined>;
  #isComplete: boolean;
  #isShown: boolean;
  #loss: Loss | null = null;

  constructor({ wanted, partitions, snapshot, tally }: Opening, assets: Assets, ended: (part: LocalPart) => void) {
    const { selection } = wanted;
    this.partitions = partitions;
    this.ids = 'filter' in selection ? null : idsIn(selection, partitions);
    this.filter = 'filter' in selection ? selection.filter : null;
    this.#projection = wanted.projection;
    this.#tally = tally;
    this.#assets = assets;
    this.#ended = ended;
    this.#covered = new Set(partitions);
    this.#steps = this.filter === null ? this.#idSteps(this.ids ?? []) : this.#filterSteps(this.filter);
    this.#isComplete = !snapshot;
    this.#isShown = !snapshot;
  }

  get hasWork(): boolean {
    return !this.#isComplete || this.#pending.size > 0;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  get loss(): Loss | null {
    return this.#loss;
  }

  holds(serial: string): boolean {
    return this.#sent.has(serial);
  }

  covers(partition: number): boolean {
    return this.#covered.has(partition);
  }

  /** The asset changed. Returns what that did to the queue. */
  mark(serial: string, updates: number, since: number): 'queued' | 'conflated' | 'lost' {
    if (this.#loss !== null) return 'lost';
    const waiting = this.#pending.get(serial);
    if (waiting !== undefined) {
      waiting.n += updates;
      return 'conflated';
    }
    const { budget } = this.#tally;
    if (budget.pending >= budget.queueKeys) {
      this.overflow(updates);
      return 'lost';
    }
    this.#pending.set(serial, { n: updates, since });
    budget.pending += 1;
    return 'queued';
  }

  /** Updates were lost for it. */
  overflow(updates: number): void {
    this.#loss ??= { why: 'overflow', updates: updates + this.#clearPending() };
  }

  produce(limit: number): Turn {
    this.#isShown = true;
    if (!this.#isComplete) return { frames: [this.#snapshotChunk()], oldest: null };
    const frames: ServerFrame[] = [];
    let oldest: number | null = null;
    for (const [serial, waiting] of this.#pending) {
      if (frames.length >= limit) break;
      this.#pending.delete(serial);
      this.#tally.budget.pending -= 1;
      const frame = this.#delta(serial, waiting.n);
      if (frame === undefined) continue;
      oldest ??= waiting.since;
      frames.push(frame);
    }
    return { frames, oldest };
  }

  end(): number {
    this.#ended(this);
    this.#tally.forget(this.#sent.size);
    this.#sent.clear();
    return this.#clearPending();
  }

  #delta(serial: string, n: number): ServerFrame | undefined {
    const view = this.#assets.view(serial);
    if (view === null) return undefined;
    const { id } = this.#tally;
    const held = this.#sent.get(serial);
    const more = n > 1 ? { n } : undefined;
    if (this.filter !== null && !this.filter.matches(view)) {
      if (held === undefined) return undefined;
      this.#sent.delete(serial);
      this.#tally.forget(1);
      return { t: 'd', id, seq: this.#tally.next(), op: 'leave', base: held.rev, ...stamps(view), ...more };
    }
    const document = this.#assets.document(view, this.#projection);
    if (held === undefined) {
      if (!this.#admit(serial, view.revision, document)) return this.#tally.tellLimit();
      const op = this.filter === null ? 'put' : 'enter';
      return { t: 'd', id, seq: this.#tally.next(), op, v: document, ...stamps(view), ...more };
    }
    const v = held.rev === view.revision ? null : mergePatch(held.document, document);
    if (v === null) return undefined;
    this.#sent.set(serial, { rev: view.revision, document });
    return { t: 'd', id, seq: this.#tally.next(), op: 'merge', base: held.rev, v, ...stamps(view), ...more };
  }

  #snapshotChunk(): ServerFrame {
    const { views, isLast } = this.#steps.next().value ?? { views: [], isLast: true };
    const items = [];
    let isFull = false;
    for (const view of views) {
      const document = this.#assets.document(view, this.#projection);
      isFull = !this.#admit(view.serial, view.revision, document);
      if (isFull) break;
      items.push({ ...stamps(view), v: document });
    }
    if (isFull) this.#tally.truncate();
    this.#isComplete = isFull || isLast;
    return { t: 'snap', id: this.#tally.id, last: this.#isComplete, items };
  }

  *#idSteps(ids: readonly string[]): Generator<Step, undefined> {
    for (let from = 0; from < ids.length; from += assetsPerChunk) {
      const chosen = ids.slice(from, from + assetsPerChunk);
      const views = chosen.map((serial) => this.#assets.view(serial)).filter((view) => view !== null);
      yield { views, isLast: from + assetsPerChunk >= ids.length };
    }
  }

  *#filterSteps(filter: AssetFilter): Generator<Step, undefined> {
    const last = this.partitions.at(-1);
    for (const { from, until } of runsOf(this.partitions)) {
      for (let cursor: string | null = `${from}.0.0`; cursor !== null; ) {
        const page = this.#assets.page(filter, { cursor, limit: assetsPerChunk, until });
        cursor = page.cursor;
        yield { views: page.items, isLast: cursor === null && until - 1 === last };
      }
    }
  }

  #admit(serial: string, rev: number, document: Document): boolean {
    if (!this.#sent.has(serial) && !this.#tally.admit()) return false;
    this.#sent.set(serial, { rev, document });
    return true;
  }

  #clearPending(): number {
    let updates = 0;
    for (const { n } of this.#pending.values()) updates += n;
    this.#tally.budget.pending -= this.#pending.size;
    this.#pending.clear();
    return updates;
  }
}

/** Partitions that follow each other without a break. */
function runsOf(partitions: readonly number[]): { from: number; until: number }[] {
  const runs: { from: number; until: number }[] = [];
  for (const partition of partitions) {
    const last = runs.at(-1);
    if (last?.until === partition) last.until += 1;
    else runs.push({ from: partition, until: partition + 1 });
  }
  return runs;
}

function stamps(view: AssetView) {
  const { partition, telemetry } = view.position;
  return {
    k: view.serial,
    rev: view.revision,
    et: view.eventTime,
    rt: view.recordTime,
    p: ['telemetry', partition, telemetry],
  };
}
