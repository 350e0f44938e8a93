import type { PartitionState, SnapshotMeta } from '../../snapshots/contract.ts';
import type { MirroredSnapshot } from '../../snapshots/mirrored.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Mirror } from './mirror.ts';
import { type Candidate, chooseStart } from './mirror-start.ts';
import { decodePosition, type ShardPosition } from './position.ts';
import type { RestoreFrom } from './recovery.ts';

/** Opens the partition's state from the snapshot named; `replaceWith` takes the place of the directory first. */
export type OpenState = (
  usable: (meta: SnapshotMeta) => boolean,
  from: RestoreFrom,
  replaceWith?: MirroredSnapshot,
) => Promise<PartitionState>;

/** What restoring needs to know beside the snapshots. */
export interface RestoreContext {
  readonly partition: number;
  readonly mirror: Mirror;
  readonly usable: (meta: SnapshotMeta) => boolean;
  /** Whether the position is committed, and the log holds everything that was committed after it. */
  readonly isReplayable: (position: ShardPosition) => boolean;
  /** Told where the state comes from, or why not. */
  readonly say: (detail: Record<string, unknown>) => void;
}

/** Restores from the local directory or from the mirror, and lets the mirror follow the state that it returns. */
export async function restoreMirrored(
  open: OpenState,
  context: RestoreContext,
  from: RestoreFrom,
): Promise<PartitionState> {
  const state = await openNearest(open, context, from);
  try {
    await context.mirror.follow(state);
    return state;
  } catch (error) {
    await state.close();
    throw error;
  }
}

async function openNearest(open: OpenState, context: RestoreContext, from: RestoreFrom): Promise<PartitionState> {
  const { mirror, usable } = context;
  if (from === 'older' || from === 'empty') return open(usable, from);
  if (from === 'local') return openOnly(open, context);
  const local = from === 'mirror' ? null : await openLocal(open, context);
  const { start, isLocalUsable } = await startOf(local, context);
  const { snapshot } = mirror;
  if (start === 'mirror' && snapshot !== null) {
    await local?.close();
    return openMirror(open, snapshot, context, isLocalUsable);
  }
  // Nothing is usable: what is wrong with the local state is for the checks that follow to say.
  return local ?? open(usable, 'newest');
}

/** Which of the two to start from. Closes the local state where that cannot be told: nobody else would. */
async function startOf(
  local: PartitionState | null,
  context: RestoreContext,
): Promise<{ start: ReturnType<typeof chooseStart>; isLocalUsable: boolean }> {
  try {
    const candidates = { local: localCandidate(local, context), mirror: mirrorCandidate(context) };
    const relation = context.mirror.relation(local === null ? [] : await local.snapshots());
    const start = chooseStart({ ...candidates, relation });
    return { start, isLocalUsable: candidates.local?.isUsable === true };
  } catch (error) {
    await local?.close();
    throw error;
  }
}

/** The local state, or null where it is lost and the mirror may stand in for it. */
async function openLocal(open: OpenState, { mirror, usable, say }: RestoreContext): Promise<PartitionState | null> {
  try {
    return await open(usable, 'newest');
  } catch (error) {
    const isLost = error instanceof GridfoldError && error.code === 'state_lost';
    if (!isLost || mirror.snapshot === null) throw error;
    say({ local_state: String(error) });
    return null;
  }
}

/** What the directory holds where the mirrored snapshot turned out damaged later. Throws `state_lost` where that is nothing. */
async function openOnly(open: OpenState, context: RestoreContext): Promise<PartitionState> {
  const local = await open(context.usable, 'local');
  if (localCandidate(local, context)?.isUsable === true) return local;
  await local.close();
  throw nothingLeft(context.partition);
}

function nothingLeft(partition: number, options?: ErrorOptions): GridfoldError {
  const message = `partition ${partition} has no local snapshot that can be used, and the one in the log is damaged`;
  return new GridfoldError('state_lost', 'stop', message, options);
}

async function openMirror(
  open: OpenState,
  snapshot: MirroredSnapshot,
  { mirror, partition, usable, say }: RestoreContext,
  isLocalUsable: boolean,
): Promise<PartitionState> {
  try {
    const state = await open(usable, 'newest', snapshot);
    say({ restored_from: 'snapshots topic', snapshot: snapshot.number });
    return state;
  } catch (error) {
    if (!(error instanceof GridfoldError) || error.code !== 'mirror_damaged') throw error;
    mirror.giveUp();
    say({ mirror: String(error) });
    if (isLocalUsable) return open(usable, 'newest');
    throw nothingLeft(partition, { cause: error });
  }
}

function localCandidate(local: PartitionState | null, { isReplayable }: RestoreContext): Candidate | null {
  if (local === null || local.restored === null) return null;
  const position = decodePosition(local.restored.position);
  return { position, isUsable: isReplayable(position) };
}

function mirrorCandidate({ mirror, isReplayable }: RestoreContext): Candidate | null {
  const { position } = mirror;
  return position === null ? null : { position, isUsable: isReplayable(position) };
}
