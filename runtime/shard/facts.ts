import type { DerivedData, DerivedType, Facts } from './derived.ts';

/** One fact as the fold stated it. */
export interface Fact {
  type: DerivedType;
  key: string;
  eventTime: number;
  data: DerivedData;
}

export interface FactChange {
  readonly fact: Fact;
  readonly op: 'upsert' | 'retract';
}

/** Facts of one turn in order of emission; a key said again within the turn replaces what was said before. */
export class FactList implements Facts {
  readonly items: FactChange[] = [];
  forwards = false;

  emit(type: DerivedType, key: string, eventTime: number, data: DerivedData): void {
    this.#say(type, key, eventTime, data, 'upsert');
  }

  retract(type: DerivedType, key: string, eventTime: number, data: DerivedData): void {
    this.#say(type, key, eventTime, data, 'retract');
  }

  #say(type: DerivedType, key: string, eventTime: number, data: DerivedData, op: FactChange['op']): void {
    const change = { fact: { type, key, eventTime, data }, op };
    for (let i = this.items.length - 1; i >= 0; i--) {
      const { fact } = this.items[i];
      if (fact.key === key && fact.type === type) {
        this.items[i] = change;
        return;
      }
    }
    this.items.push(change);
  }

  clear(): void {
    this.items.length = 0;
  }
}

/** Facts by type and key, the newest statement of each; for comparing what was said with what should be said. */
export class FactMap implements Facts {
  readonly byKey = new Map<string, Fact>();
  readonly forwards: boolean;
  #open: Set<string> | null = null;

  constructor(forwards = false) {
    this.forwards = forwards;
  }

  /** What is emitted from here on is open: not said as it happens, but published now and then. */
  beginOpen(): void {
    this.#open = new Set();
  }

  /** A map that goes on from what was said so far. */
  copy(): FactMap {
    const copy = new FactMap(this.forwards);
    for (const [id, fact] of this.byKey) copy.byKey.set(id, fact);
    return copy;
  }

  emit(type: DerivedType, key: string, eventTime: number, data: DerivedData): void {
    const id = `${type.name}\n${key}`;
    this.byKey.set(id, { type, key, eventTime, data });
    this.#open?.add(id);
  }

  retract(type: DerivedType, key: string): void {
    this.byKey.delete(`${type.name}\n${key}`);
  }

  /** Whether a fact is a lazy one in its open form; where nobody told what is open, every lazy fact may be. */
  isOpen(id: string, fact: Fact): boolean {
    return fact.type.lazy === true && (this.#open?.has(id) ?? true);
  }
}

/**
 * What must be said so that everybody who believed `before` comes to believe `after`.
 *
 * `unsaid`: the open forms of lazy facts in `before` were not published since they changed, so such a fact is said
 * again even if it looks the same, and taken back even if it may never have been said.
 */
export function difference(before: FactMap, after: FactMap, unsaid: boolean): FactChange[] {
  const changes: FactChange[] = [];
  for (const [id, fact] of before.byKey) {
    if (!after.byKey.has(id)) changes.push({ fact, op: 'retract' });
  }
  for (const [id, fact] of after.byKey) {
    const old = before.byKey.get(id);
    const said = old !== undefined && !(unsaid && before.isOpen(id, old)) && sameFact(old, fact);
    if (!said) changes.push({ fact, op: 'upsert' });
  }
  return changes;
}

function sameFact(a: Fact, b: Fact): boolean {
  if (a.eventTime !== b.eventTime) return false;
  for (const name in b.data) if (!sameValue(a.data[name], b.data[name])) return false;
  return true;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}
