import type { Clock } from '../../runtime/kernel/clock.ts';
import type { AssetView, Change, Engine } from '../../runtime/system/engine.ts';
import type { LiveMetrics } from '../../runtime/system/metrics.ts';
import type { AssetFilter } from '../query/filter.ts';
import type { Document, Projection } from './document.ts';
import { type Assets, LocalPart } from './local-part.ts';
import type { Opening } from './part.ts';

/** Changed assets that wait for their filters to be evaluated; beyond it filter subscriptions begin again. */
const changedBound = 100_000;
/** Filters are evaluated for so long per flush, so that a large fleet never stalls its own fold. */
const evaluationMs = 8;

/**
 * Hands the assets that changed to the parts of subscriptions that want them: by serial at once, through one map; by filter
 * in slices of time, each changed asset looked at once for all filters.
 */
export class Hub implements Assets {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #metrics: LiveMetrics;
  readonly #bySerial = new Map<string, Set<LocalPart>>();
  readonly #filtered = new Set<LocalPart>();
  readonly #changed = new Map<string, { change: Change; n: number; since: number }>();
  readonly #views = new Map<string, AssetView | null>();
  readonly #documents = new Map<AssetView, Map<string, Document>>();
  #unsubscribe: (() => void) | null = null;

  constructor(engine: Engine, clock: Clock, metrics: LiveMetrics) {
    this.#engine = engine;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** A part that hears of changes until it ends. */
  open(opening: Opening): LocalPart {
    const part = new LocalPart(opening, this, (ended) => this.#remove(ended));
    if (part.ids === null) this.#filtered.add(part);
    for (const serial of part.ids ?? []) {
      const wanted = this.#bySerial.get(serial);
      if (wanted === undefined) this.#bySerial.set(serial, new Set([part]));
      else wanted.add(part);
    }
    this.#listen();
    return part;
  }

  #remove(part: LocalPart): void {
    this.#filtered.delete(part);
    if (this.#filtered.size === 0) this.#changed.clear();
    for (const serial of part.ids ?? []) {
      const wanted = this.#bySerial.get(serial);
      wanted?.delete(part);
      if (wanted?.size === 0) this.#bySerial.delete(serial);
    }
    this.#listen();
  }

  /** Hears of changes only while somebody wants them: naming them costs the fold. */
  #listen(): void {
    const isWanted = this.#bySerial.size > 0 || this.#filtered.size > 0;
    if (isWanted) this.#unsubscribe ??= this.#engine.onChange((changes) => this.#onChange(changes));
    else {
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    }
  }

  #onChange(changes: readonly Change[]): void {
    const now = this.#clock.now();
    for (const change of changes) {
      const wanted = this.#bySerial.get(change.serial);
      if (wanted !== undefined) for (const part of wanted) this.#mark(part, change.serial, 1, now);
      if (this.#filtered.size > 0) this.#note(change, now);
    }
  }

  /** Evaluates filters for the changed assets, for a few milliseconds. True when some are left. */
  evaluate(): boolean {
    if (this.#changed.size === 0) return false;
    const stopAt = performance.now() + evaluationMs;
    let looked = 0;
    for (const [serial, { change, n, since }] of this.#changed) {
      this.#changed.delete(serial);
      this.#offer(change, n, since);
      if (++looked % 64 === 0) this.forget();
      if (performance.now() > stopAt) break;
    }
    return this.#changed.size > 0;
  }

  /** Views and documents are kept for one flush only. */
  forget(): void {
    this.#views.clear();
    this.#documents.clear();
  }

  view(serial: string): AssetView | null {
    const known = this.#views.get(serial);
    if (known !== undefined) return known;
    const view = this.#engine.asset(serial);
    if (this.#views.size >= 1_000) this.forget();
    this.#views.set(serial, view);
    return view;
  }

  document(view: AssetView, projection: Projection): Document {
    let documents = this.#documents.get(view);
    if (documents === undefined) {
      if (this.#documents.size >= 1_000) this.#documents.clear();
      documents = new Map();
      this.#documents.set(view, documents);
    }
    let document = documents.get(projection.key);
    if (document === undefined) {
      document = projection.build(view);
      documents.set(projection.key, document);
    }
    return document;
  }

  page(filter: AssetFilter, query: { cursor: string; limit: number; until: number }) {
    const kind = filter.kinds?.size === 1 ? [...filter.kinds][0] : undefined;
    return this.#engine.assets({ ...query, kind, where: filter.matches });
  }

  #note(change: Change, now: number): void {
    const waiting = this.#changed.get(change.serial);
    if (waiting !== undefined) {
      waiting.n += 1;
    } else if (this.#changed.size < changedBound) {
      this.#changed.set(change.serial, { change, n: 1, since: now });
    } else {
      this.#changed.clear();
      for (const part of this.#filtered) part.overflow(1);
    }
  }

  #offer({ serial, kind, partition }: Change, n: number, since: number): void {
    for (const part of this.#filtered) {
      const filter = part.filter as AssetFilter;
      if (!part.covers(partition)) continue;
      const held = part.holds(serial);
      if (!held && filter.kinds !== null && !filter.kinds.has(kind)) continue;
      const view = held ? null : this.view(serial);
      if (held || (view !== null && filter.matches(view))) this.#mark(part, serial, n, since);
    }
  }

  #mark(part: LocalPart, serial: string, n: number, since: number): void {
    const outcome = part.mark(serial, n, since);
    if (outcome === 'lost') return;
    const conflated = outcome === 'conflated' ? n : n - 1;
    if (conflated > 0) this.#metrics.conflated(conflated);
  }
}
