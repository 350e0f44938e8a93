import type { LifecycleRecord } from '../../runtime/shard/contract.ts';

/** A record as it counts: with what later records corrected, or taken out of account. */
export interface EffectiveRecord {
  readonly record: LifecycleRecord;
  /** Its type, that of the corrected record where this one is a correction. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly voided: boolean;
  /** False: it corrects or takes back a record that is not there. */
  readonly resolved: boolean;
}

/**
 * The list in folding order (event time, record time, id), with corrections resolved. A correction replaces its record
 * and inherits what it does not say; taking a correction back revives what it had replaced, and taking a record back
 * takes its corrections with it.
 */
export function effectiveRecords(records: readonly LifecycleRecord[]): EffectiveRecord[] {
  const byId = new Map(records.map((r) => [r.id, r]));
  const standing = new Standing(records, byId);
  return [...records].sort(inFoldingOrder).map((record) => {
    const target = supersededBy(record);
    const content = record.type === 'corrected' ? corrected(record, byId) : { type: record.type, data: record.data };
    const voided = !standing.holds(record) || standing.isReplaced(record);
    return { record, ...content, voided, resolved: target === null || byId.has(target) };
  });
}

/** Which records still stand, given what was said about them later. */
class Standing {
  readonly #byId: ReadonlyMap<string, LifecycleRecord>;
  readonly #superseders = new Map<string, LifecycleRecord[]>();
  readonly #holds = new Map<string, boolean>();

  constructor(records: readonly LifecycleRecord[], byId: ReadonlyMap<string, LifecycleRecord>) {
    this.#byId = byId;
    for (const r of records) {
      const target = supersededBy(r);
      if (target !== null) this.#superseders.set(target, [...this.#about(target), r]);
    }
  }

  /** Neither it nor what it corrects was taken back. */
  holds(r: LifecycleRecord): boolean {
    const known = this.#holds.get(r.id);
    if (known !== undefined) return known;
    this.#holds.set(r.id, true); // ends circles
    const takenBack = this.#about(r.id).some((s) => s.type === 'voided' && this.holds(s));
    const target = r.type === 'corrected' ? this.#byId.get(supersededBy(r) ?? '') : undefined;
    const answer = !takenBack && (target === undefined || this.holds(target));
    this.#holds.set(r.id, answer);
    return answer;
  }

  /** A correction that holds stands in its place, or a later correction of the same record stands beside it. */
  isReplaced(r: LifecycleRecord): boolean {
    const isCorrection = (s: LifecycleRecord) => s.type === 'corrected' && this.holds(s);
    if (this.#about(r.id).some(isCorrection)) return true;
    if (r.type !== 'corrected') return false;
    return this.#about(supersededBy(r) ?? '').some((s) => s !== r && isCorrection(s) && toldLater(s, r));
  }

  #about(id: string): readonly LifecycleRecord[] {
    return this.#superseders.get(id) ?? [];
  }
}

export function supersededBy(r: LifecycleRecord): string | null {
  if (r.type !== 'corrected' && r.type !== 'voided') return null;
  const { supersedes } = r.data;
  return typeof supersedes === 'string' ? supersedes : null;
}

export function inFoldingOrder(a: LifecycleRecord, b: LifecycleRecord): number {
  return a.eventTime - b.eventTime || a.recordTime - b.recordTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function toldLater(a: LifecycleRecord, b: LifecycleRecord): boolean {
  return a.recordTime > b.recordTime || (a.recordTime === b.recordTime && a.id > b.id);
}

/** Type and data of a correction, laid over those of what it corrects. */
function corrected(
  r: LifecycleRecord,
  byId: ReadonlyMap<string, LifecycleRecord>,
): { type: string; data: Readonly<Record<string, unknown>> } {
  const chain: LifecycleRecord[] = [];
  for (let at: LifecycleRecord | undefined = r; at !== undefined && !chain.includes(at); ) {
    chain.unshift(at);
    const target: string | null = at.type === 'corrected' ? supersededBy(at) : null;
    at = target === null ? undefined : byId.get(target);
  }
  let type = 'corrected';
  const data = new Map<string, unknown>();
  for (const link of chain) {
    if (link.type !== 'corrected') type = link.type;
    for (const [name, value] of Object.entries(link.data)) {
      if (name === 'supersedes' || name === '__proto__') continue;
      if (link.type === 'corrected' && name === 'type' && typeof value === 'string') type = value;
      else data.set(name, value);
    }
  }
  return { type, data: Object.fromEntries(data) };
}
