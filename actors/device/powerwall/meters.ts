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
const ALL = 0b111;

/** Where the meters of a home stand in its readings. */
export interface MeterPlan {
  /** Fields of all meters. */
  readonly bits: number;
  readonly bit: Uint32Array;
  readonly time: Int16Array;
}

export function planMeters(fields: FieldPlan): MeterPlan {
  const bit = Uint32Array.from(METERS, (name) => fields.bit(name));
  return {
    bits: bit.reduce((all, b) => all | b, 0),
    bit,
    time: Int16Array.from(bit, (b) => fields.timeColumn[31 - Math.clz32(b)]),
  };
}

/** Until when each meter holds in this turn; kept outside of the asset: a turn allocates nothing. */
const heldTo = new Float64Array(METERS.length);

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
  if (before !== 0 && t > asset.lastDeviceTime) {
    if (before === ALL && areFresh(asset, plan)) holdAll(asset, t, limit, out);
    else holdEach(asset, t, plan, limit, out);
  }
  const valid = reading.present & ~reading.invalid;
  let meters = voided ? before | ((before & ALL) << ENDED) : before;
  if (!voided && (valid & plan.bits) !== 0) {
    if ((valid & plan.bits) === plan.bits) meters = ALL;
    else {
      for (let i = 0; i < METERS.length; i++) {
        if ((valid & plan.bit[i]) !== 0) meters = (meters | (1 << i)) & ~(1 << (i + ENDED));
      }
    }
  }
  if (meters !== before) asset.meters = meters;
}

/** Every meter was told by the newest reading, validly. */
function areFresh({ fresh, invalidFields }: PowerwallAsset, { bits }: MeterPlan): boolean {
  return (fresh & ~invalidFields & bits) === bits;
}

/** The usual case: all meters speak together, in every reading. */
function holdAll(asset: PowerwallAsset, t: number, limit: number, out: Facts): void {
  const last = asset.lastDeviceTime;
  const to = Math.min(t, last + limit);
  if (Math.floor(t / QUARTER_MS) === Math.floor(last / QUARTER_MS)) {
    const held = to - last;
    add(asset, held, held, held);
    asset.meterCoveredMs += held;
    return;
  }
  heldTo.fill(to);
  spread(asset, t, to, to, out);
}

/** Meters that speak apart, or fell silent: each holds for itself, and time is covered where all are known. */
function holdEach(asset: PowerwallAsset, t: number, plan: MeterPlan, limit: number, out: Facts): void {
  const last = asset.lastDeviceTime;
  const { fresh, invalidFields, meters } = asset;
  let allTo = t;
  let anyTo = last;
  for (let i = 0; i < METERS.length; i++) {
    heldTo[i] = last;
    if ((meters & (1 << i)) === 0) continue;
    if ((meters & (1 << (i + ENDED))) === 0 && (invalidFields & plan.bit[i]) === 0) {
      const said = (fresh & plan.bit[i]) !== 0 ? last : asset.getAt(plan.time[i]);
      heldTo[i] = Math.max(last, Math.min(t, said + limit));
    }
    allTo = Math.min(allTo, heldTo[i]);
    anyTo = Math.max(anyTo, heldTo[i]);
  }
  spread(asset, t, allTo, anyTo, out);
}

/** `allTo`, `anyTo`: until when all meters of the home are known in this turn, and until when any is. */
function spread(asset: PowerwallAsset, t: number, allTo: number, anyTo: number, out: Facts): void {
  const last = asset.lastDeviceTime;
  const newest = Math.floor(t / QUARTER_MS);
  const end = Math.min(newest, Math.floor(anyTo / QUARTER_MS));
  for (let q = Math.floor(last / QUARTER_MS); q <= end; q++) {
    const from = Math.max(last, q * QUARTER_MS);
    const to = Math.min(t, (q + 1) * QUARTER_MS);
    add(asset, heldIn(SITE, from, to), heldIn(LOAD, from, to), heldIn(SOLAR, from, to));
    if (allTo > from) asset.meterCoveredMs += Math.min(to, allTo) - from;
    if (q < newest) closeRow(asset, q, out);
  }
}

function heldIn(meter: number, from: number, to: number): number {
  return Math.max(0, Math.min(to, heldTo[meter]) - from);
}

/** Adds what the meters said last, each for so many ms. */
function add(asset: PowerwallAsset, siteMs: number, loadMs: number, solarMs: number): void {
  const { siteW, loadW, solarW } = asset;
  if (siteMs > 0 && siteW > 0) asset.meterImportWh += (siteW * siteMs) / HOUR_MS;
  else if (siteMs > 0 && siteW < 0) asset.meterExportWh -= (siteW * siteMs) / HOUR_MS;
  if (loadMs > 0) asset.meterLoadWh += (loadW * loadMs) / HOUR_MS;
  if (solarMs > 0) asset.meterSolarWh += (solarW * solarMs) / HOUR_MS;
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
