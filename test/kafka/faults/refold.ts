import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFrame, type JournalFrame } from '../../../runtime/log/kafka/journal-frame.ts';
import type { ActorType } from '../../../runtime/shard/contract.ts';
import { PartitionFold } from '../../../runtime/shard/fold.ts';
import { decodeJournal, type JournalRecord } from '../../../runtime/shard/journal.ts';
import { decodePosition, startPosition } from '../../../runtime/shard/position.ts';
import { RecordReader } from '../../../runtime/shard/record-reader.ts';
import { replayStep } from '../../../runtime/shard/recovery.ts';
import { openState } from '../../crash/states.ts';
import { compareOutputs, type Written } from '../../crash/written.ts';
import type { HeldLog } from './held-log.ts';

export type Differ = (text: string) => void;

/** A partition folded once from its first record on, as its journal says; `close` forgets it. */
export interface Refolded {
  readonly fold: PartitionFold;
  /** Journal records, and owners that wrote them. */
  readonly commits: number;
  readonly generations: number;
  close(): Promise<void>;
}

/** Folds the partition of an actor type up to its last commit; compares each commit's outputs and position with the log's. */
export async function refold(log: HeldLog, type: ActorType, partition: number, written: Written, differ: Differ) {
  const scratch = mkdtempSync(join(tmpdir(), 'gridfold-refold-'));
  const state = await openState(scratch, type);
  const { partitions } = log;
  const fold = new PartitionFold({
    type,
    partition,
    partitions,
    state,
    position: startPosition(),
    horizonMs: 86_400_000,
  });
  const counts = await foldJournal(log, fold, written, differ);
  refuseUnfolded(log, fold, differ);
  const close = async () => {
    await state.close();
    rmSync(scratch, { recursive: true });
  };
  return { fold, ...counts, close } satisfies Refolded;
}

async function foldJournal(log: HeldLog, fold: PartitionFold, written: Written, differ: Differ) {
  const { partition, type, position } = fold;
  const reader = (topic: string) => new RecordReader(log, topic, partition, 0);
  const { readings, lifecycle, journal } = type.topics;
  const inputs = [reader(readings), reader(lifecycle)] as const;
  const steps = reader(journal);
  let commits = 0;
  const generations = new Set<number>();
  for (let run = await steps.peek(1); run !== null; run = await steps.peek(1)) {
    const { batch, from } = run;
    const frame = decodeFrame(batch.bytes, batch.valueStart[from], batch.valueEnd[from]);
    const record = decodeJournal(frame.journal);
    const name = `${journal}-${partition}:${steps.next}`;
    refuseFork(name, fold, frame, record, Math.max(0, ...generations), differ);
    try {
      for (const step of record.steps) await replayStep(fold, step, ...inputs);
    } catch (error) {
      differ(`${name} cannot be folded again, and what follows neither: ${(error as Error).message}`);
      break;
    }
    comparePositions(name, fold, frame, differ);
    compareOutputs(fold, written, differ);
    steps.advance(run);
    position.commit = steps.next;
    generations.add(frame.generation);
    commits += 1;
  }
  return { commits, generations: generations.size };
}

/** Each commit follows the one before it, and none comes from an owner that was fenced. */
function refuseFork(
  name: string,
  { position }: PartitionFold,
  frame: JournalFrame,
  record: JournalRecord,
  newest: number,
  differ: Differ,
): void {
  if (record.commit !== position.commit)
    differ(`${name} follows ${record.commit}, but stands behind ${position.commit}`);
  if (frame.generation < newest) differ(`${name} is of generation ${frame.generation}, after ${newest} had written`);
}

/** What the commit says of the inputs is what its steps lead to. */
function comparePositions(name: string, { position, type }: PartitionFold, frame: JournalFrame, differ: Differ): void {
  const [told, folded] = [decodePosition(frame.position), position].map((p) => JSON.stringify(p));
  if (told !== folded) differ(`${name} says ${told}, its steps lead to ${folded}`);
  const { readings, lifecycle } = type.topics;
  const ends = [frame.inputs.get(readings), frame.inputs.get(lifecycle)];
  if (ends[0] !== position.telemetry || ends[1] !== position.lifecycle) {
    differ(`${name} says [${ends}] to the group, its steps lead to [${position.telemetry},${position.lifecycle}]`);
  }
}

/** Every record of the input stands in some commit. */
function refuseUnfolded(log: HeldLog, { partition, position, type }: PartitionFold, differ: Differ): void {
  for (const [topic, next] of [
    [type.topics.readings, position.telemetry],
    [type.topics.lifecycle, position.lifecycle],
  ] as const) {
    const after = log.afterLast(topic, partition);
    if (next < after) differ(`${topic}-${partition}: ${next}..${after - 1} were never folded`);
    const { start, end } = log.extent(topic, partition);
    if (start > 0) differ(`${topic}-${partition} begins at ${start}: nothing can be said of what was before`);
    if (next > end) differ(`${topic}-${partition} ends at ${end}, but is folded up to ${next}`);
  }
}
