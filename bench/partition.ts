import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputRecord, RecordBatch } from '../runtime/log/contract.ts';
import type { ActorType } from '../runtime/shard/contract.ts';
import { PartitionFold } from '../runtime/shard/fold.ts';
import { startPosition } from '../runtime/shard/position.ts';
import type { PartitionState } from '../snapshots/contract.ts';
import { openPartitionState } from '../snapshots/open.ts';

/** Blocks of a fleet of a million in four partitions are as full. */
const ASSETS_PER_BLOCK = 244;
const FEWEST_BLOCKS = 16;

/** The only partition of an actor type, in a folder of its own, with the CPU time of this thread that its fold took. */
export class LonePartition {
  readonly state: PartitionState;
  readonly fold: PartitionFold;
  readonly #dir: string;
  seconds = 0;
  events = 0;

  static async open(type: ActorType, actors: number): Promise<LonePartition> {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-bench-'));
    const state = await openPartitionState({
      dir,
      schemas: type.kinds.map((kind) => kind.state),
      blocksPerKind: Math.max(FEWEST_BLOCKS, Math.round(actors / ASSETS_PER_BLOCK)),
      maxResidentBytes: 2 ** 30,
      message: (_level, text) => console.error(text),
    });
    return new LonePartition(type, state, dir);
  }

  private constructor(type: ActorType, state: PartitionState, dir: string) {
    this.state = state;
    this.#dir = dir;
    const position = startPosition();
    this.fold = new PartitionFold({ type, partition: 0, partitions: 1, state, position, horizonMs: 86_400_000 });
  }

  /** Folds the batch as readings or as lifecycle records; returns what it has to say to other actors. */
  take(batch: RecordBatch, topic: 'telemetry' | 'lifecycle' = 'telemetry'): readonly OutputRecord[] {
    const { fold } = this;
    const began = process.threadCpuUsage();
    fold[topic](batch, 0, batch.count, batch.timestamp);
    const { user, system } = process.threadCpuUsage(began);
    this.seconds += (user + system) / 1e6;
    const outputs = fold.outputs.take();
    this.events += outputs.get('derived')?.length ?? 0;
    return outputs.get('contributions') ?? [];
  }

  async close(): Promise<void> {
    await this.state.close();
    rmSync(this.#dir, { recursive: true });
  }
}
