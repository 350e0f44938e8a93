import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPartitionState } from '../../snapshots/open.ts';
import type { ActorType } from '../shard/contract.ts';
import type { OpenState } from '../shard/mirror-restore.ts';
import type { ShardOptions } from '../shard/shard.ts';
import type { RuntimeOptions } from './runtime-options.ts';

/** What is folded shows at the next tick at the latest. */
const TICK_MS = 50;
const PUBLISH_IDLE_MS = 1000;

/** What is particular to one shard. */
export type ShardParts = Pick<ShardOptions, 'type' | 'partition' | 'gate' | 'seat' | 'observer' | 'changed'>;

/** The options of a shard in a runtime with these options. */
export function shardOptions(options: RuntimeOptions, parts: ShardParts): ShardOptions {
  const { log, clock, commitIntervalMs, snapshotRecords, horizonMs } = options;
  return {
    ...parts,
    log,
    clock,
    openState: openStateOf(options, parts.type, parts.partition),
    mirror: options.mirror ?? log.shared,
    commitIntervalMs,
    snapshotRecords,
    horizonMs,
    acceptLoss: options.acceptLoss ?? false,
    tickMs: Math.min(TICK_MS, commitIntervalMs),
    publishIdleMs: PUBLISH_IDLE_MS,
  };
}

/** Opens the state in the partition's own directory below the data folder. */
function openStateOf(options: RuntimeOptions, type: ActorType, partition: number): OpenState {
  const { dataDir, blocksPerKind, maxResidentBytes, windowBytesPerBlock, message } = options;
  return (usable, from, replaceWith) => {
    const dir = join(dataDir, 'state', `${type.name}-${partition}`);
    mkdirSync(dir, { recursive: true });
    return openPartitionState({
      dir,
      schemas: type.kinds.map((k) => k.state),
      blocksPerKind,
      maxResidentBytes,
      windowBytesPerBlock,
      usable,
      skipNewest: from === 'older',
      startEmpty: from === 'empty',
      replaceWith,
      message,
    });
  };
}
