import type { DerivedType, Facts } from '../../../runtime/shard/derived.ts';
import { cellImbalance, iso, thermalExcursion } from '../facts.ts';
import { changeSide, type Excursion, readSide } from '../side.ts';
import type { MegapackAsset } from './state.ts';

/** A measurement that is beyond its limit for less is a flicker. */
const CONFIRMED_AFTER_MS = 60_000;

interface Limit {
  /** Of column `excursions`. */
  readonly bit: number;
  readonly type: DerivedType;
  /** Name of the fact's column that holds the peak. */
  readonly peak: string;
  /** Entered at this value, left below the other one. */
  readonly enter: number;
  readonly leave: number;
}

/** Cells of lithium iron phosphate age fast, and take less power, from 50 degrees; cooled units stay far below. */
const HEAT: Limit = { bit: 1, type: thermalExcursion, peak: 'maxC', enter: 50, leave: 45 };
/** Distance of the highest from the lowest cell, V: balanced ones stay within a few hundredths. */
const SPREAD: Limit = { bit: 2, type: cellImbalance, peak: 'maxSpreadV', enter: 0.15, leave: 0.1 };
const LIMITS = [HEAT, SPREAD];

export function isHot(asset: MegapackAsset): boolean {
  return (asset.excursions & HEAT.bit) !== 0;
}

export function isImbalanced(asset: MegapackAsset): boolean {
  return (asset.excursions & SPREAD.bit) !== 0;
}

/** After a reading that told the temperature of the hottest module. */
export function foldHeat(asset: MegapackAsset, t: number, out: Facts): void {
  fold(asset, HEAT, asset.moduleTempMaxC, t, out);
}

/** After a reading that told a cell voltage. */
export function foldSpread(asset: MegapackAsset, t: number, out: Facts): void {
  const spread = asset.cellVoltageMaxV - asset.cellVoltageMinV;
  fold(asset, SPREAD, Math.round(spread * 1e6) / 1e6, t, out);
}

function fold(asset: MegapackAsset, limit: Limit, value: number, t: number, out: Facts): void {
  const { bit } = limit;
  if ((asset.excursions & bit) === 0) {
    if (!(value >= limit.enter)) return;
    asset.excursions |= bit;
    replace(asset, bit, { bit, from: t, peak: value, said: false });
    return;
  }
  const open = readSide(asset).excursions?.find((e) => e.bit === bit);
  if (open === undefined) return;
  if (!(value >= limit.leave)) {
    asset.excursions &= ~bit;
    replace(asset, bit, null);
    if (open.said) say(asset.serial, limit, open, t, out);
    return;
  }
  const said = open.said || t - open.from >= CONFIRMED_AFTER_MS;
  if (said === open.said && value <= open.peak) return;
  const grown = { ...open, peak: Math.max(open.peak, value), said };
  replace(asset, bit, grown);
  if (!open.said && said) say(asset.serial, limit, grown, null, out);
}

/** States the excursions that last. */
export function openExcursions(asset: MegapackAsset, out: Facts): void {
  if (asset.excursions === 0) return;
  for (const limit of LIMITS) {
    const open = readSide(asset).excursions?.find((e) => e.bit === limit.bit);
    if (open?.said === true) say(asset.serial, limit, open, null, out);
  }
}

function replace(asset: MegapackAsset, bit: number, excursion: Excursion | null): void {
  const kept = (readSide(asset).excursions ?? []).filter((e) => e.bit !== bit);
  const excursions = excursion === null ? kept : [...kept, excursion].sort((a, b) => a.bit - b.bit);
  changeSide(asset, { excursions: excursions.length === 0 ? undefined : excursions });
}

function say(serial: string, limit: Limit, { from, peak }: Excursion, toTime: number | null, out: Facts): void {
  const data = { fromTime: from, toTime, [limit.peak]: toTime === null ? null : peak };
  out.emit(limit.type, `${serial}/${iso(from)}`, from, data);
}
