import avro from 'avsc';
import { invalidSchema } from '../schema-type.ts';
import { checkAlternatives, isObject, parseSchemaJson } from './json-value.ts';

/** The type of an Avro schema; `schema_invalid` where it is none. */
export function parseAvro(text: string): avro.Type {
  const schema = parseSchemaJson(text);
  checkParts(schema);
  try {
    return avro.Type.forSchema(schema as avro.Schema, { wrapUnions: true, omitRecordMethods: true });
  } catch (cause) {
    throw invalidSchema((cause as Error).message, cause);
  }
}

function checkParts(node: unknown): void {
  if (Array.isArray(node)) checkAlternatives(node);
  if (isObject(node)) {
    if (node.name === '__proto__') throw invalidSchema('a name is __proto__');
    for (const [key, child] of Object.entries(node)) {
      // Fields and words are no alternatives; a default is data.
      if (key === 'fields' && Array.isArray(child)) child.forEach(checkParts);
      else if (key === 'symbols') checkSymbols(child);
      else if (key === 'type' || key === 'items' || key === 'values') checkParts(child);
    }
  } else if (Array.isArray(node)) node.forEach(checkParts);
}

function checkSymbols(symbols: unknown): void {
  if (Array.isArray(symbols) && symbols.includes('__proto__')) throw invalidSchema('a symbol is __proto__');
}

/** What keeps `reader` from reading what was written with `writer`: Avro's rules of schema resolution. */
export function avroComplaints(reader: avro.Type, writer: avro.Type): string[] {
  try {
    reader.createResolver(writer);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
