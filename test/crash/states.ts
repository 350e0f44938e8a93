import type { ActorType } from '../../runtime/shard/contract.ts';
import type { PartitionState } from '../../snapshots/contract.ts';
import { openPartitionState } from '../../snapshots/open.ts';

/** Opens the state of a partition as the subjects of the fault tests configure it; `dir` is made when it is missing. */
export function openState(dir: string, type: ActorType): Promise<PartitionState> {
  return openPartitionState({
    dir,
    schemas: type.kinds.map((k) => k.state),
    blocksPerKind: 16,
    windowBytesPerBlock: 4 << 20,
    message: () => {},
  });
}

/** Columns that say where a record is stored, not what it says. */
const STORAGE = new Set(['sideSnapshot', 'lifeSnapshot']);

/** Every column, side record and lifecycle list of every asset; returns how many assets there are. */
export function compareStates(oracle: PartitionState, state: PartitionState, differ: (text: string) => void): number {
  let assets = 0;
  const ids = new Set([...oracle.blockIds(), ...state.blockIds()]);
  for (const id of ids) {
    const [a, b] = [oracle.block(id), state.block(id)];
    if (a === null || b === null || a.count !== b.count) {
      differ(`block ${id}: ${a?.count ?? 0} assets expected, ${b?.count ?? 0} found`);
      continue;
    }
    assets += a.count;
    for (let slot = 0; slot < a.count; slot++) {
      const serial = a.serial(slot);
      if (b.serial(slot) !== serial) differ(`block ${id} slot ${slot}: ${serial} expected, ${b.serial(slot)} found`);
      a.schema.names.forEach((name, c) => {
        if (STORAGE.has(name) || Object.is(a.get(c, slot), b.get(c, slot))) return;
        differ(`${serial}.${name}: ${a.get(c, slot)} expected, ${b.get(c, slot)} found`);
      });
      for (const read of ['read', 'readLife'] as const) {
        const [x, y] = [oracle[read](a, slot), state[read](b, slot)].map((v) => JSON.stringify(v));
        if (x !== y) differ(`${serial} ${read}: ${x} expected, ${y} found`);
      }
    }
  }
  return assets;
}
