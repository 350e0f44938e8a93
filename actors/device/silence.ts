import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { connectivityRegion } from './connectivity.machine.ts';
import { dataGap, iso } from './facts.ts';
import { type BoundRegion, sayInterval, sayTransition, step } from './region.ts';

const SHORTEST_STALE_MS = 60_000;
const OFFLINE_AFTER_MS = 15 * 60_000;

const { table } = connectivityRegion;
const MESSAGE = table.eventIndex('message');
const SILENCE = table.eventIndex('silence');
const LONG_SILENCE = table.eventIndex('longSilence');
const FROZEN = table.eventIndex('frozen');
export const STALE = table.stateIndex('stale');
export const OFFLINE = table.stateIndex('offline');
export const ONLINE = table.stateIndex('online');

/** Distance from the newest reading at which an asset is stale. */
export function staleAfter(config: AssetConfig): number {
  return Math.max(3 * config.cadenceMs, SHORTEST_STALE_MS);
}

export function silenceLimits(config: AssetConfig): readonly [staleMs: number, offlineMs: number] {
  const stale = staleAfter(config);
  return [stale, stale + OFFLINE_AFTER_MS];
}

/** The first reading: nobody heard of the asset before. */
export function firstContact(asset: DeviceAsset, region: BoundRegion, at: number, out: Facts): void {
  sayTransition(asset.serial, region.name, 'never', 'online', at, 0, 'message', null, out);
  sayInterval(asset.serial, region.name, 'online', at, null, out);
}

/** The silence after the newest reading has lasted long enough for stage 1 (stale) or 2 (offline). */
export function elapse(asset: DeviceAsset, region: BoundRegion, stage: number, config: AssetConfig, out: Facts): void {
  const last = asset.lastDeviceTime;
  const stale = staleAfter(config);
  asset.quiet = stage;
  if (stage === 1) {
    step(asset, region, SILENCE, last + stale, 'silence', out);
    silentGap(asset, null, out);
  } else {
    step(asset, region, LONG_SILENCE, last + stale + OFFLINE_AFTER_MS, 'silence', out);
  }
}

/** A reading at `t` ends a silence: states what timers would have said, and that it is over. */
export function endSilence(asset: DeviceAsset, region: BoundRegion, t: number, config: AssetConfig, out: Facts): void {
  const silent = t - asset.lastDeviceTime;
  elapse(asset, region, 1, config, out);
  if (silent > staleAfter(config) + OFFLINE_AFTER_MS) elapse(asset, region, 2, config, out);
  silentGap(asset, t, out);
  asset.quiet = 0;
  asset.heartbeatAt = 0;
}

/** A silence that begins with the first of a run of void readings is part of that gap. */
export function silentGap(asset: DeviceAsset, toTime: number | null, out: Facts): void {
  const fromTime = asset.lastDeviceTime;
  if (asset.voidSince === fromTime) return;
  out.emit(dataGap, `${asset.serial}/${iso(fromTime)}`, fromTime, { fromTime, toTime, class: 'silent' });
}

/**
 * Fresh or frozen: a heartbeat that stands still for as long as a silence may last says that the packets come from
 * somebody who repeats himself. Called for every reading before its fields are applied.
 */
export function heardFrom(
  asset: DeviceAsset,
  region: BoundRegion,
  t: number,
  beat: number,
  config: AssetConfig,
  out: Facts,
): void {
  const told = !Number.isNaN(beat);
  if (told) {
    if (beat !== asset.heartbeat) asset.heartbeatAt = 0;
    else if (asset.heartbeatAt === 0) asset.heartbeatAt = asset.connectivity === ONLINE ? asset.lastDeviceTime : t;
  }
  const since = asset.heartbeatAt;
  const frozen = since !== 0 && t - since > staleAfter(config) && (told || asset.connectivity === STALE);
  if (frozen) step(asset, region, FROZEN, t, 'heartbeat_frozen', out);
  else if (asset.connectivity !== ONLINE) step(asset, region, MESSAGE, t, 'message', out);
}
