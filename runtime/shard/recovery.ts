import type { PartitionState, SnapshotMeta } from '../../snapshots/contract.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Claim, Log, RecordBatch } from '../log/contract.ts';
import { type ActorTopics, type ActorType, type InputTopic, topicOf } from './contract.ts';
import type { PartitionFold } from './fold.ts';
import { decodeJournal, type Step, StepKind } from './journal.ts';
import { passOver } from './loss.ts';
import { decodePosition, type ShardPosition, startPosition } from './position.ts';
import { RecordReader } from './record-reader.ts';
import { fireTimers, publishOpen } from './timers.ts';

/** Phases of a partition's life, in order; what the pipeline page and the metrics show. `elsewhere`: not at work in this process. */
export const phases = [
  'elsewhere',
  'waiting',
  'claiming',
  'restoring',
  'checking',
  'replaying',
  'live',
  'stopped',
  'failed',
] as const;
export type Phase = (typeof phases)[number];

/** Claiming: fence the owner before us, then read how far it had committed. */
export async function claimPartition(
  log: Log,
  { journal }: ActorTopics,
  partition: number,
): Promise<{ claim: Claim; committed: ShardPosition }> {
  const claim = await log.claim(journal, partition);
  return { claim, committed: await committedPosition(log, journal, partition) };
}

/** C: the newest committed position of a partition. */
export async function committedPosition(log: Log, journal: string, partition: number): Promise<ShardPosition> {
  const { position, journalNext } = await log.committed(journal, partition);
  return position === null ? startPosition() : { ...decodePosition(position), commit: journalNext };
}

/** A snapshot may be used if it is not beyond what was committed (S <= C). */
export function usableSnapshot(committed: ShardPosition): (meta: SnapshotMeta) => boolean {
  return (meta) => decodePosition(meta.position).commit <= committed.commit;
}

/**
 * Which snapshot to start from: the newest, the one before it, that of the snapshots topic, whatever the directory
 * holds, or none (everything is folded again from the log).
 */
export type RestoreFrom = 'newest' | 'older' | 'mirror' | 'local' | 'empty';

/** What a partition can fall back to beside its own directory. */
export interface Backing {
  readonly logReachesBack: boolean;
  readonly isMirrored: boolean;
}

/** What to try after a recovery failed, or a partition at work, or null where nothing is left that is certain to be right. */
export function fallback(error: unknown, tried: RestoreFrom, backing: Backing): RestoreFrom | null {
  const code = error instanceof GridfoldError ? error.code : '';
  const isDamaged = code === 'block_corrupt' || code === 'window_corrupt';
  if (isDamaged && tried === 'newest') return 'older';
  if (code === 'mirror_damaged' && tried !== 'local' && tried !== 'empty') return 'local';
  // The newest was discarded already, and the log has a retention of its own.
  if (code === 'log_trimmed' && tried === 'older') return backing.isMirrored ? 'mirror' : null;
  if ((!isDamaged && code !== 'state_lost') || tried === 'empty') return null;
  if (tried !== 'mirror' && tried !== 'local' && backing.isMirrored) return 'mirror';
  return backing.logReachesBack ? 'empty' : null;
}

/** True while the log still holds everything from the first record on: then losing every snapshot costs only time. */
export function reachesBack(log: Log, { readings, lifecycle, journal }: ActorTopics, partition: number): boolean {
  return [readings, lifecycle, journal].every((topic) => log.extent(topic, partition).start === 0);
}

/** Whether a position is committed and the log still holds all that was committed after it. */
export function isReplayable(
  log: Log,
  type: ActorType,
  partition: number,
  from: ShardPosition,
  to: ShardPosition,
): boolean {
  if (from.commit > to.commit) return false;
  const holds = (topic: string, next: number, end: number) =>
    next === end || next >= log.extent(topic, partition).start;
  return (
    holds(type.topics.readings, from.telemetry, to.telemetry) &&
    holds(type.topics.lifecycle, from.lifecycle, to.lifecycle) &&
    holds(type.topics.journal, from.commit, to.commit)
  );
}

export function versionsOf(type: ActorType): Record<string, string> {
  return Object.fromEntries(type.kinds.map((k) => [k.name, `${k.machine} state@${k.state.version}`]));
}

/** Checking: facts -> where to replay from, or the reason why that cannot be done. Throws GridfoldErrors. */
export function checkRecovery(
  log: Log,
  partition: number,
  type: ActorType,
  state: PartitionState,
  committed: ShardPosition,
): ShardPosition {
  const snapshot = state.restored === null ? startPosition() : decodePosition(state.restored.position);
  for (const input of ['telemetry', 'lifecycle'] as const) {
    const topic = topicOf(type, input);
    const { end } = log.extent(topic, partition);
    if (committed[input] > end) {
      throw new GridfoldError(
        'log_behind_commit',
        'stop',
        `${topic}-${partition} ends at ${end}, but ${committed[input]} is committed: records ${end}..${committed[input] - 1} that were folded are gone from the log`,
      );
    }
  }
  const journal = log.extent(type.topics.journal, partition);
  if (snapshot.commit < committed.commit && snapshot.commit < journal.start) {
    throw missing(new RecordReader(log, type.topics.journal, partition, snapshot.commit));
  }
  const versions = versionsOf(type);
  const differing = Object.entries(state.restored?.versions ?? {}).filter(([kind, v]) => versions[kind] !== v);
  if (differing.length > 0 && snapshot.commit < committed.commit) {
    const list = differing.map(([kind, v]) => `${kind}: ${v}, here ${versions[kind] ?? 'unknown'}`).join('; ');
    throw new GridfoldError(
      'machine_version_changed',
      'fix-configuration',
      `partition ${partition} has commits after its newest snapshot that another version folded (${list}). Start that version once and stop it cleanly, then start this one`,
    );
  }
  return snapshot;
}

/** The refusal to replay what the log does not hold any more. */
function missing({ log, topic, partition, next }: RecordReader): GridfoldError {
  const { start } = log.extent(topic, partition);
  return new GridfoldError(
    'log_trimmed',
    'stop',
    `recovery needs ${topic}-${partition} from ${next} on, but the log begins at ${start}: ${start - next} records (${next}..${start - 1}) are gone`,
  );
}

/**
 * Replaying: folds S..C again in the journalled interleaving, outputs suppressed, since they are committed.
 * Returns how many records that were. The journal may go on behind C already: with the commits of an owner that has
 * claimed the partition since, who is to fold them.
 */
export async function replay(log: Log, fold: PartitionFold, committed: ShardPosition): Promise<number> {
  const { partition, position, type } = fold;
  const telemetry = new RecordReader(log, type.topics.readings, partition, position.telemetry);
  const lifecycle = new RecordReader(log, type.topics.lifecycle, partition, position.lifecycle);
  const journal = new RecordReader(log, type.topics.journal, partition, position.commit);
  let records = 0;
  fold.outputs.suppressed = true;
  while (position.commit < committed.commit) {
    const run = await journal.peek(256);
    if (run === null) break;
    journal.advance(run);
    for (let i = run.from; i < run.to && position.commit < committed.commit; i++) {
      const { steps } = decodeJournal(run.batch.bytes.subarray(run.batch.valueStart[i], run.batch.valueEnd[i]));
      for (const step of steps) records += await replayStep(fold, step, telemetry, lifecycle);
      position.commit = run.batch.baseOffset + i + 1;
    }
  }
  fold.outputs.suppressed = false;
  for (const part of ['telemetry', 'lifecycle', 'timers', 'commit'] as const) {
    if (position[part] !== committed[part]) {
      throw new GridfoldError(
        'journal_disagrees',
        'stop',
        `partition ${partition}: after replay ${part} stands at ${position[part]}, but ${committed[part]} is committed`,
      );
    }
  }
  return records;
}

/** The schemas of a run that was folded before must be there again, but those that were unknown then. */
async function requireSchemas(
  { schemas }: ActorType,
  batch: RecordBatch,
  from: number,
  to: number,
  unknown: ReadonlySet<number>,
): Promise<void> {
  const missing = schemas?.missing(batch, from, to).difference(unknown);
  if (missing !== undefined && missing.size > 0) await schemas?.require(missing);
}

/** Offsets that hold no record, or whose records were lost already then. */
function repeatPass(
  fold: PartitionFold,
  kind: number,
  count: number,
  clock: number,
  readers: Readonly<Record<InputTopic, RecordReader>>,
): void {
  const input = kind === StepKind.passedTelemetry || kind === StepKind.lostTelemetry ? 'telemetry' : 'lifecycle';
  const from = fold.position[input];
  const next = from + count;
  if (kind >= StepKind.lostTelemetry) passOver(fold, { input, from, next }, clock);
  else fold.position[input] = next;
  readers[input].next = Math.max(readers[input].next, next);
}

/** Folds one step of a journal again; returns how many records it read. */
export async function replayStep(
  fold: PartitionFold,
  step: Step,
  telemetry: RecordReader,
  lifecycle: RecordReader,
): Promise<number> {
  const { kind, count, clock } = step;
  if (kind === StepKind.telemetry || kind === StepKind.lifecycle) {
    const unknown = new Set(step.unknownSchemas);
    const input = kind === StepKind.telemetry ? 'telemetry' : 'lifecycle';
    const reader = kind === StepKind.telemetry ? telemetry : lifecycle;
    const replayed = reader.take(count, async ({ batch, from, to }) => {
      await requireSchemas(fold.type, batch, from, to, unknown);
      for (let at = from; at < to; ) {
        at = fold[input](batch, at, to, clock, unknown);
        if (at < to) await fold.state.filling?.more();
      }
    });
    await replayed.catch((error: GridfoldError) => {
      throw error.code === 'log_offset_out_of_range' ? missing(reader) : error;
    });
    return count;
  }
  if (kind >= StepKind.passedTelemetry) {
    repeatPass(fold, kind, count, clock, { telemetry, lifecycle });
    return 0;
  }
  const done = kind === StepKind.timers ? fireTimers(fold, clock, count) : publishOpen(fold, clock, count);
  if (done !== count) {
    throw new GridfoldError(
      'journal_disagrees',
      'stop',
      `partition ${fold.partition}: ${done} timers fired again of ${count}`,
    );
  }
  return 0;
}
