import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { dayStart, dayText } from './calendar.ts';
import type { DeviceAsset } from './columns.ts';
import { QUARTER_MS } from './energy-rows.ts';
import { availabilityInterval } from './facts.ts';
import { HEALTH_FAULTED, HEALTH_PERMANENT } from './health.ts';
import { ONLINE } from './silence.ts';
import { localDay } from './zone.ts';

/** Days of one silence that get a row each; a longer one is a data gap and no more. */
const LONGEST_SILENCE_DAYS = 366;

/** What a time counts as (after IEC 61400-26: what nobody knows is kept apart). */
const AVAILABLE = 0;
const DOWN = 1;
const UNKNOWN = 2;
const NIGHT = 3;

/**
 * Whether the turn ended a local day, and for how much of the ended days nothing was known. Kept outside of the asset
 * and used again for every reading, as {@link turn} is.
 */
export const dayTurn = { ended: false, unknownMs: 0 };

/**
 * Counts the time from the reading before to this one by the state that stood then, and states the days that end in
 * it. Call it before anything else of the reading is folded. `silent`: the two lie further apart than readings may;
 * `nightStates`: states of operation, as bits, in which a sound unit rests because the sun does.
 *
 * A day is the asset's own; only its measured state counts. What people say of it (maintenance, in service) is joined
 * by those who ask.
 */
export function foldAvailability(
  asset: DeviceAsset,
  last: number,
  t: number,
  silent: boolean,
  nightStates: number,
  zone: string,
  out: Facts,
): void {
  dayTurn.ended = false;
  const share = silent ? UNKNOWN : shareOf(asset, nightStates);
  // Offsets are whole quarters of an hour: within one quarter it is the same day everywhere.
  const isSameQuarter = Math.floor(t / QUARTER_MS) === Math.floor(last / QUARTER_MS);
  if (!isSameQuarter && localDay(zone, t) !== localDay(zone, last)) endDays(asset, share, t, zone, out);
  else if (share !== AVAILABLE) add(asset, share, t - last);
}

function shareOf(asset: DeviceAsset, nightStates: number): number {
  if (asset.connectivity !== ONLINE || asset.voidSince !== 0) return UNKNOWN;
  const { health } = asset;
  if (health === HEALTH_FAULTED || health === HEALTH_PERMANENT) return DOWN;
  return nightStates !== 0 && ((nightStates >>> asset.operation) & 1) === 1 ? NIGHT : AVAILABLE;
}

function add(asset: DeviceAsset, share: number, ms: number): void {
  if (share === DOWN) asset.downMs += ms;
  else if (share === UNKNOWN) asset.unknownMs += ms;
  else if (share === NIGHT) asset.nightMs += ms;
}

function endDays(asset: DeviceAsset, share: number, t: number, zone: string, out: Facts): void {
  const newest = localDay(zone, t);
  dayTurn.ended = true;
  dayTurn.unknownMs = 0;
  let from = asset.lastDeviceTime;
  for (let day = localDay(zone, from); day <= newest; day++) {
    const end = day === newest ? t : dayStart(zone, day + 1);
    add(asset, share, end - from);
    from = end;
    if (day === newest) return;
    dayTurn.unknownMs += asset.unknownMs;
    sayDay(asset, day, end, zone, out);
    asset.downMs = asset.unknownMs = asset.nightMs = 0;
    if (newest - day > LONGEST_SILENCE_DAYS) {
      day = newest - 1;
      from = dayStart(zone, newest);
    }
  }
}

/** States the day in progress, as far as readings reach. */
export function openAvailability(asset: DeviceAsset, config: AssetConfig, out: Facts): void {
  const last = asset.lastDeviceTime;
  sayDay(asset, localDay(config.timeZone, last), last, config.timeZone, out);
}

function sayDay(asset: DeviceAsset, day: number, toTime: number, zone: string, out: Facts): void {
  const start = dayStart(zone, day);
  const fromTime = Math.max(start, asset.firstAt);
  if (toTime <= fromTime) return;
  const { downMs, unknownMs, nightMs } = asset;
  const date = dayText(day);
  out.emit(availabilityInterval, `${asset.serial}/${date}`, start, {
    day: date,
    fromTime,
    toTime,
    availableS: (toTime - fromTime - downMs - unknownMs - nightMs) / 1000,
    downS: downMs / 1000,
    unknownS: unknownMs / 1000,
    nightS: nightMs / 1000,
  });
}
