import { homeOf } from '../../runtime/system/assets.ts';
import { compileFilter } from '../query/filter.ts';
import { compileProjection } from './document.ts';
import type { Selection, Wanted } from './part.ts';
import type { SubFrame } from './protocol.ts';

/**
 * What a subscription wants: its selection compiled, and the partitions that its assets can be in. `named` are those that
 * another process has asked for. Throws `filter_syntax`, `filter_field`, `unknown_field`.
 */
export function wantedOf(
  frame: SubFrame,
  { partitions, maxKeys, named }: { partitions: number; maxKeys: number; named?: readonly number[] },
): Wanted {
  const selection = selectionOf(frame, partitions);
  const homes =
    'filter' in selection ? Array.from({ length: partitions }, (_, p) => p) : selection.idsByPartition.keys();
  return {
    id: frame.id,
    selection,
    projection: compileProjection(frame.fields),
    fields: frame.fields,
    limit: frame.limit ?? maxKeys,
    partitions: [...new Set(named ?? homes)].sort((a, b) => a - b),
  };
}

function selectionOf({ select }: SubFrame, partitions: number): Selection {
  if (select.ids === undefined) {
    const text = select.filter as string;
    return { filter: compileFilter(text), text };
  }
  return { idsByPartition: Map.groupBy(new Set(select.ids), (serial) => homeOf(serial, partitions).partition) };
}
