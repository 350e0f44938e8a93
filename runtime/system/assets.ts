import { murmur2, partitionOf } from '../kernel/hash.ts';
import type { LifecycleResult } from '../shard/contract.ts';
import type { KindRuntime } from '../shard/kind-runtime.ts';
import { lifecycleResult, readLifecycle } from '../shard/lifecycle.ts';
import type { Shard } from '../shard/shard.ts';
import type { AssetQuery, AssetView } from './engine.ts';
import { assetView } from './view.ts';

const encoder = new TextEncoder();

/** Where an asset's records go: the same partition for all its topics. */
export function homeOf(serial: string, partitions: number): { key: Uint8Array; partition: number } {
  const key = encoder.encode(serial);
  return { key, partition: partitionOf(murmur2(key), partitions) };
}

/** Points the kind's cursor at the asset; null where it is not known. */
export function findAsset(shards: readonly Shard[], serial: string): { shard: Shard; runtime: KindRuntime } | null {
  const { key, partition } = homeOf(serial, shards.length);
  const shard = shards[partition];
  if (shard.phase !== 'live') return null;
  const runtime = shard.fold.lookup(key);
  return runtime === null ? null : { shard, runtime };
}

export function lifecycleOf(shards: readonly Shard[], serial: string): LifecycleResult | null | undefined {
  const found = findAsset(shards, serial);
  return found === null ? undefined : lifecycleResult(found.shard.fold, found.runtime, found.runtime.asset);
}

/** The life of an asset as its kind tells it; null where either is not known. */
export function storyOf(shards: readonly Shard[], serial: string, asOf: number): object | null {
  const found = findAsset(shards, serial);
  if (found === null) return null;
  const { kind, asset } = found.runtime;
  return kind.story?.(serial, readLifecycle(found.shard.fold, asset), asOf) ?? null;
}

interface Place {
  readonly partition: number;
  readonly block: number;
  readonly slot: number;
}

/** At most so many assets are looked at for one page, so that a narrow filter cannot stall the loop. */
const MAX_LOOKED_AT = 20_000;

/** A page of assets in the order of partition, block and slot: stable while assets come and change. */
export function pageOfAssets(
  shards: readonly Shard[],
  query: AssetQuery,
): { items: AssetView[]; cursor: string | null } {
  const { where } = query;
  return pageOf(shards, query, (shard, runtime) => {
    const view = assetView(shard.fold, runtime);
    return where === undefined || where(view) ? view : null;
  });
}

/** What an actor says of itself as a whole; null where it is not known or says nothing. */
export function summaryOf(shards: readonly Shard[], kind: string, key: string): object | null {
  if (shards.length === 0) return null;
  const runtime = findAsset(shards, key)?.runtime;
  return runtime?.kind.name === kind ? (runtime.kind.summary?.(runtime.asset) ?? null) : null;
}

/** A page of actors' summaries, in the same order. */
export function pageOfSummaries(
  shards: readonly Shard[],
  query: Omit<AssetQuery, 'where'>,
): { items: object[]; cursor: string | null } {
  return pageOf(shards, query, (_, { kind, asset }) => kind.summary?.(asset) ?? null);
}

function pageOf<T>(
  shards: readonly Shard[],
  query: AssetQuery,
  show: (shard: Shard, runtime: KindRuntime) => T | null,
): { items: T[]; cursor: string | null } {
  const items: T[] = [];
  let looked = 0;
  for (const place of placesFrom(shards, query)) {
    if (items.length === query.limit || looked === MAX_LOOKED_AT) {
      return { items, cursor: `${place.partition}.${place.block}.${place.slot}` };
    }
    looked++;
    const shard = shards[place.partition];
    const block = shard.fold.state.block(place.block);
    if (block === null) continue;
    const runtime = shard.fold.kinds[Math.floor(place.block / shard.fold.state.blocksPerKind)];
    runtime.asset.attach(block, place.slot);
    const shown = show(shard, runtime);
    if (shown !== null) items.push(shown);
  }
  return { items, cursor: null };
}

function* placesFrom(shards: readonly Shard[], query: AssetQuery): Generator<Place> {
  const [partition, firstBlock, firstSlot] = (query.cursor ?? '0.0.0').split('.').map(Number);
  const end = Math.min(query.until ?? shards.length, shards.length);
  for (let p = Math.max(0, partition); p < end; p++) {
    if (shards[p].phase !== 'live') continue;
    const { state, kinds } = shards[p].fold;
    for (const id of state.blockIds()) {
      if (p === partition && id < firstBlock) continue;
      if (query.kind !== undefined && kinds[Math.floor(id / state.blocksPerKind)].kind.name !== query.kind) continue;
      const count = state.block(id)?.count ?? 0;
      const start = p === partition && id === firstBlock ? firstSlot : 0;
      for (let slot = start; slot < count; slot++) yield { partition: p, block: id, slot };
    }
  }
}
