import type { Shard } from '../shard/shard.ts';
import type { FleetView } from './engine.ts';
import { lifecycleResult } from '../shard/lifecycle.ts';

interface BlockSummary {
  readonly stamp: number;
  readonly kind: string;
  readonly assets: number;
  readonly powerW: number;
  readonly status: ReadonlyMap<string, number>;
}

type KindSums = { assets: number; powerW: number; status: Record<string, number> };

/**
 * Counts by kind and status, and power, over the whole fleet. A block is summed again only when it changed since the
 * last time, so a quiet fleet costs nothing and a busy one costs what changed.
 */
export class FleetSummary {
  readonly #blocks = new Map<string, BlockSummary>();

  sum(shards: readonly Shard[]): FleetView {
    const kinds: Record<string, KindSums & { energyTodayOutWh: number; energyTodayInWh: number }> = {};
    let assets = 0;
    for (const shard of shards) {
      if (shard.phase !== 'live') continue;
      for (const kind of shard.fold.kinds) {
        kinds[kind.kind.name] ??= { assets: 0, powerW: 0, energyTodayOutWh: 0, energyTodayInWh: 0, status: {} };
      }
      for (const id of shard.fold.state.blockIds()) {
        const block = this.#block(shard, id);
        const sums = kinds[block.kind];
        sums.assets += block.assets;
        sums.powerW += block.powerW;
        for (const [status, n] of block.status) sums.status[status] = (sums.status[status] ?? 0) + n;
        assets += block.assets;
      }
    }
    return { kinds, assets };
  }

  #block(shard: Shard, id: number): BlockSummary {
    const key = `${shard.partition}.${id}`;
    const { fold } = shard;
    const known = this.#blocks.get(key);
    const stamp = fold.changeStamp(id);
    if (known !== undefined && known.stamp === stamp) return known;
    const block = fold.state.block(id);
    const runtime = fold.kinds[Math.floor(id / fold.state.blocksPerKind)];
    const status = new Map<string, number>();
    const power = runtime.kind.state.names.indexOf('powerW');
    let powerW = 0;
    for (let slot = 0; slot < (block?.count ?? 0); slot++) {
      runtime.asset.attach(block as NonNullable<typeof block>, slot);
      const config = runtime.config(runtime.asset.cadenceS, runtime.asset.zone);
      const shown = runtime.kind.view(runtime.asset, lifecycleResult(fold, runtime, runtime.asset), config);
      status.set(shown.status, (status.get(shown.status) ?? 0) + 1);
      const watts = power < 0 || shown.status === 'OFFLINE' ? 0 : runtime.asset.getAt(power);
      if (!Number.isNaN(watts)) powerW += watts;
    }
    const summary = { stamp, kind: runtime.kind.name, assets: block?.count ?? 0, powerW, status };
    this.#blocks.set(key, summary);
    return summary;
  }
}
