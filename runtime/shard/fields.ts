import type { CursorBase } from '../../snapshots/cursor.ts';
import type { ColumnSpec, StateSchema } from '../../snapshots/schema.ts';
import type { AnyAsset } from './columns.ts';
import type { FieldSpec, Reading } from './reading.ts';

/** Value of an enum or boolean column that was never reported. */
export const UNKNOWN = 255;

/** State columns for the fields that have a fixed size: the newest valid value, and its own time where it has one. */
export function fieldColumns(fields: readonly FieldSpec[]): Record<string, ColumnSpec> {
  const columns: Record<string, ColumnSpec> = {};
  for (const f of fields) {
    if (f.type === 'number') columns[f.name] = { type: 'f64', default: Number.NaN, doc: f.doc, unit: f.unit };
    else if (f.type === 'enum' || f.type === 'bool') columns[f.name] = { type: 'u8', default: UNKNOWN, doc: f.doc };
    columns[`${f.name}At`] = {
      type: 'f64',
      unit: 'ms',
      doc: `Device time of the newest report of ${f.name}, where it is older than the newest reading`,
    };
  }
  return columns;
}

/** Where a kind's fields stand in its state. Made once per kind. */
export interface FieldPlan {
  readonly fields: readonly FieldSpec[];
  /** Column of field `i`, or -1 for texts and lists, which live in the side record. */
  readonly valueColumn: Int16Array;
  readonly timeColumn: Int16Array;
  /** Bit of the field named so; throws for a name that does not exist, so typos fail at start. */
  bit(name: string): number;
}

export function planFields(schema: StateSchema, fields: readonly FieldSpec[]): FieldPlan {
  const sized = (f: FieldSpec) => f.type === 'number' || f.type === 'enum' || f.type === 'bool';
  return {
    fields,
    valueColumn: Int16Array.from(fields, (f) => (sized(f) ? schema.index(f.name) : -1)),
    timeColumn: Int16Array.from(fields, (f) => schema.index(`${f.name}At`)),
    bit(name) {
      const i = fields.findIndex((f) => f.name === name);
      if (i < 0) throw new RangeError(`no field ${name}`);
      return 1 << i;
    },
  };
}

/**
 * Merges a sparse reading into the newest values: absent = unchanged, invalid = the old value stays and is marked.
 * Call it before `lastDeviceTime` moves: fields that fall silent keep the time of their last report.
 */
export function applyFields(asset: AnyAsset, reading: Reading, plan: FieldPlan): void {
  const { present, invalid, values } = reading;
  const fresh = asset.fresh;
  for (let lapsed = fresh & ~present; lapsed !== 0; lapsed &= lapsed - 1) {
    asset.setAt(plan.timeColumn[bitIndex(lapsed)], asset.lastDeviceTime);
  }
  for (let valid = present & ~invalid; valid !== 0; valid &= valid - 1) {
    const i = bitIndex(valid);
    const c = plan.valueColumn[i];
    if (c >= 0) asset.setAt(c, values[i]);
  }
  if (fresh !== present >>> 0) asset.fresh = present >>> 0;
  const marked = asset.invalidFields;
  if ((marked | invalid) !== 0) asset.invalidFields = ((marked & ~present) | invalid) >>> 0;
}

/** Device time of the newest report of field `i`; 0 = never reported. */
export function fieldTime(
  asset: CursorBase & Pick<AnyAsset, 'fresh' | 'lastDeviceTime'>,
  plan: FieldPlan,
  i: number,
): number {
  return (asset.fresh >>> i) & 1 ? asset.lastDeviceTime : asset.getAt(plan.timeColumn[i]);
}

function bitIndex(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}
