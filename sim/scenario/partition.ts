import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordBatch } from '../../runtime/log/contract.ts';
import type { ActorType, InputTopic } from '../../runtime/shard/contract.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { PartitionFold } from '../../runtime/shard/fold.ts';
import { type DeadLetter, decodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { startPosition } from '../../runtime/shard/position.ts';
import { anythingUnpublished, fireTimers, publishOpen } from '../../runtime/shard/timers.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { assetView } from '../../runtime/system/view.ts';
import { openPartitionState } from '../../snapshots/open.ts';

/** How far behind the asset's newest device time a reading may come and still be folded in, as the runtime has it. */
export const HORIZON_MS = 86_400_000;
const AT_ONCE = 10_000;

/** What a fold said since it was last asked. */
export interface Said {
  readonly events: readonly DerivedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Copies of facts for other actors: key and value as they lie in the log. */
  readonly contributions: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
}

/** One partition of an actor type: the real fold over a state of its own in a temporary folder. */
export class Partition {
  /** What went wrong in folds: the runtime would go on without the actor. */
  readonly failures: string[] = [];
  readonly #fold: PartitionFold;
  readonly #dir: string;

  private constructor(fold: PartitionFold, dir: string) {
    this.#fold = fold;
    this.#dir = dir;
    fold.onFailure = (kind, serial, error) => this.failures.push(`the fold of ${kind} ${serial} threw: ${error}`);
  }

  static async open(type: ActorType): Promise<Partition> {
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-scenario-'));
    const schemas = type.kinds.map((kind) => kind.state);
    const state = await openPartitionState({ dir, schemas, blocksPerKind: 16, message: () => {} });
    const options = { type, partition: 0, partitions: 1, state, position: startPosition(), horizonMs: HORIZON_MS };
    return new Partition(new PartitionFold(options), dir);
  }

  /** The log accepts a record at `accepted`; it is folded while the partition clock reads `clock`. */
  tell(topic: InputTopic, key: Uint8Array, value: Uint8Array, clock: number, accepted: number): void {
    const batch = batchOf(key, value, this.#fold.position[topic], accepted);
    if (topic === 'telemetry') this.#fold.telemetry(batch, 0, 1, clock);
    else this.#fold.lifecycle(batch, 0, 1, clock);
  }

  /** Timers that are due by then fire. */
  advance(clock: number): void {
    fireTimers(this.#fold, clock, AT_ONCE);
  }

  /** The input idles: what is open is published too. Returns whether there was anything. */
  publish(): boolean {
    let published = 0;
    while (anythingUnpublished(this.#fold)) published += publishOpen(this.#fold, this.#fold.position.clock, AT_ONCE);
    return published > 0;
  }

  take(): Said {
    const { outputs } = this.#fold;
    const decoder = new TextDecoder();
    const said = {
      events: outputs.derived.map(({ value }) => JSON.parse(decoder.decode(value)) as DerivedEvent),
      deadLetters: outputs.deadLetters.map(({ value }) => decodeDeadLetter(value)),
      contributions: outputs.contributions.map(({ key, value }) => ({ key: key as Uint8Array, value })),
    };
    outputs.take();
    return said;
  }

  /** The actor as the doors show it; null where nobody told of it. */
  view(serial: string): AssetView | null {
    const runtime = this.#fold.lookup(new TextEncoder().encode(serial));
    return runtime === null ? null : assetView(this.#fold, runtime);
  }

  async close(): Promise<void> {
    await this.#fold.state.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function batchOf(key: Uint8Array, value: Uint8Array, baseOffset: number, timestamp: number): RecordBatch {
  return {
    baseOffset,
    count: 1,
    timestamp,
    bytes: Buffer.concat([key, value]),
    keyStart: Uint32Array.of(0),
    keyEnd: Uint32Array.of(key.length),
    valueStart: Uint32Array.of(key.length),
    valueEnd: Uint32Array.of(key.length + value.length),
  };
}
