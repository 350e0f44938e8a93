import type { Shard } from '../shard/shard.ts';
import type { Change } from './engine.ts';

type Listener = (changes: readonly Change[]) => void;

/** Tells whoever listens which actors of a stage changed. Shards note that only while somebody does, since it costs the fold. */
export class ChangeFeed {
  readonly #shards: readonly Shard[];
  readonly #listeners = new Set<Listener>();

  /** `shards` by partition; others may take their places. */
  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
  }

  /** Calls `listener` with the actors that folds changed; returns unsubscribe. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.watch();
    return () => {
      this.#listeners.delete(listener);
      this.watch();
    };
  }

  /** To be called also when other shards came to work. */
  watch(): void {
    for (const shard of this.#shards) shard.watch(this.#listeners.size > 0);
  }

  /** Tells what the shard noted since it was last asked. */
  tell({ fold, touched, partition }: Shard): void {
    const changes: Change[] = [];
    touched.drain((blockId, slot) => {
      const block = fold.state.block(blockId);
      if (block === null) return;
      const { kind } = fold.kinds[Math.floor(blockId / fold.state.blocksPerKind)];
      const revision = block.get(kind.state.index('revision'), slot);
      changes.push({ serial: block.serial(slot), kind: kind.name, partition, revision });
    });
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}
