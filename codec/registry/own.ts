import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { BUILT_IN_SCHEMAS } from '../built-in.ts';
import type { DecodedKind } from '../plan.ts';
import { lifecycleSchema, telemetrySchema } from '../schemas.ts';
import { type SchemaText, typeOf } from './schema-type.ts';
import type { SchemaSource } from './source.ts';
import { type RecordName, subjectFor } from './subject.ts';

export interface OwnSchema extends SchemaText {
  readonly record: RecordName;
}

/** The schemas of this version, in the order in which a fresh registry gives them the ids of {@link BUILT_IN_SCHEMAS}; then those of JSON. */
export function ownSchemas(kinds: readonly DecodedKind[]): OwnSchema[] {
  const binary = BUILT_IN_SCHEMAS.map(({ subject, format, text }) => ({
    record: subject,
    schemaType: typeOf(format),
    schema: text,
  }));
  const json = (record: RecordName, schema: object): OwnSchema => ({
    record,
    schemaType: 'JSON',
    schema: JSON.stringify(schema),
  });
  return [...binary, json('telemetry', telemetrySchema(kinds)), json('lifecycle', lifecycleSchema(kinds))];
}

export interface OwnSchemaOutcome extends OwnSchema {
  /** Null where the registry did not take it. */
  readonly id: number | null;
  /** Why not; null where it did. */
  readonly fault: string | null;
}

/**
 * Registers our schemas under the subjects of their topics. What a registry does not take (a type that it does not know,
 * a subject that holds another type) is told, not thrown: records come with their producers' schemas. Throws where the
 * registry cannot be asked: `registry_unavailable`, `registry_answer_invalid`, `registry_denied`.
 */
export async function registerOwn(
  source: SchemaSource,
  prefix: string,
  schemas: readonly OwnSchema[],
): Promise<OwnSchemaOutcome[]> {
  const outcomes: OwnSchemaOutcome[] = [];
  for (const own of schemas) {
    try {
      const id = await source.register(subjectFor(own.record, prefix), own);
      outcomes.push({ ...own, id, fault: null });
    } catch (error) {
      const isRefusal = error instanceof GridfoldError && REFUSALS.has(error.code);
      if (!isRefusal) throw error;
      outcomes.push({ ...own, id: null, fault: error.message });
    }
  }
  return outcomes;
}

const REFUSALS = new Set(['schema_incompatible', 'schema_invalid']);
