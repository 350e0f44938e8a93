import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Format } from '../wire.ts';

/** The kinds of schema as the registry's HTTP interface names them; FLATBUFFERS is known to Gridfold's registry alone. */
export const SCHEMA_TYPES = ['AVRO', 'PROTOBUF', 'JSON', 'FLATBUFFERS'] as const;
export type SchemaType = (typeof SCHEMA_TYPES)[number];

/** Longest schema that is taken, characters. */
export const MAX_SCHEMA_CHARS = 256 * 1024;

export interface SchemaText {
  readonly schemaType: SchemaType;
  readonly schema: string;
}

const FORMATS: Readonly<Record<SchemaType, Format>> = {
  AVRO: 'avro',
  PROTOBUF: 'protobuf',
  JSON: 'json',
  FLATBUFFERS: 'flatbuffers',
};

export const formatOf = (type: SchemaType): Format => FORMATS[type];

export const typeOf = (format: Format): SchemaType =>
  SCHEMA_TYPES.find((type) => FORMATS[type] === format) as SchemaType;

/** The interface leaves the type out where it is AVRO; undefined for a type that is not known. */
export function schemaTypeOf(value: unknown): SchemaType | undefined {
  return value === undefined || value === null ? 'AVRO' : SCHEMA_TYPES.find((type) => type === value);
}

/** A schema that cannot be understood: `schema_invalid`, with what is wrong and where. */
export function invalidSchema(detail: string, cause?: unknown): GridfoldError {
  return new GridfoldError('schema_invalid', 'fix-configuration', `the schema is not valid: ${detail}`, { cause });
}
