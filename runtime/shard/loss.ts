import type { Block } from '../../snapshots/block.ts';
import { GridfoldError } from '../kernel/errors.ts';
import type { Log } from '../log/contract.ts';
import { hasLifecycle } from './columns.ts';
import { type ActorType, type InputTopic, topicOf } from './contract.ts';
import { FactMap } from './facts.ts';
import type { PartitionFold } from './fold.ts';
import type { KindRuntime } from './kind-runtime.ts';
import type { ShardPosition } from './position.ts';
import { beginTimer } from './timers.ts';

/** Records of an input that the log dropped before they were folded: offsets `[from, next)`. */
export interface Loss {
  readonly input: InputTopic;
  readonly from: number;
  readonly next: number;
}

/** What the log lost between what is committed and what it still has; nothing where nothing was ever committed. */
export function lossesOf(log: Log, type: ActorType, partition: number, committed: ShardPosition): Loss[] {
  if (committed.commit === 0) return [];
  return (['telemetry', 'lifecycle'] as const)
    .map((input) => ({ input, from: committed[input], next: log.extent(topicOf(type, input), partition).start }))
    .filter(({ from, next }) => from < next);
}

/** The refusal to go on over losses that nobody has accepted. */
export function refuseLosses(type: ActorType, partition: number, losses: readonly Loss[]): GridfoldError {
  const list = losses.map(({ input, from, next }) => `${topicOf(type, input)}-${partition} ${from}..${next - 1}`);
  return new GridfoldError(
    'log_trimmed',
    'stop',
    `records were dropped from the log before they were folded: ${list.join(', ')}. Restore them, or start with --accept-loss to go on without them; every asset of the partition then gets a data_gap`,
  );
}

/**
 * Goes on behind the loss. Nobody knows whose records they were, so every asset of the partition says what it may lack:
 * a gap from its last reading to now. Journalled by input and count, so that a replay does the same.
 */
export function passOver(fold: PartitionFold, { input, next }: Loss, clock: number): void {
  fold.position.clock = Math.max(fold.position.clock, clock);
  if (input === 'telemetry') {
    for (const id of fold.state.blockIds()) {
      const block = fold.state.block(id);
      const runtime = fold.kinds[Math.floor(id / fold.state.blocksPerKind)];
      for (let slot = 0; slot < (block?.count ?? 0); slot++) sayLoss(fold, runtime, block as Block, slot, clock);
    }
  }
  fold.position[input] = next;
}

function sayLoss(fold: PartitionFold, runtime: KindRuntime, block: Block, slot: number, clock: number): void {
  const { kind, asset } = runtime;
  asset.attach(block, slot);
  if (kind.lose === undefined || asset.lastDeviceTime === 0) return;
  fold.change(block);
  beginTimer(fold, clock);
  asset.revision += 1;
  runtime.nameScratch(asset);
  const facts = new FactMap(hasLifecycle(asset));
  kind.lose(asset, clock, facts);
  fold.say(
    runtime,
    [...facts.byKey.values()].map((fact) => ({ fact, op: 'upsert' })),
  );
}
