import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { dayStart, dayText, monthOf, monthStart } from './calendar.ts';
import type { DeviceAsset } from './columns.ts';
import { capacityEstimate } from './facts.ts';
import type { CapacitySide } from './capacity-record.ts';
import { changeSide, readSide } from './side.ts';
import { medianOf, withValue } from './sketch.ts';
import { localDay } from './zone.ts';

const HOUR_MS = 3_600_000;
/** So many closed months are kept: what fades is judged by the last two years. */
const MAX_MONTHS = 24;
/** A trend over less is weather. */
const SHORTEST_TREND_MONTHS = 6;

/** What a battery tells of what it holds: energy when full, Wh, or the share of what it held when new. */
export type CapacityMeasure = 'energyFullWh' | 'soh';

/**
 * Takes what a battery at rest tells of its capacity, once an hour: a management's estimate goes up and down, more so
 * under load. Call it for a reading that tells it, after the fields are applied.
 */
export function foldCapacity(
  asset: DeviceAsset,
  measure: CapacityMeasure,
  value: number,
  t: number,
  config: AssetConfig,
  out: Facts,
): void {
  const hour = Math.floor(t / HOUR_MS);
  if (hour === asset.capacityHour || !(value > 0)) return;
  asset.capacityHour = hour;
  const month = monthOf(localDay(config.timeZone, t));
  let known = readSide(asset).capacity;
  if (known !== undefined && known.month !== month) {
    sayMonth(asset.serial, measure, known, config.timeZone, out);
    known = ended(known);
  }
  const { sketch = [], samples = 0, past = [], best = 0 } = known ?? {};
  const movedWh = asset.totalInWh + asset.totalOutWh;
  const capacity = { month, sketch: withValue(sketch, value), samples: samples + 1, movedWh, past, best };
  changeSide(asset, { capacity });
}

/** The month is over: what the next one begins with. */
function ended(side: CapacitySide): CapacitySide {
  const past = [...side.past, [side.month, medianOf(side.sketch)] as const].slice(-MAX_MONTHS);
  return { ...side, sketch: [], samples: 0, past, best: bestOf(side) };
}

/** Highest median of three months, this one included; while there are no three, the highest month. */
function bestOf({ past, sketch, best }: CapacitySide): number {
  const three = [...past.slice(-2).map((p) => p[1]), medianOf(sketch)];
  if (past.length < 2) return Math.max(...three);
  // What a single month said before there were three was the best that was known, and is so no longer.
  return past.length === 2 ? middle(three) : Math.max(best, middle(three));
}

/** States the month in progress. */
export function openCapacity(asset: DeviceAsset, measure: CapacityMeasure, config: AssetConfig, out: Facts): void {
  if (asset.capacityHour === 0) return;
  const { capacity } = readSide(asset);
  if (capacity !== undefined) sayMonth(asset.serial, measure, capacity, config.timeZone, out);
}

function sayMonth(serial: string, measure: CapacityMeasure, side: CapacitySide, zone: string, out: Facts): void {
  const first = monthStart(side.month);
  const startTime = dayStart(zone, first);
  const median = medianOf(side.sketch);
  const best = bestOf(side);
  const isEnergy = measure === 'energyFullWh';
  out.emit(capacityEstimate, `${serial}/${dayText(first).slice(0, 7)}`, startTime, {
    startTime,
    capacityWh: isEnergy ? rounded(median, 1) : null,
    samples: side.samples,
    soh: rounded(isEnergy ? median / best : median, 4),
    fadePerYear: fadeOf([...side.past, [side.month, median]], isEnergy ? best : 1),
    cyclesEquivalent: isEnergy ? rounded(side.movedWh / 2 / best, 2) : null,
  });
}

/** Loss per year as a share of `whole`, + is loss: the median of the slopes of all pairs of months (Theil-Sen). */
function fadeOf(months: readonly (readonly [month: number, median: number])[], whole: number): number | null {
  if (months[months.length - 1][0] - months[0][0] < SHORTEST_TREND_MONTHS) return null;
  const slopes = months.flatMap(([m, v], i) => months.slice(i + 1).map(([n, w]) => (w - v) / (n - m)));
  return rounded((-12 * middle(slopes)) / whole, 4);
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits + 0;
}
