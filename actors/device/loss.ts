import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { dataGap, iso } from './facts.ts';

/** Readings after the newest one may be missing up to `at`: the log lost records, and nobody knows whose. */
export function lose(asset: DeviceAsset, at: number, out: Facts): void {
  const fromTime = asset.lastDeviceTime;
  const toTime = Math.max(fromTime, at);
  out.emit(dataGap, `${asset.serial}/${iso(fromTime)}/lost`, fromTime, { fromTime, toTime, class: 'lost' });
}
