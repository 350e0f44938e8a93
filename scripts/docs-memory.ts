import { kinds } from '../actors/device/index.ts';
import type { Kind } from '../runtime/shard/contract.ts';
import type { StateSchema } from '../snapshots/schema.ts';

/** Bytes of the column; 0 where there is none. */
function widthOf(state: StateSchema, name: string): number {
  const c = state.names.indexOf(name);
  return c < 0 ? 0 : state.widths[c];
}

function rowsOf({ name, fields, state }: Kind): string[] {
  const groups = new Map<string, string[]>();
  let inFields = 0;
  for (const field of fields) {
    const value = widthOf(state, field.name);
    const time = widthOf(state, `${field.name}At`);
    inFields += value + time;
    const cost = `${value === 0 ? 'side record' : value} | ${time}`;
    groups.set(cost, [...(groups.get(cost) ?? []), `\`${field.name}\``]);
  }
  const rest = state.widths.reduce((sum, width) => sum + width, 0) - inFields;
  const rows = [...groups].map(([cost, names]) => `| ${name} | ${names.join(' ')} | ${cost} |`);
  return [
    ...rows,
    `| ${name} | _all ${fields.length} fields_ | ${inFields} in all | |`,
    `| ${name} | _all else_ | ${rest} | |`,
  ];
}

/** What each field of each kind costs an asset, in bytes, as the kinds declare it. */
export function costOfFields(): string {
  const head = ['| kind | fields | value, each | time, each |', '|---|---|---|---|'];
  return [...head, ...kinds.flatMap(rowsOf)].join('\n');
}
