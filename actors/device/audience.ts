import type { Occupancy } from '../../runtime/shard/contract.ts';
import type { Address } from '../../runtime/shard/derived.ts';
import type { Fact } from '../../runtime/shard/facts.ts';
import { slotOccupancy } from './facts.ts';

/** Names an actor of a cabinet: cabinets are numbered anew at each site. */
export function cabinetKey(siteId: string, cabinet: string): string {
  return `${siteId}/${cabinet}`;
}

/** What a cabinet shares out is power: energy and sessions are the site's. */
const FOR_CABINETS: ReadonlySet<string> = new Set(['member_state', 'state_interval', 'data_gap']);

/**
 * Who hears of a fact of a device: the sites, and the cabinets there, where it stood at any instant that the fact is
 * about. An occupancy is told to the place that it is about.
 */
export function audience(_asset: unknown, places: readonly Occupancy[], fact: Fact): readonly Address[] {
  if (fact.type === slotOccupancy) {
    const { siteId, cabinet } = fact.data as { siteId: string; cabinet: string | null };
    return addressesOf(siteId, cabinet ?? null, []);
  }
  const [from, to] = spanOf(fact);
  const found: Address[] = [];
  for (const place of places) {
    const touches = place.from <= to && (place.to === null || place.to > from);
    if (touches) addressesOf(place.siteId, FOR_CABINETS.has(fact.type.name) ? place.cabinet : null, found);
  }
  return found;
}

function addressesOf(siteId: string, cabinet: string | null, found: Address[]): Address[] {
  const add = (kind: string, key: string) => {
    if (!found.some((a) => a.kind === kind && a.key === key)) found.push({ kind, key });
  };
  add('site', siteId);
  if (cabinet !== null) add('cabinet', cabinetKey(siteId, cabinet));
  return found;
}

/** The time that a fact is about: an interval with its end, one of a given length, or an instant. */
function spanOf({ eventTime, data }: Fact): readonly [from: number, to: number] {
  if ('toTime' in data) return [eventTime, (data.toTime as number | null) ?? Number.POSITIVE_INFINITY];
  if ('endTime' in data) return [eventTime, (data.endTime as number | null) ?? Number.POSITIVE_INFINITY];
  if ('closedTime' in data) return [eventTime, (data.closedTime as number | null) ?? Number.POSITIVE_INFINITY];
  return [eventTime, typeof data.lengthS === 'number' ? eventTime + data.lengthS * 1000 : eventTime];
}
