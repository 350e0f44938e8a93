import { quote, type TablePlan } from '../schema.ts';

export type MartType =
  | 'VARCHAR'
  | 'DOUBLE'
  | 'BIGINT'
  | 'BOOLEAN'
  | 'DATE'
  | 'INTERVAL'
  | 'TIMESTAMP WITH TIME ZONE'
  | 'JSON'
  | StateMap;
type StateMap = 'MAP(VARCHAR, DOUBLE)';

/** A column of a mart, as the dictionary tells it. */
export interface MartColumn {
  readonly name: string;
  readonly type: MartType;
  /** What it means. */
  readonly doc: string;
  readonly unit?: string;
  /** How it is made, where the meaning does not say so already. */
  readonly formula?: string;
}

/** Tables with the columns that are read of them. */
export type Needs = Readonly<Record<string, readonly string[]>>;

/**
 * A view (or, with parameters, a table macro) over the current facts, for people who count and who learn. It keeps no
 * rows of its own: it is as fresh as the last commit of the sink, and a corrected or retracted fact is so at the next
 * reading.
 */
export interface Mart {
  readonly name: string;
  readonly doc: string;
  /** What one row is. */
  readonly grain: string;
  /** Parameters of the table macro with their SQL types and meaning; absent: a view. */
  readonly parameters?: readonly MartColumn[];
  /** Without one of these tables or columns the mart is not made. */
  readonly needs: Needs;
  /** What happens to a row when a fact under it is corrected or taken back. */
  readonly retraction: string;
  /** @default as of the last commit of the sink */
  readonly freshness?: string;
  readonly columns: readonly MartColumn[];
  readonly sql: string;
}

/** What nearly every mart does with corrections. */
export const sumsFollow = 'Counts current facts only: a correction moves the number, a retraction takes its part out.';

export const text = (name: string, doc: string): MartColumn => ({ name, type: 'VARCHAR', doc });
export const time = (name: string, doc: string): MartColumn => ({ name, type: 'TIMESTAMP WITH TIME ZONE', doc });
export const count = (name: string, doc: string, formula?: string): MartColumn =>
  made(name, 'BIGINT', doc, undefined, formula);
export const amount = (name: string, doc: string, unit: string, formula?: string): MartColumn =>
  made(name, 'DOUBLE', doc, unit, formula);

function made(name: string, type: MartType, doc: string, unit?: string, formula?: string): MartColumn {
  return { name, type, doc, ...(unit === undefined ? {} : { unit }), ...(formula === undefined ? {} : { formula }) };
}

/** Whether the tables are all there, with all columns. */
export function has(plans: readonly TablePlan[], needs: Needs): boolean {
  return Object.entries(needs).every(([table, columns]) => {
    const plan = plans.find((p) => p.table === table);
    return plan !== undefined && columns.every((name) => plan.columns.some((c) => c.name === name));
  });
}

/** The statement that makes it. The columns are named and typed here, so that they are what the dictionary says. */
export function createMart(mart: Mart): string {
  const columns = mart.columns.map((c) => `${quote(c.name)}::${c.type} AS ${quote(c.name)}`).join(', ');
  const select = `SELECT ${columns} FROM (${mart.sql})`;
  if (mart.parameters === undefined) return `CREATE OR REPLACE VIEW ${quote(mart.name)} AS ${select}`;
  const parameters = mart.parameters.map((p) => quote(p.name)).join(', ');
  return `CREATE OR REPLACE MACRO ${quote(mart.name)}(${parameters}) AS TABLE ${select}`;
}
