import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { firmwareUpdate, iso } from './facts.ts';
import { changeSide, type ExtraValue, readSide } from './side.ts';

/** So many texts, lists and unknown fields are kept per asset. */
const MAX_KEPT = 48;
const DOTTED = /^\d+(\.\d+)+/;

/** Keeps the newest texts, lists and unknown fields. A value that did not change costs a write only for an unknown field, whose time is kept here. */
export function keepExtras(
  asset: DeviceAsset,
  extra: readonly (readonly [string, unknown])[],
  t: number,
  timed: (name: string) => boolean,
): void {
  const before = readSide(asset).extra;
  let after: ExtraValue[] | null = null;
  for (const [name, value] of extra) {
    if (name === 'alerts') continue;
    const list: readonly ExtraValue[] = after ?? before;
    const i = list.findIndex((e) => e[0] === name);
    if (i < 0 && list.length >= MAX_KEPT) continue;
    if (i >= 0 && !timed(name) && same(list[i][1], value)) continue;
    after ??= [...before];
    if (i < 0) after.push([name, value, t]);
    else after[i] = [name, value, t];
  }
  if (after !== null) changeSide(asset, { extra: after.sort((a, b) => (a[0] < b[0] ? -1 : 1)) });
}

/**
 * The version that the asset tells; a change is stated, with or without the record of an update. `last` is the time of
 * the reading before: the update lies between the two, and so does the silence of its reboot.
 */
export function foldFirmware(
  asset: DeviceAsset,
  extra: readonly (readonly [string, unknown])[],
  last: number,
  t: number,
  out: Facts,
): void {
  for (const [name, value] of extra) if (name === 'firmware') foldVersion(asset, value as string, last, t, out);
}

function foldVersion(asset: DeviceAsset, version: string, last: number, t: number, out: Facts): void {
  const known = readSide(asset).extra.find((e) => e[0] === 'firmware');
  if (known === undefined || known[1] === version) return;
  const before = String(known[1]);
  out.emit(firmwareUpdate, `${asset.serial}/telemetry/${iso(t)}`, t, {
    fromVersion: before,
    toVersion: version,
    startedTime: last,
    completedTime: t,
    ok: true,
    rollback: compareVersions(version, before) < 0,
    source: 'telemetry',
  });
}

/**
 * Compares the dotted numbers with which version texts begin: 22.36.6 is above 22.26.4. Texts without an order are
 * equal, and so are those that differ in what follows (`2.0.0-rc1`).
 */
export function compareVersions(a: string, b: string): number {
  const left = a.match(DOTTED)?.[0].split('.');
  const right = b.match(DOTTED)?.[0].split('.');
  if (left === undefined || right === undefined) return 0;
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}
