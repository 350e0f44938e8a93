import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { derateInterval, iso } from './facts.ts';
import { Derate, DERATES } from './flags.ts';
import { changeSide, type DerateRecord, readSide } from './side.ts';

/** A cause that holds for less is a flicker. */
const CONFIRMED_AFTER_MS = 60_000;

/** Of a kind that knows more of its derating than the cause. */
export interface DerateDetail {
  /** Energy that was lost so far, Wh, ever growing; NaN where nobody can tell. */
  readonly lostWh: number;
  /** Since when it clips, where that shows late. */
  readonly clippedFrom: number;
}

/** Takes the causes that hold since this reading. Call it only when they differ from `derates` or `derated`. */
export function foldDerates(asset: DeviceAsset, causes: number, t: number, out: Facts, detail?: DerateDetail): void {
  const known = readSide(asset).derates;
  const lostWh = detail?.lostWh ?? Number.NaN;
  let confirmed = asset.derated;
  const kept: DerateRecord[] = [];
  for (const entry of [...known, ...begun(causes & ~asset.derates, t, detail)]) {
    const [bit, from, lostBefore] = entry;
    const holds = (causes & bit) !== 0;
    if (holds) kept.push(entry);
    if (t - from > CONFIRMED_AFTER_MS) {
      const isNew = (confirmed & bit) === 0;
      if (holds && isNew) sayDerate(asset.serial, bit, from, null, null, out);
      else if (!holds) sayDerate(asset.serial, bit, from, t, lostBefore === null ? null : lostWh - lostBefore, out);
      if (isNew) confirmed |= bit;
    }
    if (!holds) confirmed &= ~bit;
  }
  if (kept.length !== known.length || causes !== asset.derates) changeSide(asset, { derates: kept });
  if (causes !== asset.derates) asset.derates = causes;
  if (confirmed !== asset.derated) asset.derated = confirmed;
}

function begun(causes: number, t: number, detail: DerateDetail | undefined): DerateRecord[] {
  const records: DerateRecord[] = [];
  for (let rest = causes; rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    // By how much power would have been higher where the plate cuts it, nobody measures.
    if (bit === Derate.clipped) records.push([bit, detail?.clippedFrom ?? t, null]);
    else records.push([bit, t, detail === undefined || Number.isNaN(detail.lostWh) ? null : detail.lostWh]);
  }
  return records;
}

/** States the causes that hold and are confirmed. */
export function openDerates(asset: DeviceAsset, out: Facts): void {
  const confirmed = asset.derated;
  if (confirmed === 0) return;
  for (const [bit, from] of readSide(asset).derates) {
    if ((confirmed & bit) !== 0) sayDerate(asset.serial, bit, from, null, null, out);
  }
}

/** Names of the causes in a mask. */
export function derateNames(mask: number): string[] {
  return DERATES.filter((_, i) => (mask >>> i) & 1);
}

function sayDerate(
  serial: string,
  bit: number,
  fromTime: number,
  toTime: number | null,
  lostWh: number | null,
  out: Facts,
): void {
  const cause = DERATES[31 - Math.clz32(bit)];
  const data = { cause, fromTime, toTime, lostWh: lostWh === null ? null : Math.round(lostWh * 1000) / 1000 };
  out.emit(derateInterval, `${serial}/${cause}/${iso(fromTime)}`, fromTime, data);
}
