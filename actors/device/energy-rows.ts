import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { type EnergyPlan, turn } from './energy-turn.ts';
import { energyInterval, iso } from './facts.ts';
import { changeSide, type PendingRow, readSide } from './side.ts';

export const QUARTER_MS = 900_000;
/** A counter silent for longer says nothing about when its energy flowed. */
export const LONGEST_SPREAD_MS = 7 * 86_400_000;

/** Adds `wh`, that flowed evenly between two instants before this turn, to the rows that wait and to the one in progress. */
export function addToPast(asset: DeviceAsset, wh: number, from: number, to: number, isOut: boolean): void {
  const open = Math.floor(to / QUARTER_MS);
  const rows = new Map(readSide(asset).rows.map((row) => [row.quarter, row]));
  for (let q = Math.floor(from / QUARTER_MS); q <= open; q++) {
    const part = (wh * overlap(q * QUARTER_MS, (q + 1) * QUARTER_MS, from, to)) / (to - from);
    if (q === open) {
      if (isOut) asset.intervalOutWh += part;
      else asset.intervalInWh += part;
    } else {
      const row = rows.get(q) ?? { quarter: q, inWh: 0, outWh: 0, coveredMs: 0 };
      rows.set(q, isOut ? { ...row, outWh: row.outWh + part } : { ...row, inWh: row.inWh + part });
    }
  }
  if (isOut) asset.totalOutWh += wh;
  else asset.totalInWh += wh;
  if (rows.size === 0) return;
  asset.pendingRows = 1;
  changeSide(asset, { rows: [...rows.values()].sort((a, b) => a.quarter - b.quarter) });
}

/** The row of a quarter of an hour is complete, or waits for a counter that has not spoken since. */
export function closeRow(asset: DeviceAsset, quarter: number, counted: boolean, out: Facts): void {
  const { intervalInWh: inWh, intervalOutWh: outWh, coveredMs } = asset;
  asset.intervalInWh = asset.intervalOutWh = asset.coveredMs = 0;
  if (inWh === 0 && outWh === 0 && coveredMs === 0) return;
  if (turn.settledTo >= (quarter + 1) * QUARTER_MS) {
    sayRow(asset.serial, quarter, inWh, outWh, coveredMs, counted, out);
    return;
  }
  asset.pendingRows = 1;
  const rows = readSide(asset).rows.filter((row) => row.quarter !== quarter);
  rows.push({ quarter, inWh, outWh, coveredMs });
  changeSide(asset, { rows });
}

/** States the waiting rows that no counter can add to any more. */
export function settleRows(asset: DeviceAsset, settledTo: number, out: Facts): void {
  const t = Math.max(settledTo, asset.lastDeviceTime - LONGEST_SPREAD_MS);
  const { rows } = readSide(asset);
  const left: PendingRow[] = [];
  for (const row of rows) {
    if ((row.quarter + 1) * QUARTER_MS > t) left.push(row);
    else sayRow(asset.serial, row.quarter, row.inWh, row.outWh, row.coveredMs, true, out);
  }
  if (left.length === rows.length) return;
  changeSide(asset, { rows: left });
  if (left.length === 0) asset.pendingRows = 0;
}

/** States the rows that are not complete: those that wait for a counter, and the one in progress. */
export function openRows(asset: DeviceAsset, plan: EnergyPlan, out: Facts): void {
  const { serial, intervalInWh, intervalOutWh, coveredMs } = asset;
  if (asset.pendingRows !== 0) {
    for (const row of readSide(asset).rows) {
      sayRow(serial, row.quarter, row.inWh, row.outWh, row.coveredMs, true, out);
    }
  }
  if (intervalInWh === 0 && intervalOutWh === 0 && coveredMs === 0) return;
  const counted =
    !Number.isNaN(asset.energyOutWh) ||
    !Number.isNaN(asset.energyInWh) ||
    (plan.dayBit !== 0 && !Number.isNaN(asset.getAt(plan.dayColumn)));
  const quarter = Math.floor(asset.lastDeviceTime / QUARTER_MS);
  sayRow(serial, quarter, intervalInWh, intervalOutWh, coveredMs, counted, out);
}

export function sayRow(
  serial: string,
  quarter: number,
  inWh: number,
  outWh: number,
  coveredMs: number,
  counted: boolean,
  out: Facts,
): void {
  const startTime = quarter * QUARTER_MS;
  out.emit(energyInterval, `${serial}/${iso(startTime)}/900`, startTime, {
    startTime,
    lengthS: 900,
    inWh: clean(inWh),
    outWh: clean(outWh),
    method: counted ? 'counter' : 'power',
    coverage: coveredMs / QUARTER_MS,
  });
}

/** Without the noise of binary fractions: a millionth of a Wh is the last digit. */
function clean(wh: number): number {
  return Math.round(wh * 1e6) / 1e6;
}

function overlap(aFrom: number, aTo: number, bFrom: number, bTo: number): number {
  return Math.max(0, Math.min(aTo, bTo) - Math.max(aFrom, bFrom));
}
