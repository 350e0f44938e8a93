import { GridfoldError } from '../runtime/kernel/errors.ts';

export type ColumnType = 'f64' | 'u32' | 'u8';

/**
 * One column of an asset's state. A column costs memory only in blocks where some asset differs from its default.
 *
 * `scope` says who owns it: `fold` columns are what a re-fold starts from and computes again;
 * `engine` columns (revision, counters, arrival times) only ever move forward.
 */
export interface ColumnSpec {
  readonly type: ColumnType;
  readonly doc: string;
  readonly unit?: string;
  /** Value of an asset that never wrote the column; 0 unless given, NaN allowed for f64. */
  readonly default?: number;
  /** Value that every asset gets when a block of another version of the state is read: that version's window is cut off. */
  readonly upgraded?: number;
  readonly scope?: 'fold' | 'engine';
}

export type Columns = Readonly<Record<string, ColumnSpec>>;

const BYTES: Record<ColumnType, number> = { f64: 8, u32: 4, u8: 1 };

/** The state declaration of one kind: from it come the columns in memory, the snapshot codec and the docs. */
export interface StateSchema<C extends Columns = Columns> {
  readonly name: string;
  readonly version: number;
  readonly columns: C;
  readonly names: readonly string[];
  readonly types: readonly ColumnType[];
  readonly widths: Uint8Array;
  readonly defaults: Float64Array;
  /** 1 for fold columns, 0 for engine columns. */
  readonly isFold: Uint8Array;
  index(name: string): number;
}

export function defineState<C extends Columns>(name: string, version: number, columns: C): StateSchema<C> {
  const names = Object.keys(columns) as (keyof C & string)[];
  if (names.length > 255) throw new GridfoldError('state_too_wide', 'stop', `state ${name} declares over 255 columns`);
  const types = names.map((n) => columns[n].type);
  const position = new Map(names.map((n, i) => [n as string, i]));
  return {
    name,
    version,
    columns,
    names,
    types,
    widths: Uint8Array.from(types, (t) => BYTES[t]),
    defaults: Float64Array.from(names, (n) => columns[n].default ?? 0),
    isFold: Uint8Array.from(names, (n) => (columns[n].scope === 'engine' ? 0 : 1)),
    index(column) {
      const i = position.get(column);
      if (i === undefined) throw new GridfoldError('state_no_column', 'stop', `state ${name} has no column ${column}`);
      return i;
    },
  };
}
