import { GridfoldError } from '../../../runtime/kernel/errors.ts';
import type { DerivedColumnType, DerivedType } from '../../../runtime/shard/derived.ts';

/** The schema that the tables of the live fold stand in. */
export const liveSchema = 'main';

/**
 * One column of a table. `data` is the data field it holds, `fixed` the field of the envelope; a shared column has
 * both, and then the data's value stands unless it is null.
 */
export interface PlannedColumn {
  readonly name: string;
  readonly sqlType: SqlType;
  readonly fixed: FixedColumn | null;
  readonly data: string | null;
  readonly type: DerivedColumnType;
}

export interface TablePlan {
  readonly type: DerivedType;
  readonly table: string;
  readonly columns: readonly PlannedColumn[];
}

export type SqlType = 'VARCHAR' | 'DOUBLE' | 'BIGINT' | 'BOOLEAN' | 'TIMESTAMP WITH TIME ZONE' | 'JSON';

export const sqlTypes: Readonly<Record<DerivedColumnType, SqlType>> = {
  text: 'VARCHAR',
  double: 'DOUBLE',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP WITH TIME ZONE',
  json: 'JSON',
};

/** The columns that every table begins with (contracts, "Derived event"). */
export const fixedColumns = {
  event_id: 'text',
  serial: 'text',
  kind: 'text',
  site_id: 'text',
  event_time: 'time',
  record_time: 'time',
  key: 'text',
  version: 'integer',
  op: 'text',
  topic: 'text',
  partition: 'integer',
  offset: 'integer',
  ordinal: 'integer',
  machine: 'text',
} as const satisfies Readonly<Record<string, DerivedColumnType>>;

export type FixedColumn = keyof typeof fixedColumns;

/** Fixed columns that say the same thing as a data field of that name and type; the two are one column. */
const shareable: ReadonlySet<string> = new Set(['serial', 'kind', 'site_id', 'event_time', 'record_time']);

/**
 * The table of a type. A data field whose snake_case name equals a fixed column shares that column when it means the
 * same (serial, kind, site_id, event_time, record_time with an equal type); otherwise its column is `data_NAME`.
 */
export function planTable(type: DerivedType): TablePlan {
  const columns = new Map<string, PlannedColumn>();
  for (const [name, columnType] of Object.entries(fixedColumns)) {
    columns.set(name, {
      name,
      sqlType: sqlTypes[columnType],
      fixed: name as FixedColumn,
      data: null,
      type: columnType,
    });
  }
  for (const field of type.columns) {
    const plain = snakeCase(field.name);
    const standing = columns.get(plain);
    if (standing?.fixed && standing.data === null && shareable.has(plain) && standing.type === field.type) {
      columns.set(plain, { ...standing, data: field.name });
      continue;
    }
    const name = plain in fixedColumns ? `data_${plain}` : plain;
    if (columns.has(name)) {
      throw new GridfoldError('sink_schema_mismatch', 'stop', `type ${type.name} declares column ${name} twice`);
    }
    columns.set(name, { name, sqlType: sqlTypes[field.type], fixed: null, data: field.name, type: field.type });
  }
  return { type, table: type.table, columns: [...columns.values()] };
}

export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

/** An identifier as SQL wants it, whatever is in it. */
export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

export function createTable(plan: TablePlan): string {
  const columns = plan.columns.map((c) => `${quote(c.name)} ${c.sqlType}`);
  return `CREATE TABLE ${quote(plan.table)} (${columns.join(', ')})`;
}

/**
 * Statements that bring a standing table up to the plan: new columns are added, columns the plan no longer names stay
 * and are filled with NULL. Throws `sink_schema_mismatch` (stop) where a column has another type.
 */
export function migrateTable(plan: TablePlan, standing: ReadonlyMap<string, string>): string[] {
  const statements: string[] = [];
  for (const column of plan.columns) {
    const type = standing.get(column.name);
    if (type === column.sqlType) continue;
    if (type === undefined && column.fixed === null) {
      statements.push(`ALTER TABLE ${quote(plan.table)} ADD COLUMN ${quote(column.name)} ${column.sqlType}`);
      continue;
    }
    throw new GridfoldError(
      'sink_schema_mismatch',
      'stop',
      `table ${plan.table}, column ${column.name}: ${type ?? 'missing'} in the file, ${column.sqlType} wanted. ` +
        'Move the file away and let the sink write a new one, or use the release that made it.',
    );
  }
  return statements;
}
