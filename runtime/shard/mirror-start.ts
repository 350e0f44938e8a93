import { isSame, type SnapshotName } from '../../snapshots/mirrored.ts';
import type { Head } from './mirror-head.ts';
import type { ShardPosition } from './position.ts';

/** Folding so many records again takes about as long as fetching a small snapshot. */
const SHORT_REPLAY_RECORDS = 200_000;

/**
 * How the local snapshots stand to the mirrored one: it is one of them, or came after the newest of them, or neither
 * is known to have led to the other.
 */
export type Relation = 'same' | 'behind' | 'apart';

export function relationOf(
  local: readonly SnapshotName[],
  head: Pick<Head, 'number' | 'ancestors'>,
  crc: number,
): Relation {
  if (local.some((name) => isSame(name, { number: head.number, crc }))) return 'same';
  const isAncestor = local.length > 0 && head.ancestors.some((name) => isSame(name, local[0]));
  return isAncestor ? 'behind' : 'apart';
}

/** A snapshot to start from: where it stands, and whether the log still holds all that was committed after it. */
export interface Candidate {
  readonly position: ShardPosition;
  readonly isUsable: boolean;
}

export interface StartFacts {
  readonly local: Candidate | null;
  readonly mirror: Candidate | null;
  readonly relation: Relation;
}

/**
 * Which state to start from. The local one needs no fetching, so it is preferred where little was folded after it;
 * but not where another owner went on from elsewhere, since two snapshots then may bear the same number.
 */
export function chooseStart({ local, mirror, relation }: StartFacts): 'local' | 'mirror' | 'empty' {
  if (!mirror?.isUsable) return local?.isUsable ? 'local' : 'empty';
  if (!local?.isUsable) return 'mirror';
  if (relation === 'same') return 'local';
  if (relation === 'apart') return mirror.position.commit >= local.position.commit ? 'mirror' : 'local';
  return recordsBetween(local.position, mirror.position) <= SHORT_REPLAY_RECORDS ? 'local' : 'mirror';
}

function recordsBetween(from: ShardPosition, to: ShardPosition): number {
  return to.telemetry - from.telemetry + (to.lifecycle - from.lifecycle);
}
