import { type ResolvedSchema, type SchemaTable, schemaIdsIn } from '../wire.ts';

/** Knows nothing: with it, `schemaIdsIn` gives every id that the values of a batch name. */
export const noSchemas: SchemaTable = { get: () => undefined };

/** Every schema id that values [from, to) of a batch name, ascending. */
export function allSchemaIds(
  bytes: Uint8Array,
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  from: number,
  to: number,
): number[] {
  return [...schemaIdsIn(bytes, starts, ends, from, to, noSchemas)].sort((a, b) => a - b);
}

/**
 * The table as it was when the verdicts of a batch, `unknown`, were given. A commit writes them into its journal, because a
 * registry may know those ids tomorrow and a replay must say what was said today: these ids are unknown, whatever is known now, and no other is, whatever
 * is not known now (undefined: to be asked for first). Decoding with it gives the same each time.
 */
export function forced(table: SchemaTable, unknown: readonly number[]): SchemaTable {
  const judged = new Set(unknown);
  return {
    get(id): ResolvedSchema | 'unknown' | undefined {
      if (judged.has(id)) return 'unknown';
      const known = table.get(id);
      return known === 'unknown' ? undefined : known;
    },
  };
}
