import type { CursorBase } from '../../snapshots/cursor.ts';
import type { StateSchema } from '../../snapshots/schema.ts';
import type { Region } from '../../runtime/machine/region.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { iso, stateInterval, stateTransition } from './facts.ts';

/** A region and where a kind keeps its state. */
export class BoundRegion {
  readonly name: string;
  readonly table: Region['table'];
  readonly state: number;
  readonly since: number;
  readonly nth: number;

  constructor(schema: StateSchema, region: Region) {
    this.name = region.name;
    this.table = region.table;
    this.state = schema.index(region.name);
    this.since = schema.index(`${region.name}Since`);
    this.nth = schema.index(`${region.name}Nth`);
  }
}

type Asset = CursorBase & { firstAt: number };

/** When the region entered the state it is in. */
export function regionSince(asset: Asset, region: BoundRegion): number {
  return asset.getAt(region.since) || asset.firstAt;
}

/** Hands an event to a region; states the change, if it makes one. `at` never lies before the last change. */
export function step(asset: Asset, region: BoundRegion, event: number, at: number, cause: string, out: Facts): boolean {
  const from = asset.getAt(region.state);
  const to = region.table.next(from, event);
  if (to === from) return false;
  const since = regionSince(asset, region);
  const nth = since === at ? asset.getAt(region.nth) + 1 : 0;
  asset.setAt(region.state, to);
  asset.setAt(region.since, at);
  asset.setAt(region.nth, Math.min(nth, 255));
  const { states } = region.table;
  sayTransition(asset.serial, region.name, states[from], states[to], at, nth, cause, at - since, out);
  if (since < at) sayInterval(asset.serial, region.name, states[from], since, at, out);
  sayInterval(asset.serial, region.name, states[to], at, null, out);
  return true;
}

/** States the interval that the region is in. */
export function openInterval(asset: Asset, region: BoundRegion, out: Facts): void {
  const state = region.table.states[asset.getAt(region.state)];
  sayInterval(asset.serial, region.name, state, regionSince(asset, region), null, out);
}

export function sayTransition(
  serial: string,
  region: string,
  from: string,
  to: string,
  at: number,
  nth: number,
  cause: string,
  leftAfterMs: number | null,
  out: Facts,
): void {
  out.emit(stateTransition, `${serial}/${region}/${iso(at)}/${nth}`, at, { region, from, to, cause, leftAfterMs });
}

export function sayInterval(
  serial: string,
  region: string,
  state: string,
  fromTime: number,
  toTime: number | null,
  out: Facts,
): void {
  out.emit(stateInterval, `${serial}/${region}/${iso(fromTime)}`, fromTime, { region, state, fromTime, toTime });
}
