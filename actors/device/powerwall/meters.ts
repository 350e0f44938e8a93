import type { Facts } from '../../../runtime/shard/derived.ts';
import type { FieldPlan } from '../../../runtime/shard/fields.ts';
import type { Reading } from '../../../runtime/shard/reading.ts';
import { QUARTER_MS } from '../energy-rows.ts';
import { iso, meterInterval } from '../facts.ts';
import type { PowerwallAsset } from './state.ts';

const HOUR_MS = 3_600_000;
const METERS = ['siteW', 'loadW', 'solarW'] as const;
const [SITE, LOAD, SOLAR] = [0, 1, 2];
/** Column `meters`: bit `i` says that the home has meter `i`, bit `i + 4` that a void reading ended what it last said. */
const ENDED = 4;

/** Where the meters of a home stand in its readings and columns. */
export interface MeterPlan {
  /** Fields of all meters. */
  readonly bits: number;
  readonly bit: Uint32Array;
  readonly value: Int16Array;
  readonly time: Int16Array;
}

export function planMeters(fields: FieldPlan): MeterPlan {
  const bit = Uint32Array.from(METERS, (name) => fields.bit(name));
  const index = Array.from(bit, (b) => 31 - Math.clz32(b));
  return {
    bits: bit.reduce((all, b) => all | b, 0),
    bit,
    value: Int16Array.from(index, (i) => fields.valueColumn[i]),
    time: Int16Array.from(index, (i) => fields.timeColumn[i]),
  };
}

/** What each meter said last and until when that holds, in this turn; kept outside of the asset: a turn allocates nothing. */
const heldW = new Float64Array(METERS.length);
const heldTo = new Float64Array(METERS.length);
/** Until when all meters of the home are known in this turn, and until when any is. */
const known = { allTo: 0, anyTo: 0 };

/**
 * Adds what the meters of the home said last, until `limit` ms after, and states the 15-minute rows that are complete.
 * Call it before the reading's fields are applied, for a home that has meters or a reading that tells one.
 */
export function foldMeters(
  asset: PowerwallAsset,
  reading: Reading,
  plan: MeterPlan,
  limit: number,
  voided: boolean,
  out: Facts,
): void {
  const t = reading.deviceTime;
  const before = asset.meters;
  if (before !== 0 && t > asset.lastDeviceTime) spread(asset, t, plan, limit, out);
  const valid = reading.present & ~reading.invalid;
  let meters = voided ? before | ((before & 15) << ENDED) : before;
  if (!voided && (valid & plan.bits) !== 0) {
    for (let i = 0; i < METERS.length; i++) {
      if ((valid & plan.bit[i]) !== 0) meters = (meters | (1 << i)) & ~(1 << (i + ENDED));
    }
  }
  if (meters !== before) asset.meters = meters;
}

function spread(asset: PowerwallAsset, t: number, plan: MeterPlan, limit: number, out: Facts): void {
  const last = asset.lastDeviceTime;
  hold(asset, t, plan, limit);
  const newest = Math.floor(t / QUARTER_MS);
  const end = Math.min(newest, Math.floor(known.anyTo / QUARTER_MS));
  for (let q = Math.floor(last / QUARTER_MS); q <= end; q++) {
    const from = Math.max(last, q * QUARTER_MS);
    const to = Math.min(t, (q + 1) * QUARTER_MS);
    const siteWh = heldIn(SITE, from, to);
    const loadWh = heldIn(LOAD, from, to);
    const solarWh = heldIn(SOLAR, from, to);
    if (siteWh > 0) asset.meterImportWh += siteWh;
    else if (siteWh < 0) asset.meterExportWh -= siteWh;
    if (loadWh !== 0) asset.meterLoadWh += loadWh;
    if (solarWh !== 0) asset.meterSolarWh += solarWh;
    if (known.allTo > from) asset.meterCoveredMs += Math.min(to, known.allTo) - from;
    if (q < newest) closeRow(asset, q, out);
  }
}

function hold(asset: PowerwallAsset, t: number, plan: MeterPlan, limit: number): void {
  const last = asset.lastDeviceTime;
  const { fresh, invalidFields, meters } = asset;
  known.allTo = t;
  known.anyTo = last;
  for (let i = 0; i < METERS.length; i++) {
    heldW[i] = 0;
    heldTo[i] = last;
    if ((meters & (1 << i)) === 0) continue;
    if ((meters & (1 << (i + ENDED))) === 0 && (invalidFields & plan.bit[i]) === 0) {
      const said = (fresh & plan.bit[i]) !== 0 ? last : asset.getAt(plan.time[i]);
      heldW[i] = asset.getAt(plan.value[i]);
      heldTo[i] = Math.max(last, Math.min(t, said + limit));
    }
    known.allTo = Math.min(known.allTo, heldTo[i]);
    known.anyTo = Math.max(known.anyTo, heldTo[i]);
  }
}

function heldIn(meter: number, from: number, to: number): number {
  return heldTo[meter] > from ? (heldW[meter] * (Math.min(to, heldTo[meter]) - from)) / HOUR_MS : 0;
}

function closeRow(asset: PowerwallAsset, quarter: number, out: Facts): void {
  sayRow(asset, quarter, out);
  asset.meterLoadWh = asset.meterSolarWh = asset.meterImportWh = asset.meterExportWh = asset.meterCoveredMs = 0;
}

/** States the row in progress. */
export function openMeters(asset: PowerwallAsset, out: Facts): void {
  if (asset.meters !== 0) sayRow(asset, Math.floor(asset.lastDeviceTime / QUARTER_MS), out);
}

function sayRow(asset: PowerwallAsset, quarter: number, out: Facts): void {
  const { meters, meterLoadWh, meterSolarWh, meterImportWh, meterExportWh, meterCoveredMs } = asset;
  const isEmpty = meterLoadWh === 0 && meterSolarWh === 0 && meterImportWh === 0 && meterExportWh === 0;
  if (isEmpty && meterCoveredMs === 0) return;
  const startTime = quarter * QUARTER_MS;
  out.emit(meterInterval, `${asset.serial}/${iso(startTime)}/900`, startTime, {
    startTime,
    lengthS: 900,
    loadWh: told(meterLoadWh, meters, LOAD),
    solarWh: told(meterSolarWh, meters, SOLAR),
    importWh: told(meterImportWh, meters, SITE),
    exportWh: told(meterExportWh, meters, SITE),
    coverage: meterCoveredMs / QUARTER_MS,
  });
}

/** Null where the home has no such meter; a millionth of a Wh is the last digit. */
function told(wh: number, meters: number, meter: number): number | null {
  return (meters & (1 << meter)) === 0 ? null : Math.round(wh * 1e6) / 1e6;
}
