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
 * and inherits what it does not say; taking a correction back revives what it had replaced.
 */
export function effectiveRecords(records: readonly LifecycleRecord[]): EffectiveRecord[] {
  const byId = new Map(records.map((r) => [r.id, r]));
  const superseders = new Map<string, LifecycleRecord[]>();
  for (const r of records) {
    const target = supersededBy(r);
    if (target !== null && byId.has(target)) superseders.set(target, [...(superseders.get(target) ?? []), r]);
  }
  const alive = new Map<string, boolean>();
  const isAlive = (r: LifecycleRecord): boolean => {
    const known = alive.get(r.id);
    if (known !== undefined) return known;
    alive.set(r.id, true); // ends circles
    const answer = !(superseders.get(r.id) ?? []).some(isAlive);
    alive.set(r.id, answer);
    return answer;
  };
  return [...records].sort(inFoldingOrder).map((record) => {
    const target = supersededBy(record);
    const base = target === null ? undefined : byId.get(target);
    const content = record.type === 'corrected' ? corrected(record, byId) : { type: record.type, data: record.data };
    const superseded = !isAlive(record) || isOutdated(record, superseders, isAlive);
    return { record, ...content, voided: superseded, resolved: target === null || base !== undefined };
  });
}

export function supersededBy(r: LifecycleRecord): string | null {
  if (r.type !== 'corrected' && r.type !== 'voided') return null;
  const { supersedes } = r.data;
  return typeof supersedes === 'string' ? supersedes : null;
}

export function inFoldingOrder(a: LifecycleRecord, b: LifecycleRecord): number {
  return a.eventTime - b.eventTime || a.recordTime - b.recordTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Two corrections of one record: the one told last counts. */
function isOutdated(
  r: LifecycleRecord,
  superseders: ReadonlyMap<string, LifecycleRecord[]>,
  isAlive: (r: LifecycleRecord) => boolean,
): boolean {
  if (r.type !== 'corrected') return false;
  const target = supersededBy(r);
  const rivals = target === null ? [] : (superseders.get(target) ?? []);
  return rivals.some((other) => other !== r && isAlive(other) && toldLater(other, r));
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
