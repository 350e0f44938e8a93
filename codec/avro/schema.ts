import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** A parsed Avro schema: what its bytes are read by. */
export type AvroType =
  | { readonly type: 'null' | 'boolean' | 'int' | 'float' | 'double' | 'bytes' | 'string' }
  | { readonly type: 'long'; readonly isMicros: boolean }
  | { readonly type: 'fixed'; readonly size: number }
  | { readonly type: 'enum'; readonly symbols: readonly string[] }
  | { readonly type: 'array' | 'map'; readonly items: AvroType }
  | { readonly type: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecordType;

export interface AvroRecordType {
  readonly type: 'record';
  /** Without its namespace. */
  readonly name: string;
  readonly fields: readonly AvroField[];
}

export interface AvroField {
  readonly name: string;
  /** What our schemas call a field by beside its name, for {@link AvroRecordType}s that have a list of invalid ones. */
  readonly number: number | null;
  readonly type: AvroType;
}

type Json = Readonly<Record<string, unknown>>;

const MAX_TYPES = 10_000;
const MAX_NESTING = 100;

/** Parses the text of a schema. Throws `codec_bad_schema`. */
export function parseAvroSchema(text: string): AvroType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw bad('it is no JSON');
  }
  return new SchemaParser().type(json, '', 0);
}

/** The same; null where the text is no schema. */
export function schemaOrNull(text: string): AvroType | null {
  try {
    return parseAvroSchema(text);
  } catch (error) {
    if (error instanceof GridfoldError) return null;
    throw error;
  }
}

const bad = (why: string) =>
  new GridfoldError('codec_bad_schema', 'stop', `The Avro schema cannot be read: ${why}. Register a valid schema.`);

/** Knows the named types that came so far. */
class SchemaParser {
  private readonly named = new Map<string, AvroType>();
  private count = 0;

  type(json: unknown, namespace: string, depth: number): AvroType {
    if (++this.count > MAX_TYPES || depth > MAX_NESTING) throw bad('it has too many types');
    if (typeof json === 'string') return this.byName(json, namespace);
    if (Array.isArray(json))
      return { type: 'union', branches: json.map((branch) => this.type(branch, namespace, depth + 1)) };
    if (typeof json !== 'object' || json === null) throw bad(`${JSON.stringify(json)} is no type`);
    return this.complex(json as Json, namespace, depth);
  }

  private byName(name: string, namespace: string): AvroType {
    const known = this.named.get(fullName(name, namespace)) ?? this.named.get(name);
    return known ?? primitive(name, undefined);
  }

  private complex(json: Json, namespace: string, depth: number): AvroType {
    switch (json.type) {
      case 'record':
      case 'error':
        return this.record(json, namespace, depth);
      case 'enum': {
        const symbols = listOf(json.symbols, 'symbols').map(String);
        return this.remember(json, namespace, { type: 'enum', symbols });
      }
      case 'fixed': {
        const size = json.size as number;
        if (!Number.isSafeInteger(size) || size < 0) throw bad('a fixed type has no size');
        return this.remember(json, namespace, { type: 'fixed', size });
      }
      case 'array':
        return { type: 'array', items: this.type(json.items, namespace, depth + 1) };
      case 'map':
        return { type: 'map', items: this.type(json.values, namespace, depth + 1) };
      default:
        return typeof json.type === 'string' && !this.named.has(fullName(json.type, namespace))
          ? primitive(json.type, json.logicalType)
          : this.type(json.type, namespace, depth + 1);
    }
  }

  private record(json: Json, namespace: string, depth: number): AvroType {
    const fields: AvroField[] = [];
    const record: AvroType = { type: 'record', name: shortName(nameOf(json)), fields };
    this.remember(json, namespace, record);
    const inside = namespaceOf(json, namespace);
    for (const field of listOf(json.fields, 'fields') as Json[]) {
      if (typeof field !== 'object' || field === null) throw bad('a field is no object');
      if (fields.some(({ name }) => name === field.name)) throw bad('a record has two fields of one name');
      const number = typeof field.number === 'number' ? field.number : null;
      fields.push({ name: nameOf(field), number, type: this.type(field.type, inside, depth + 1) });
    }
    return record;
  }

  private remember(json: Json, namespace: string, type: AvroType): AvroType {
    this.named.set(fullName(nameOf(json), namespaceOf(json, namespace)), type);
    return type;
  }
}

function primitive(name: string, logicalType: unknown): AvroType {
  switch (name) {
    case 'long':
      return { type: name, isMicros: logicalType === 'timestamp-micros' };
    case 'null':
    case 'boolean':
    case 'int':
    case 'float':
    case 'double':
    case 'bytes':
    case 'string':
      return { type: name };
    default:
      throw bad(`"${name}" is no type`);
  }
}

const fullName = (name: string, namespace: string) =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
const shortName = (name: string) => name.slice(name.lastIndexOf('.') + 1);

function nameOf(json: Json): string {
  if (typeof json.name !== 'string' || json.name === '') throw bad('a name is missing');
  return json.name;
}

/** The namespace that the names inside of a type stand in. */
function namespaceOf(json: Json, around: string): string {
  const name = nameOf(json);
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'));
  return typeof json.namespace === 'string' ? json.namespace : around;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`${what} are missing`);
  return value;
}
