import type { Block } from '../../snapshots/block.ts';
import type { PartitionFold } from './fold.ts';
import type { KindRuntime } from './kind-runtime.ts';
import { announceSilence, openFacts } from './late.ts';

interface Due {
  readonly at: number;
  readonly serial: Uint8Array;
  readonly runtime: KindRuntime;
  readonly block: Block;
  readonly slot: number;
}

/**
 * Fires at most `limit` silence timers that are due at partition clock `clock`, in the order (due, serial) over all
 * blocks, resident or not. Returns how many fired: with that number the journal can repeat it.
 */
export function fireTimers(fold: PartitionFold, clock: number, limit: number): number {
  let fired = 0;
  while (fired < limit) {
    const due = collectDue(fold, clock);
    if (due.length === 0) break;
    due.sort((a, b) => a.at - b.at || Buffer.compare(a.serial, b.serial));
    const now = due.slice(0, limit - fired);
    for (const timer of now) fire(fold, timer, clock);
    for (const left of due.slice(now.length)) lowerDue(fold, left.block.id, left.at);
    fired += now.length;
  }
  fold.tally.timers += fired;
  return fired;
}

/** True if some timer is due: cheap, for deciding whether a step is worth making. */
export function timersDue(fold: PartitionFold, clock: number): boolean {
  const { due } = fold.state;
  for (let id = 0; id < due.length; id++) if (due[id] <= clock) return true;
  return false;
}

/** Timers due up to `clock`; the earliest due time of every block looked at becomes exact, without them. */
function collectDue(fold: PartitionFold, clock: number): Due[] {
  const { state } = fold;
  const found: Due[] = [];
  for (let id = 0; id < state.due.length; id++) {
    if (state.due[id] > clock) continue;
    let next = Number.POSITIVE_INFINITY;
    const block = state.block(id);
    if (block !== null) {
      const runtime = fold.kinds[Math.floor(id / state.blocksPerKind)];
      const column = runtime.kind.state.index('due');
      for (let slot = 0; slot < block.count; slot++) {
        const at = block.get(column, slot);
        if (at > clock) next = Math.min(next, at);
        else found.push({ at, serial: block.serialBytes(slot), runtime, block, slot });
      }
    }
    state.due[id] = next;
  }
  return found;
}

function fire(fold: PartitionFold, timer: Due, clock: number): void {
  const { runtime, block, slot } = timer;
  fold.change(block);
  runtime.asset.attach(block, slot);
  beginTimer(fold, clock);
  announceSilence(fold, runtime);
  lowerDue(fold, block.id, runtime.asset.due);
  if (fold.onTouch !== null) fold.onTouch(block.id, slot);
}

/**
 * Publishes the open facts (lazy ones: energy intervals in progress) of at most `limit` assets that changed since
 * they were last published, in the order of block and slot. Returns how many it published.
 */
export function publishOpen(fold: PartitionFold, clock: number, limit: number): number {
  const { state } = fold;
  let published = 0;
  for (let id = 0; id < state.unpublished.length && published < limit; id++) {
    if (state.unpublished[id] === 0) continue;
    const block = state.block(id);
    if (block !== null) {
      const runtime = fold.kinds[Math.floor(id / state.blocksPerKind)];
      const column = runtime.kind.state.index('unpublished');
      for (let slot = 0; slot < block.count; slot++) {
        if (block.get(column, slot) === 0) continue;
        if (published === limit) return published;
        publishAsset(fold, runtime, block, slot, clock);
        published++;
      }
    }
    state.unpublished[id] = 0;
  }
  return published;
}

export function anythingUnpublished(fold: PartitionFold): boolean {
  return fold.state.unpublished.includes(1);
}

function publishAsset(fold: PartitionFold, runtime: KindRuntime, block: Block, slot: number, clock: number): void {
  fold.change(block);
  runtime.asset.attach(block, slot);
  beginTimer(fold, clock);
  runtime.asset.revision += 1;
  const changes = [];
  for (const fact of openFacts(runtime).byKey.values()) {
    if (fact.type.lazy === true) changes.push({ fact, op: 'upsert' } as const);
  }
  fold.say(runtime, changes);
  runtime.asset.unpublished = 0;
}

/** A timer is a cause like a record: its place is the number of timers fired before it. */
export function beginTimer(fold: PartitionFold, clock: number): void {
  const { cause, position, type } = fold;
  cause.topic = type.topics.timers;
  cause.offset = position.timers++;
  cause.ordinal = 0;
  cause.recordTime = clock;
  // With the first that is fired, which makes it a step of the journal: a replay comes to the same position.
  position.clock = Math.max(position.clock, clock);
}

function lowerDue(fold: PartitionFold, id: number, at: number): void {
  if (at < fold.state.due[id]) fold.state.due[id] = at;
}
