import type { LifecycleRecord } from '../../runtime/shard/contract.ts';

/** A record as it counts: with what later records corrected, or took out of account. */
export interface EffectiveRecord {
  readonly record: LifecycleRecord;
  /** Its type, that of the corrected record where this one is a correction. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly voided: boolean;
  /** Why it cannot be placed: it corrects or takes back what is not there, or, in a circle, itself. */
  readonly problem: 'unknown_record' | 'circle' | null;
}

/**
 * The list in folding order (event time, record time, id), with corrections resolved. A correction replaces its record
 * and inherits what it does not say; of several the last word counts. Taking a correction back revives what it had
 * replaced, and taking a record back takes its corrections with it. Records that supersede each other in a circle
 * count for nothing. The answer is a function of the set of records: the order in which they came does not matter.
 */
export function effectiveRecords(records: readonly LifecycleRecord[]): EffectiveRecord[] {
  const nodes = linked([...records].sort(inFoldingOrder));
  decide(nodes);
  for (const node of nodes) if (isRoot(node) && !node.takenBack) (node.lastWord ?? node).stands = true;
  return nodes.map((node) => {
    const { record, stands } = node;
    if (inCircle(node)) return { ...asTold(record), voided: false, problem: 'circle' };
    if (!stands) return { ...asTold(record), voided: true, problem: null };
    const chain = chainOf(node);
    if (supersededBy(chain[0].record) !== null && chain[0].target === null)
      return { ...asTold(record), voided: false, problem: 'unknown_record' };
    return { record, ...contentOf(chain), voided: false, problem: null };
  });
}

/** A record among those that supersede it and the one that it supersedes. */
interface Node {
  readonly record: LifecycleRecord;
  target: Node | null;
  readonly superseders: Node[];
  /** So many of its superseders are not decided yet; it never comes to 0 in a circle. */
  undecided: number;
  takenBack: boolean;
  /** Of the corrections below it, and those of corrections, the one that counts. */
  lastWord: Node | null;
  stands: boolean;
}

function linked(ordered: readonly LifecycleRecord[]): Node[] {
  const nodes = ordered.map(
    (record): Node => ({
      record,
      target: null,
      superseders: [],
      undecided: 0,
      takenBack: false,
      lastWord: null,
      stands: false,
    }),
  );
  const byId = new Map(nodes.map((node) => [node.record.id, node]));
  for (const node of nodes) {
    node.target = byId.get(supersededBy(node.record) ?? '') ?? null;
    node.target?.superseders.push(node);
    if (node.target !== null) node.target.undecided++;
  }
  return nodes;
}

/** From those that nobody supersedes to those that they speak of; without recursion, since a chain may be long. */
function decide(nodes: readonly Node[]): void {
  const ready = nodes.filter((node) => node.undecided === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    const { target } = node;
    for (const s of node.superseders) hear(node, s);
    if (target !== null && --target.undecided === 0) ready.push(target);
  }
}

/** What a decided superseder means for its record. */
function hear(node: Node, superseder: Node): void {
  if (superseder.takenBack) return;
  if (superseder.record.type === 'voided') {
    // Corrected to be another type, it takes nothing back.
    if (superseder.lastWord === null || contentOf(chainOf(superseder.lastWord)).type === 'voided')
      node.takenBack = true;
    return;
  }
  const word = superseder.lastWord ?? superseder;
  if (node.lastWord === null || toldLater(word.record, node.lastWord.record)) node.lastWord = word;
}

/** Whether it stands for itself: it happened, or it corrects what is not there. */
function isRoot(node: Node): boolean {
  return !inCircle(node) && (node.record.type !== 'corrected' || node.target === null);
}

function inCircle(node: Node): boolean {
  return node.undecided > 0;
}

function asTold(record: LifecycleRecord): Pick<EffectiveRecord, 'record' | 'type' | 'data'> {
  return { record, type: record.type, data: record.data };
}

/** A record after those that it corrects, the first of them at the start. */
function chainOf(node: Node): readonly Node[] {
  const chain = [node];
  for (let at = node; at.record.type === 'corrected' && at.target !== null; ) chain.push((at = at.target));
  return chain.reverse();
}

/** Type and data of a chain of corrections, each laid over those before. */
function contentOf(chain: readonly Node[]): Pick<EffectiveRecord, 'type' | 'data'> {
  let { type } = chain[0].record;
  if (chain.length === 1) return { type, data: chain[0].record.data };
  const data = new Map<string, unknown>();
  for (const [i, { record }] of chain.entries()) {
    for (const [name, value] of Object.entries(record.data)) {
      if (name === 'supersedes' || name === '__proto__') continue;
      if (i > 0 && name === 'type' && typeof value === 'string') type = value;
      else data.set(name, value);
    }
  }
  return { type, data: Object.fromEntries(data) };
}

function supersededBy(r: LifecycleRecord): string | null {
  if (r.type !== 'corrected' && r.type !== 'voided') return null;
  const { supersedes } = r.data;
  return typeof supersedes === 'string' ? supersedes : null;
}

function inFoldingOrder(a: LifecycleRecord, b: LifecycleRecord): number {
  return a.eventTime - b.eventTime || a.recordTime - b.recordTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function toldLater(a: LifecycleRecord, b: LifecycleRecord): boolean {
  return a.recordTime > b.recordTime || (a.recordTime === b.recordTime && a.id > b.id);
}
