import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import type { Kind } from '../../runtime/shard/contract.ts';
import type { DerivedData, Facts } from '../../runtime/shard/derived.ts';
import type { Change } from './apply.ts';
import { regionalGridEvent, regionRollup } from './facts.ts';
import { fieldPlace } from './fields.ts';
import { compare, heldAt, newest } from './members.ts';
import { foldPlace, openPlace, type PlacePlan, type Touched } from './place.ts';
import { regionName } from './region-key.ts';
import { minuteOf } from './rollup.ts';
import type { Table } from './rows.ts';
import { sayOnly } from './said.ts';
import { type Draft, type Interval, MINUTE_MS, type PlaceSide, readPlace, regionState, type Said } from './state.ts';
import { GRID_EVENTS_KEPT_MS } from './sweep.ts';
import { placeView } from './view.ts';

/** Sites that lose the grid within this time of each other lose it together. */
const TOGETHER_MS = 60_000;
/** An event is left as it was said this long before the islands of its first sites are forgotten. */
const SETTLED_MS = 3_600_000;

const SUMMED = [
  'powerW',
  'batteryW',
  'solarW',
  'chargingW',
  'loadW',
  'gridW',
  'setpointW',
  'availableChargeW',
  'availableDischargeW',
  'energyRemainingWh',
  'capacityWh',
] as const;

const rollup: Table = {
  type: regionRollup,
  lengthMs: MINUTE_MS,
  exists: (side, minute) => side.members.some((site) => heldAt(site.minutes, minute) !== null),
  data: regionAt,
  name: (minute) => ({ minute }),
  key: (serial, start) => `${regionName(serial)}/${iso(start)}`,
};

const plan: PlacePlan = { rollup, energy: null, derive };

/** The newest row of a site at the end of a minute. */
interface SiteRow {
  readonly rows: readonly number[];
  readonly at: number;
}

/** Sums over the newest rows of the sites; a site without members adds nothing. */
export function regionAt(side: PlaceSide, minute: number): DerivedData {
  const sites = side.members.map((site) => newest(site, minute)).filter((row) => row !== null);
  const withMembers = sites.filter((row) => told(row, 'membersExpected') > 0);
  const totals = Object.fromEntries(SUMMED.map((name) => [name, sum(withMembers, name)]));
  return {
    minute: minute * MINUTE_MS,
    sites: withMembers.length,
    sitesUnknown: withMembers.filter((row) => told(row, 'membersFresh') === 0).length,
    membersExpected: sum(withMembers, 'membersExpected') ?? 0,
    membersFresh: sum(withMembers, 'membersFresh') ?? 0,
    oldestAgeMs: oldestAge(withMembers, minute),
    ...totals,
    powerMinW: bound(withMembers, 'powerMinW'),
    powerMaxW: bound(withMembers, 'powerMaxW'),
    soc: socOf(withMembers),
    faultsOpen: sum(withMembers, 'faultsOpen') ?? 0,
  };
}

function told({ rows, at }: SiteRow, name: string): number {
  return rows[at + fieldPlace('site', name)];
}

function sum(sites: readonly SiteRow[], name: string): number | null {
  let total: number | null = null;
  for (const row of sites) {
    const value = told(row, name);
    if (!Number.isNaN(value)) total = (total ?? 0) + value;
  }
  return total;
}

/** One site without a bound leaves the region without one. */
function bound(sites: readonly SiteRow[], name: string): number | null {
  const total = sites.reduce((all, row) => all + told(row, name), 0);
  return Number.isNaN(total) ? null : total;
}

/** A row of a site goes on ageing until the next one. */
function oldestAge(sites: readonly SiteRow[], minute: number): number | null {
  const ages = sites.map((row) => told(row, 'oldestAgeMs') + (minute - row.rows[row.at]) * MINUTE_MS);
  const known = ages.filter((age) => !Number.isNaN(age));
  return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b));
}

function socOf(sites: readonly SiteRow[]): number | null {
  let weighted = 0;
  let weight = 0;
  for (const row of sites) {
    const capacity = told(row, 'capacityWh');
    const soc = told(row, 'soc');
    if (Number.isNaN(soc) || !(capacity > 0)) continue;
    weighted += soc * capacity;
    weight += capacity;
  }
  return weight === 0 ? null : weighted / weight;
}

function derive(
  draft: Draft,
  changes: readonly Change[],
  _touched: Touched,
  _clock: number,
  serial: string,
  out: Facts,
): void {
  if (!changes.some(({ what }) => what === 'interval')) return;
  sayOnly(draft, [regionalGridEvent.name], gridEvents(draft, serial), out);
}

interface Loss {
  readonly siteId: string;
  readonly island: Interval;
}

/** Losses of the grid in groups: each within 60 s of the one before. */
export function gridEvents(side: PlaceSide, serial: string): Said[] {
  const losses: Loss[] = side.members.flatMap((site) =>
    site.intervals
      .filter((i) => i.type === 'site_grid_event' && !i.gone && i.data?.intentional !== true)
      .map((island) => ({ siteId: site.serial, island })),
  );
  losses.sort((a, b) => a.island.from - b.island.from || compare(a.siteId, b.siteId));
  const events: Said[] = [];
  for (let i = 0; i < losses.length; ) {
    const group = [losses[i++]];
    while (i < losses.length && losses[i].island.from - group[group.length - 1].island.from <= TOGETHER_MS)
      group.push(losses[i++]);
    events.push(eventOf(regionName(serial), group));
  }
  return events;
}

function eventOf(region: string, group: readonly Loss[]): Said {
  const fromTime = group[0].island.from;
  const ends = group.map(({ island }) => island.to);
  const toTime = ends.includes(null) ? null : Math.max(...(ends as number[]));
  const sites = [...new Set(group.map(({ siteId }) => siteId))];
  const siteCount = sites.length;
  return {
    type: regionalGridEvent.name,
    key: `${region}/${iso(fromTime)}`,
    eventTime: fromTime,
    until: fromTime + GRID_EVENTS_KEPT_MS - SETTLED_MS,
    data: { region, fromTime, toTime, sites, siteCount, class: siteCount > 1 ? 'regional' : 'local' },
  };
}

/** An area of many sites, for those who run the grid there. */
export const region: Kind = {
  name: 'region',
  machine: 'region@1',
  fields: [],
  state: regionState as unknown as Kind['state'],
  defaults: { cadenceMs: MINUTE_MS, timeZone: 'UTC' },
  lifecycleStates: [],
  fold: (asset, reading, _config, out) => foldPlace(asset, reading, plan, out),
  silenceLimits: () => [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  elapse() {},
  open: (asset, _config, out) => openPlace(asset, plan, out),
  foldLifecycle() {
    throw new RangeError('a region has no lifecycle of its own');
  },
  place: () => ({ siteId: null, slot: null }),
  summary: (asset) => regionSummary(asset.serial, readPlace(asset)),
  view: placeView,
};

function regionSummary(serial: string, side: PlaceSide): object {
  const minute = minuteOf(side.clock);
  const open = side.said.filter(({ data }) => data.toTime === null);
  return {
    region: regionName(serial),
    asOf: side.clock === 0 ? null : iso(side.clock),
    totals: { ...regionAt(side, minute), minute: iso(minute * MINUTE_MS) },
    gridEvents: open.map(({ data }) => ({ ...data, fromTime: iso(data.fromTime as number) })),
    sites: side.members.map((site) => site.serial),
  };
}
