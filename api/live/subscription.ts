import type { AssetView } from '../../runtime/system/engine.ts';
import type { AssetFilter } from '../query/filter.ts';
import type { Document, Projection } from './document.ts';
import { mergePatch } from './patch.ts';
import type { ServerFrame } from './protocol.ts';

/** Where a subscription looks assets up; views and documents are shared by all subscriptions of one flush. */
export interface Assets {
  view(serial: string): AssetView | null;
  document(view: AssetView, projection: Projection): Document;
  page(filter: AssetFilter, cursor: string | undefined, limit: number): { items: AssetView[]; cursor: string | null };
}

/** What the connection allows a subscription to hold; shared by all subscriptions of the connection. */
export interface Budget {
  readonly keys: number;
  readonly queueKeys: number;
  members: number;
  pending: number;
}

export type Selection = { readonly ids: readonly string[] } | { readonly filter: AssetFilter };

interface Pending {
  /** Updates that wait, folded into one. */
  n: number;
  /** When the oldest of them was committed, clock milliseconds. */
  since: number;
}

const assetsPerChunk = 100;

/**
 * One subscription: what its client holds (`#sent`), and which assets changed since (`#pending`). Only serials wait,
 * never frames, so a connection that takes nothing costs the same as one that keeps up: the newest state is read
 * when there is room to send it. Sequence numbers are given then, so they have no holes except announced ones.
 */
export class Subscription {
  readonly id: string;
  readonly selection: Selection;
  readonly #projection: Projection;
  readonly #limit: number;
  readonly #budget: Budget;
  readonly #sent = new Map<string, { rev: number; document: Document }>();
  readonly #pending = new Map<string, Pending>();
  #stage: 'gap' | 'snapshot' | 'live';
  #cursor: string | undefined;
  #nextId = 0;
  #seq = 0;
  #skipped = 0;
  #truncated = false;
  #limitTold = false;

  constructor(
    id: string,
    selection: Selection,
    projection: Projection,
    options: { snapshot: boolean; limit: number },
    budget: Budget,
  ) {
    this.id = id;
    this.selection = selection;
    this.#projection = projection;
    this.#limit = options.limit;
    this.#budget = budget;
    this.#stage = options.snapshot ? 'snapshot' : 'live';
  }

  holds(serial: string): boolean {
    return this.#sent.has(serial);
  }

  get hasWork(): boolean {
    return this.#stage !== 'live' || this.#pending.size > 0;
  }

  /** The asset changed. Returns what that did to the queue. */
  mark(serial: string, updates: number, since: number): 'queued' | 'conflated' | 'overflow' {
    const waiting = this.#pending.get(serial);
    if (waiting !== undefined) {
      waiting.n += updates;
      return 'conflated';
    }
    if (this.#budget.pending >= this.#budget.queueKeys) {
      this.overflow(updates);
      return 'overflow';
    }
    this.#pending.set(serial, { n: updates, since });
    this.#budget.pending += 1;
    return 'queued';
  }

  /** Updates were lost for this subscription: it announces a gap and begins again with a snapshot. */
  overflow(updates: number): void {
    for (const waiting of this.#pending.values()) this.#skipped += waiting.n;
    this.#skipped += updates;
    this.#clear();
    this.#stage = 'gap';
  }

  /** Gives back what it holds of the connection's budget. */
  end(): void {
    this.#clear();
  }

  /** The next frames, at most `limit` deltas or one chunk of the snapshot. `oldest`: commit time of the first delta. */
  produce(assets: Assets, limit: number): { frames: ServerFrame[]; oldest: number | null } {
    if (this.#stage === 'gap') return { frames: [this.#announceGap()], oldest: null };
    if (this.#stage === 'snapshot') return { frames: [this.#snapshotChunk(assets)], oldest: null };
    const frames: ServerFrame[] = [];
    let oldest: number | null = null;
    for (const [serial, waiting] of this.#pending) {
      if (frames.length >= limit) break;
      this.#pending.delete(serial);
      this.#budget.pending -= 1;
      const frame = this.#delta(serial, waiting.n, assets);
      if (frame === undefined) continue;
      oldest ??= waiting.since;
      frames.push(frame);
    }
    return { frames, oldest };
  }

  #delta(serial: string, n: number, assets: Assets): ServerFrame | undefined {
    const view = assets.view(serial);
    if (view === null) return undefined;
    const held = this.#sent.get(serial);
    const matches = 'ids' in this.selection || this.selection.filter.matches(view);
    const more = n > 1 ? { n } : undefined;
    if (!matches) {
      if (held === undefined) return undefined;
      this.#forget(serial);
      return { t: 'd', id: this.id, seq: ++this.#seq, op: 'leave', base: held.rev, ...stamps(view), ...more };
    }
    const document = assets.document(view, this.#projection);
    if (held === undefined) {
      if (!this.#admit(serial, view.revision, document)) return this.#tellLimit();
      const op = 'ids' in this.selection ? 'put' : 'enter';
      return { t: 'd', id: this.id, seq: ++this.#seq, op, v: document, ...stamps(view), ...more };
    }
    const patch = held.rev === view.revision ? null : mergePatch(held.document, document);
    if (patch === null) return undefined;
    this.#sent.set(serial, { rev: view.revision, document });
    return { t: 'd', id: this.id, seq: ++this.#seq, op: 'merge', base: held.rev, v: patch, ...stamps(view), ...more };
  }

  #announceGap(): ServerFrame {
    const from = this.#seq + 1;
    this.#seq += Math.max(1, this.#skipped);
    this.#skipped = 0;
    this.#stage = 'snapshot';
    return { t: 'gap', id: this.id, why: 'overflow', from, to: this.#seq, next: 'snapshot' };
  }

  #snapshotChunk(assets: Assets): ServerFrame {
    const { views, done } = this.#nextViews(assets);
    const items = [];
    for (const view of views) {
      const document = assets.document(view, this.#projection);
      if (!this.#admit(view.serial, view.revision, document)) {
        this.#truncated = true;
        break;
      }
      items.push({ ...stamps(view), v: document });
    }
    if (!done && !this.#truncated) return { t: 'snap', id: this.id, last: false, items };
    this.#stage = 'live';
    const truncated = this.#truncated ? { truncated: true } : undefined;
    return { t: 'snap', id: this.id, last: true, items, members: this.#sent.size, ...truncated };
  }

  #nextViews(assets: Assets): { views: AssetView[]; done: boolean } {
    if ('filter' in this.selection) {
      const page = assets.page(this.selection.filter, this.#cursor, assetsPerChunk);
      this.#cursor = page.cursor ?? undefined;
      return { views: page.items, done: page.cursor === null };
    }
    const { ids } = this.selection;
    const chosen = ids.slice(this.#nextId, this.#nextId + assetsPerChunk);
    this.#nextId += chosen.length;
    const views = chosen.map((serial) => assets.view(serial)).filter((view) => view !== null);
    return { views, done: this.#nextId >= ids.length };
  }

  #admit(serial: string, rev: number, document: Document): boolean {
    if (!this.#sent.has(serial)) {
      if (this.#sent.size >= this.#limit || this.#budget.members >= this.#budget.keys) return false;
      this.#budget.members += 1;
    }
    this.#sent.set(serial, { rev, document });
    return true;
  }

  #forget(serial: string): void {
    if (this.#sent.delete(serial)) this.#budget.members -= 1;
  }

  #tellLimit(): ServerFrame | undefined {
    if (this.#limitTold) return undefined;
    this.#limitTold = true;
    const msg = `more assets match than the ${this.#limit} this subscription may hold; the others are not shown`;
    return { t: 'err', id: this.id, code: 'member_limit', msg };
  }

  #clear(): void {
    this.#budget.members -= this.#sent.size;
    this.#budget.pending -= this.#pending.size;
    this.#sent.clear();
    this.#pending.clear();
    this.#cursor = undefined;
    this.#nextId = 0;
    this.#truncated = false;
  }
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
