import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { derateInterval, iso } from './facts.ts';
import { DERATES } from './flags.ts';
import { changeSide, readSide } from './side.ts';

/** A cause that holds for less is a flicker. */
const CONFIRMED_AFTER_MS = 60_000;

/** Takes the causes that hold since this reading. Call it only when they differ from `derates` or `derated`. */
export function foldDerates(asset: DeviceAsset, causes: number, t: number, out: Facts): void {
  const known = readSide(asset).derates;
  let confirmed = asset.derated;
  const kept: (readonly [number, number])[] = [];
  for (const entry of known) {
    const [bit, from] = entry;
    const holds = (causes & bit) !== 0;
    if (holds) kept.push(entry);
    if (t - from > CONFIRMED_AFTER_MS) {
      const isNew = (confirmed & bit) === 0;
      if (!holds || isNew) sayDerate(asset.serial, bit, from, holds ? null : t, out);
      if (isNew) confirmed |= bit;
    }
    if (!holds) confirmed &= ~bit;
  }
  for (let added = causes & ~asset.derates; added !== 0; added &= added - 1) kept.push([added & -added, t]);
  if (kept.length !== known.length || causes !== asset.derates) changeSide(asset, { derates: kept });
  if (causes !== asset.derates) asset.derates = causes;
  if (confirmed !== asset.derated) asset.derated = confirmed;
}

/** States the causes that hold and are confirmed. */
export function openDerates(asset: DeviceAsset, out: Facts): void {
  const confirmed = asset.derated;
  if (confirmed === 0) return;
  for (const [bit, from] of readSide(asset).derates) {
    if ((confirmed & bit) !== 0) sayDerate(asset.serial, bit, from, null, out);
  }
}

/** Names of the causes in a mask. */
export function derateNames(mask: number): string[] {
  return DERATES.filter((_, i) => (mask >>> i) & 1);
}

function sayDerate(serial: string, bit: number, fromTime: number, toTime: number | null, out: Facts): void {
  const cause = DERATES[31 - Math.clz32(bit)];
  out.emit(derateInterval, `${serial}/${cause}/${iso(fromTime)}`, fromTime, { cause, fromTime, toTime });
}
