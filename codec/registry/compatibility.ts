import { avroComplaints, parseAvro } from './rules/avro.ts';
import { flatbuffersComplaints, parseFlatbuffers } from './rules/flatbuffers.ts';
import { jsonSchemaComplaints, parseJsonSchema } from './rules/json-schema.ts';
import { isDescriptor } from './rules/proto-descriptor.ts';
import { parseProtobuf, protobufComplaints, reusedNumbers } from './rules/protobuf.ts';
import { parseSchemaJson } from './rules/json-value.ts';
import { tokensOf } from './rules/tokens.ts';
import { invalidSchema, MAX_SCHEMA_CHARS, type SchemaText, type SchemaType } from './schema-type.ts';

/**
 * What a new version of a subject must keep. BACKWARD: it reads what the version before has written. FORWARD: the version
 * before reads what it writes. FULL: both. TRANSITIVE: not only the version before, but all.
 */
export const LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type Level = (typeof LEVELS)[number];

interface Rules {
  /** Throws `schema_invalid`. */
  check(schema: string): void;
  complaints(newer: string, older: string, level: Level): string[];
}

function rules<P>(
  parse: (text: string) => P,
  canRead: (reader: P, writer: P) => string[],
  always: (newer: P, older: P) => string[] = () => [],
): Rules {
  return {
    check: (schema) => void parse(schema),
    complaints(newer, older, level) {
      const [now, before] = [parse(newer), parse(older)];
      const backward = level.startsWith('FORWARD') ? [] : canRead(now, before);
      const forward = level.startsWith('BACKWARD') ? [] : canRead(before, now);
      return [
        ...always(now, before),
        ...backward.map((detail) => `new reads old: ${detail}`),
        ...forward.map((detail) => `old reads new: ${detail}`),
      ];
    },
  };
}

const RULES: Readonly<Record<SchemaType, Rules>> = {
  AVRO: rules(parseAvro, avroComplaints),
  PROTOBUF: rules(parseProtobuf, protobufComplaints, reusedNumbers),
  JSON: rules(parseJsonSchema, jsonSchemaComplaints),
  FLATBUFFERS: rules(parseFlatbuffers, () => [], flatbuffersComplaints),
};

const MAX_COMPLAINTS = 20;

/** Throws `schema_invalid` where the text is no schema of its type. */
export function checkSchema({ schemaType, schema }: SchemaText): void {
  if (schema.length > MAX_SCHEMA_CHARS) throw invalidSchema(`it is longer than ${MAX_SCHEMA_CHARS} characters`);
  RULES[schemaType].check(schema);
}

/**
 * Why `candidate` may not follow the versions `older` (in their order) at that level; empty where it may. Versions of
 * another type are left aside: a subject of Gridfold's registry holds its record in several formats.
 */
export function incompatibilities(level: Level, candidate: SchemaText, older: readonly SchemaText[]): string[] {
  checkSchema(candidate);
  if (level === 'NONE') return [];
  const { complaints } = RULES[candidate.schemaType];
  const alike = older.filter(({ schemaType }) => schemaType === candidate.schemaType);
  const against = level.endsWith('_TRANSITIVE') ? alike : alike.slice(-1);
  const found = against.flatMap(({ schema }) => complaints(candidate.schema, schema, level));
  return [...new Set(found)].slice(0, MAX_COMPLAINTS);
}

/** The same for two texts of one schema that differ in space and comments only. */
export function canonical({ schemaType, schema }: SchemaText): string {
  if (schemaType === 'AVRO' || schemaType === 'JSON') return `${schemaType} ${JSON.stringify(parseSchemaJson(schema))}`;
  if (schemaType === 'PROTOBUF' && isDescriptor(schema)) return `${schemaType} ${schema.trim()}`;
  return `${schemaType} ${tokensOf(schema)
    .map((token) => token.text)
    .join(' ')}`;
}
