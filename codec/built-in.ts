import { BINARY_FORMATS, SUBJECTS, schemaText } from './schema/files.ts';
import type { ResolvedSchema, SchemaTable } from './wire.ts';

/** The schemas of this version, with the ids that they have where no registry gives others: 1 to 6. */
export const BUILT_IN_SCHEMAS: readonly ResolvedSchema[] = SUBJECTS.flatMap((subject) =>
  BINARY_FORMATS.map((format) => ({ format, subject, text: schemaText(subject, format) })),
).map((schema, i) => ({ id: i + 1, ...schema }));

/** Knows the schemas of this version, and says of every other id that there is none. */
export const builtInTable: SchemaTable = {
  get: (id) => BUILT_IN_SCHEMAS[id - 1] ?? 'unknown',
};
