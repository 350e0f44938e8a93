import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { slotConflict } from './facts.ts';
import type { PlaceSide, Said } from './state.ts';

/** Times in which two assets claim one slot. They are kept for ever, like the stays that they come from. */
export function slotConflicts(side: PlaceSide, siteId: string): Said[] {
  const conflicts: Said[] = [];
  const stays = side.stays.filter((stay) => !stay.gone);
  for (const [i, claimant] of stays.entries()) {
    for (const holder of stays.slice(0, i)) {
      if (holder.slot !== claimant.slot || holder.serial === claimant.serial) continue;
      if (holder.to !== null && holder.to <= claimant.from) continue;
      const fromTime = claimant.from;
      const ends = [holder.to, claimant.to].filter((to) => to !== null);
      const toTime = ends.length === 0 ? null : Math.min(...ends);
      if (toTime !== null && toTime <= fromTime) continue;
      const key = `${siteId}/${claimant.slot}/${iso(fromTime)}/${holder.serial}/${claimant.serial}`;
      const data = { slot: claimant.slot, fromTime, toTime, holder: holder.serial, claimant: claimant.serial };
      conflicts.push({ type: slotConflict.name, key, eventTime: fromTime, until: null, data });
    }
  }
  return conflicts;
}
