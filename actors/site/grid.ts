import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { siteGridEvent } from './facts.ts';
import { compare, memberOf } from './members.ts';
import type { Member, PlaceSide, Said, Stay } from './state.ts';

/**
 * Times that a home was away from the grid: those of its gateway, not of any of its units. The gateway is the unit that
 * tells meters of the home; among several, and where none does, the one in the first slot.
 */
export function siteGridEvents(side: PlaceSide, siteId: string): Said[] {
  const events: Said[] = [];
  for (const stay of side.stays) {
    const member = memberOf(side, stay.serial);
    if (stay.gone || member === null) continue;
    for (const island of member.intervals) {
      const begins = island.from >= stay.from && (stay.to === null || island.from < stay.to);
      if (island.type !== 'grid_event' || island.gone || !begins) continue;
      if (gatewayAt(side, island.from)?.serial !== member.serial) continue;
      const data = { gateway: member.serial, ...island.data, fromTime: island.from, toTime: island.to };
      const key = `${siteId}/${iso(island.from)}`;
      events.push({ type: siteGridEvent.name, key, eventTime: island.from, until: island.to, data });
    }
  }
  return events;
}

function gatewayAt(side: PlaceSide, at: number): Member | null {
  let best: { stay: Stay; member: Member } | null = null;
  for (const stay of side.stays) {
    if (stay.gone || stay.kind !== 'powerwall' || stay.from > at || (stay.to !== null && stay.to <= at)) continue;
    const member = memberOf(side, stay.serial);
    if (member === null) continue;
    if (best === null || before(stay, member, best)) best = { stay, member };
  }
  return best?.member ?? null;
}

function before(stay: Stay, member: Member, best: { stay: Stay; member: Member }): boolean {
  if (member.meters !== best.member.meters) return member.meters;
  return (compare(stay.slot, best.stay.slot) || compare(member.serial, best.member.serial)) < 0;
}
