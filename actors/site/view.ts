import type { KindView } from '../../runtime/shard/contract.ts';

/** A place has no state machine of its own; what it knows is in its summary. */
export function placeView(): KindView {
  return { status: 'KNOWN', regions: {}, derates: [], extra: {}, energy: { inWh: 0, outWh: 0 } };
}
