import type { Facts } from '../../runtime/shard/derived.ts';
import { dayTurn } from './availability.ts';
import type { DeviceAsset } from './columns.ts';
import type { EfficiencySide } from './efficiency-record.ts';
import { iso, roundTripEfficiency } from './facts.ts';
import { changeSide, readSide } from './side.ts';

/** What a battery tells of its charge, NaN where it does not. */
export interface ChargeLevel {
  readonly soc: number;
  readonly remainingWh: number;
  readonly fullWh: number;
  readonly socMoved: number;
}

/**
 * At the first reading of a day: closes the window, if the battery went through at least one full equivalent cycle in
 * it, and begins the next. Over less the error of the stored energy would outweigh the losses.
 */
export function foldEfficiency(asset: DeviceAsset, level: ChargeLevel, t: number, out: Facts): void {
  const known = readSide(asset).efficiency;
  if (known === undefined) {
    changeSide(asset, { efficiency: beginAt(asset, level, t) });
    return;
  }
  const side = { ...known, unknownMs: known.unknownMs + dayTurn.unknownMs };
  const chargeWh = asset.totalInWh - side.inWh;
  const dischargeWh = asset.totalOutWh - side.outWh;
  const socMoved = level.socMoved - side.socMoved;
  // Where nobody tells the full energy, the state of charge counts the cycles: a full one moves it by 2.
  const cycles = Number.isNaN(level.fullWh) ? socMoved / 2 : (chargeWh + dischargeWh) / 2 / level.fullWh;
  if (!(cycles >= 1) || chargeWh === 0) {
    if (dayTurn.unknownMs !== 0) changeSide(asset, { efficiency: side });
    return;
  }
  const stored = storedChange(side, level, (chargeWh + dischargeWh) / socMoved);
  out.emit(roundTripEfficiency, `${asset.serial}/${iso(side.from)}`, side.from, {
    fromTime: side.from,
    toTime: t,
    chargeWh: rounded(chargeWh, 3),
    dischargeWh: rounded(dischargeWh, 3),
    storedWh: stored === null ? null : rounded(stored, 3),
    efficiency: stored === null ? null : efficiencyOf(chargeWh, dischargeWh, stored),
    rawRatio: rounded(dischargeWh / chargeWh, 4),
    cyclesEquivalent: rounded(cycles, 3),
    coverage: rounded(1 - side.unknownMs / (t - side.from), 4),
  });
  changeSide(asset, { efficiency: beginAt(asset, level, t) });
}

/** What is in the battery at the end and was not at the start came from the charge, and the other way round. */
function efficiencyOf(chargeWh: number, dischargeWh: number, storedWh: number): number {
  return rounded((dischargeWh + Math.max(0, storedWh)) / (chargeWh + Math.max(0, -storedWh)), 4);
}

/** By the energy left; else by the state of charge, times the full energy or what a unit of charge moved in the window. */
function storedChange(side: EfficiencySide, level: ChargeLevel, whPerSoc: number): number | null {
  if (side.remainingWh !== null && !Number.isNaN(level.remainingWh)) return level.remainingWh - side.remainingWh;
  if (side.soc === null || Number.isNaN(level.soc)) return null;
  return (level.soc - side.soc) * (Number.isNaN(level.fullWh) ? whPerSoc : level.fullWh);
}

function beginAt(asset: DeviceAsset, level: ChargeLevel, from: number): EfficiencySide {
  return {
    from,
    inWh: asset.totalInWh,
    outWh: asset.totalOutWh,
    remainingWh: Number.isNaN(level.remainingWh) ? null : level.remainingWh,
    soc: Number.isNaN(level.soc) ? null : level.soc,
    socMoved: level.socMoved,
    unknownMs: 0,
  };
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits + 0;
}
