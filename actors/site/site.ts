import type { Kind, Occupancy } from '../../runtime/shard/contract.ts';
import type { Address, Facts } from '../../runtime/shard/derived.ts';
import type { Fact } from '../../runtime/shard/facts.ts';
import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { dataGap } from '../device/facts.ts';
import { localDay } from '../device/zone.ts';
import type { Change } from './apply.ts';
import { slotConflicts } from './conflicts.ts';
import { energyAt, hasEnergy } from './energy.ts';
import { siteEnergyInterval, siteGridEvent, siteRollup, slotConflict, underperformance } from './facts.ts';
import { gatewayGaps } from './gaps.ts';
import { siteGridEvents } from './grid.ts';
import { type Day, dayOf, PEER_DAYS_MS, underperformers, zoneOf } from './peers.ts';
import { foldPlace, openPlace, type PlacePlan, type Touched } from './place.ts';
import { regionKey } from './region-key.ts';
import { happened, rollupAt } from './rollup.ts';
import type { Table } from './rows.ts';
import { sayOnly } from './said.ts';
import { type Draft, MINUTE_MS, type PlaceAsset, type PlaceSide, QUARTER_MS, readPlace, siteState } from './state.ts';
import { siteSummary } from './summary.ts';
import { placeView } from './view.ts';

const rollup: Table = {
  type: siteRollup,
  lengthMs: MINUTE_MS,
  exists: happened,
  data: rollupAt,
  name: (minute) => ({ minute }),
  key: (serial, start) => `${serial}/${iso(start)}`,
};

const LENGTH_S = QUARTER_MS / 1000;
const energy: Table = {
  type: siteEnergyInterval,
  lengthMs: QUARTER_MS,
  exists: hasEnergy,
  data: energyAt,
  name: (startTime) => ({ startTime, lengthS: LENGTH_S }),
  key: (serial, start) => `${serial}/${iso(start)}/${LENGTH_S}`,
};

const plan: PlacePlan = { rollup, energy, derive };

function derive(
  draft: Draft,
  changes: readonly Change[],
  _touched: Touched,
  clock: number,
  siteId: string,
  out: Facts,
): void {
  const about = (what: Change['what'], type?: string) =>
    changes.some((c) => c.what === what && (type === undefined || (c.what === 'interval' && c.interval.type === type)));
  const moved = about('stay');
  const first = about('first');
  if (moved) sayOnly(draft, [slotConflict.name], slotConflicts(draft, siteId), out);
  if (moved || first || about('interval', 'data_gap')) sayOnly(draft, [dataGap.name], gatewayGaps(draft, siteId), out);
  if (moved || first || about('interval', 'grid_event'))
    sayOnly(draft, [siteGridEvent.name], siteGridEvents(draft, siteId), out);
  const days = daysToCompare(draft, changes, clock);
  if (!moved && days.length === 0) return;
  // With the members the time zone may change, and with it all days.
  const starts = new Set(days.map(({ start }) => start));
  const wanted = days.flatMap((day) => underperformers(draft, siteId, day));
  sayOnly(draft, [underperformance.name], wanted, out, ({ eventTime }) => moved || starts.has(eventTime));
}

/** Days that are over and of which something changed, or that have just passed. */
function daysToCompare(draft: Draft, changes: readonly Change[], clock: number): Day[] {
  const zone = zoneOf(draft);
  if (zone === null) return [];
  const today = localDay(zone, draft.clock);
  const days = new Map<number, Day>();
  const add = (from: number, to: number) => {
    if (localDay(zone, from) === today) return;
    for (let day = dayOf(zone, from); day.start < to && day.number < today; day = dayOf(zone, day.end))
      days.set(day.number, day);
  };
  for (const change of changes) {
    if (change.what === 'energy') add(change.quarter * QUARTER_MS, change.quarter * QUARTER_MS + 1);
    if (change.what === 'stay') add(oldestEnergy(draft), draft.clock);
  }
  if (localDay(zone, clock) !== today) add(Math.max(clock, oldestEnergy(draft)), draft.clock);
  const kept = draft.floor * MINUTE_MS - PEER_DAYS_MS;
  return [...days.values()].filter(({ start }) => start >= kept);
}

function oldestEnergy({ members, clock }: PlaceSide): number {
  return members.reduce((at, { energy }) => Math.min(at, (energy.chunks[0]?.from ?? Infinity) * QUARTER_MS), clock);
}

/** The area of the site: what the last of the stays that names one says. */
function audience(asset: PlaceAsset, _places: readonly Occupancy[], fact: Fact): readonly Address[] {
  if (fact.type !== siteRollup && fact.type !== siteGridEvent) return [];
  const region = readPlace(asset).stays.findLast((stay) => !stay.gone && stay.region !== null)?.region ?? null;
  return region === null ? [] : [{ kind: 'region', key: regionKey(region) }];
}

/** A site: a home, a plant, a charging place. It knows its members by what they tell it. */
export const site: Kind = {
  name: 'site',
  machine: 'site@1',
  fields: [],
  state: siteState as unknown as Kind['state'],
  defaults: { cadenceMs: MINUTE_MS, timeZone: 'UTC' },
  lifecycleStates: [],
  fold: (asset, reading, _config, out) => foldPlace(asset, reading, plan, out),
  silenceLimits: () => [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  elapse() {},
  open: (asset, _config, out) => openPlace(asset, plan, out),
  foldLifecycle() {
    throw new RangeError('a site has no lifecycle of its own');
  },
  audience: (asset, places, fact) => audience(asset, places, fact),
  place: (asset) => ({ siteId: asset.serial, slot: null }),
  summary: (asset) => siteSummary(asset.serial, readPlace(asset)),
  view: placeView,
};
