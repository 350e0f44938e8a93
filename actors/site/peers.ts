import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { localDay } from '../device/zone.ts';
import { underperformance } from './facts.ts';
import { holds, memberOf, touches } from './members.ts';
import { rowsBetween } from './series.ts';
import { type PlaceSide, QUARTER_MS, type Said, type Stay } from './state.ts';

const DAY_MS = 86_400_000;
/** No zone is further from UTC. */
const ZONE_MS = 14 * 3_600_000;
/** Yield below the median of the peers by more than this is too little. */
const MARGIN = 0.1;
/** A median says something of two peers or more. */
const FEWEST_PEERS = 2;
/** Members that are known for less of the day than this share of the best known one are not compared. */
const COVERED_SHARE = 0.8;

/** Energies of inverters are kept so long beyond the floor: the day in which it lies can be folded whole. */
export const PEER_DAYS_MS = DAY_MS + 6 * 3_600_000;

/** The time zone in which a plant counts its days: that of its inverter installed first. Null: no plant. */
export function zoneOf(side: PlaceSide): string | null {
  const first = side.stays.find((stay) => !stay.gone && stay.kind === 'inverter');
  return first === undefined ? null : (first.timeZone ?? 'UTC');
}

export interface Day {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** The day in which an instant lies. */
export function dayOf(zone: string, at: number): Day {
  const number = localDay(zone, at);
  let start = number * DAY_MS - ZONE_MS;
  while (localDay(zone, start) < number) start += QUARTER_MS;
  let end = start + DAY_MS - 4 * QUARTER_MS;
  while (localDay(zone, end) === number) end += QUARTER_MS;
  return { number, start, end };
}

interface Yield {
  readonly stay: Stay;
  readonly energyWh: number;
  readonly covered: number;
}

/** Inverters that yielded too little in a day that is over. */
export function underperformers(side: PlaceSide, siteId: string, day: Day): Said[] {
  const yields = yieldsOf(side, day);
  const best = yields.reduce((most, { covered }) => Math.max(most, covered), 0);
  const known = yields.filter(({ covered }) => covered > 0 && covered >= COVERED_SHARE * best);
  const rated = known.every(({ stay }) => (stay.ratedW ?? 0) > 0);
  const unit = ({ stay }: Yield) => (rated ? (stay.ratedW as number) : 1);
  const found: Said[] = [];
  for (const one of known) {
    const peers = known.filter((other) => other !== one).map((other) => other.energyWh / unit(other));
    if (peers.length < FEWEST_PEERS) continue;
    const median = medianOf(peers);
    const ratio = one.energyWh / unit(one) / median;
    if (median > 0 && ratio < 1 - MARGIN) found.push(fact(siteId, one, day, ratio, median * unit(one), peers.length));
  }
  return found;
}

function fact(siteId: string, one: Yield, day: Day, yieldRatio: number, expectedWh: number, peers: number): Said {
  const { stay, energyWh } = one;
  return {
    type: underperformance.name,
    key: `${siteId}/${stay.serial}/${iso(day.start)}`,
    eventTime: day.start,
    until: day.start + PEER_DAYS_MS,
    data: {
      memberSerial: stay.serial,
      slot: stay.slot,
      day: day.start,
      energyWh,
      yieldRatio,
      lostWh: expectedWh - energyWh,
      peers,
    },
  };
}

/** What each inverter that stood here in the day gave; one that was moved within the site counts once. */
function yieldsOf(side: PlaceSide, { start, end }: Day): Yield[] {
  const yields = new Map<string, Yield>();
  for (const stay of side.stays) {
    if (stay.kind !== 'inverter' || !touches(stay, start, end)) continue;
    const member = memberOf(side, stay.serial);
    if (member === null) continue;
    let energyWh = 0;
    let covered = 0;
    for (const { rows, at } of rowsBetween(member.energy, start / QUARTER_MS, end / QUARTER_MS - 1)) {
      if (!holds(rows, at) || !standsIn(side, stay.serial, rows[at])) continue;
      energyWh += rows[at + 3];
      covered += rows[at + 4];
    }
    yields.set(stay.serial, { stay, energyWh, covered });
  }
  return [...yields.values()];
}

function standsIn(side: PlaceSide, serial: string, quarter: number): boolean {
  const from = quarter * QUARTER_MS;
  return side.stays.some((stay) => stay.serial === serial && touches(stay, from, from + QUARTER_MS));
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
