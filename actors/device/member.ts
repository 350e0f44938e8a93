import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { DerivedType, Facts } from '../../runtime/shard/derived.ts';
import type { FieldPlan } from '../../runtime/shard/fields.ts';
import type { DeviceAsset } from './columns.ts';
import { iso } from './facts.ts';
import { staleAfter } from './silence.ts';

const MINUTE_MS = 60_000;

/** What an asset adds to the actors that sum over it: its newest values as of each minute in which it spoke. */
export const memberState: DerivedType = {
  name: 'member_state',
  table: 'member_states',
  doc: 'Newest values of an asset at the end of a minute in which it spoke; for the actors of its site.',
  key: 'serial, minute',
  forwarded: true,
  internal: true,
  columns: [
    { name: 'minute', type: 'time', doc: 'Start of the minute' },
    { name: 'at', type: 'time', doc: 'Device time of the newest reading in it' },
    {
      name: 'staleAfterMs',
      type: 'integer',
      doc: 'After this long without a reading the values are stale',
      unit: 'ms',
    },
    {
      name: 'values',
      type: 'json',
      doc: 'Value of each field that the kind adds; null where its newest report is invalid',
    },
  ],
};

/** Which fields of a kind its site sums or compares. */
export interface MemberPlan {
  readonly names: readonly string[];
  readonly columns: Int16Array;
  readonly bits: Uint32Array;
}

/** Throws for a name that is no sized field of the kind, so typos fail at start. */
export function planMember(fields: FieldPlan, names: readonly string[]): MemberPlan {
  const bits = Uint32Array.from(names, (name) => fields.bit(name));
  const columns = Int16Array.from(bits, (bit) => fields.valueColumn[31 - Math.clz32(bit)]);
  return { names, columns, bits };
}

/** After a reading that measured something was folded. A later one in the same minute says the fact anew. */
export function sayMember(asset: DeviceAsset, plan: MemberPlan, config: AssetConfig, out: Facts): void {
  const at = asset.lastDeviceTime;
  const minute = at - (at % MINUTE_MS);
  const values: Record<string, number | null> = {};
  for (let i = 0; i < plan.names.length; i++) {
    const value = asset.getAt(plan.columns[i]);
    if (Number.isNaN(value)) continue;
    values[plan.names[i]] = (asset.invalidFields & plan.bits[i]) === 0 ? value : null;
  }
  const data = { minute, at, staleAfterMs: staleAfter(config), values };
  out.emit(memberState, `${asset.serial}/${iso(minute)}`, minute, data);
}
