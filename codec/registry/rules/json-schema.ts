import { invalidSchema } from '../schema-type.ts';
import { checkAlternatives, isObject, type JsonObject, parseSchemaJson } from './json-value.ts';

/** A JSON Schema, as far as its structure matters here. */
export type JsonSchemaNode = JsonObject | boolean;

const MAX_STEPS = 50_000;
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const SAME = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'not'];

export function parseJsonSchema(text: string): JsonSchemaNode {
  const schema = parseSchemaJson(text);
  if (typeof schema === 'boolean') return schema;
  if (!isObject(schema)) throw invalidSchema('a JSON Schema is an object or a boolean');
  return schema;
}

/**
 * What keeps `reader` from accepting all that `writer` accepts, by structure: types, required and closed properties,
 * enums, bounds, items and alternatives. It may refuse what a proof would allow; properties that only the reader has are
 * taken as new ones.
 */
export function jsonSchemaComplaints(reader: JsonSchemaNode, writer: JsonSchemaNode): string[] {
  return new Comparison(reader, writer).complaints(reader, writer, '');
}

class Comparison {
  readonly #readerRoot: JsonSchemaNode;
  readonly #writerRoot: JsonSchemaNode;
  /** Pairs that are being compared: a schema may contain itself. */
  readonly #open = new Set<string>();
  #steps = 0;

  constructor(readerRoot: JsonSchemaNode, writerRoot: JsonSchemaNode) {
    this.#readerRoot = readerRoot;
    this.#writerRoot = writerRoot;
  }

  complaints(reader: unknown, writer: unknown, path: string): string[] {
    if (++this.#steps > MAX_STEPS) throw invalidSchema(`comparing it takes more than ${MAX_STEPS} steps`);
    const [r, w] = [resolve(this.#readerRoot, reader), resolve(this.#writerRoot, writer)];
    if (r === true || w === false || r === undefined) return [];
    const at = path === '' ? 'the root' : path;
    if (r === false) return [`${at} is not allowed any more`];
    const pair = `${refOf(reader)} ${refOf(writer)}`;
    if (pair !== ' ') {
      if (this.#open.has(pair)) return [];
      this.#open.add(pair);
    }
    const found = isObject(r) ? this.#objects(r, isObject(w) ? w : {}, at) : [];
    this.#open.delete(pair);
    return found;
  }

  #objects(r: JsonObject, w: JsonObject, at: string): string[] {
    return [
      ...typeComplaints(r, w, at),
      ...enumComplaints(r, w, at),
      ...boundComplaints(r, w, at),
      ...this.#properties(r, w, at),
      ...(r.items === undefined ? [] : this.complaints(r.items, w.items ?? true, `${at}[]`)),
      ...this.#alternatives(r, w, at),
    ];
  }

  #properties(r: JsonObject, w: JsonObject, at: string): string[] {
    const complaints: string[] = [];
    const had = new Set(textsOf(w.required));
    for (const name of textsOf(r.required)) {
      if (!had.has(name)) complaints.push(`${at}: ${name} is required, but was not`);
    }
    const [is, was] = [membersOf(r.properties), membersOf(w.properties)];
    for (const [name, before] of was) {
      const place = at === 'the root' ? name : `${at}.${name}`;
      if (is.has(name)) complaints.push(...this.complaints(is.get(name), before, place));
      else if (r.additionalProperties === false) complaints.push(`${place} is gone, and others are not allowed`);
    }
    if (r.additionalProperties === false && w.additionalProperties !== false && isAboutObjects(w))
      complaints.push(`${at}: other properties are not allowed, but were`);
    return complaints;
  }

  /** Each alternative that there was must be covered by one that there is. */
  #alternatives(r: JsonObject, w: JsonObject, at: string): string[] {
    const complaints: string[] = [];
    for (const key of ['anyOf', 'oneOf'] as const) {
      const is = r[key];
      if (!Array.isArray(is)) continue;
      const was = Array.isArray(w[key]) ? w[key] : [{ ...w, anyOf: undefined, oneOf: undefined }];
      checkAlternatives(is);
      checkAlternatives(was);
      was.forEach((before, i) => {
        if (!is.some((now) => this.complaints(now, before, at).length === 0))
          complaints.push(`${at}: alternative ${i + 1} of ${key} is not covered any more`);
      });
    }
    if (Array.isArray(r.allOf)) {
      for (const part of r.allOf) {
        const isCovered =
          Array.isArray(w.allOf) && w.allOf.some((before) => this.complaints(part, before, at).length === 0);
        if (!isCovered) complaints.push(...this.complaints(part, { ...w, allOf: undefined }, at));
      }
    }
    return complaints;
  }
}

function typeComplaints(r: JsonObject, w: JsonObject, at: string): string[] {
  const is = typesOf(r);
  if (is === null) return [];
  const was = typesOf(w);
  if (was === null) return [`${at} is ${is.join(' or ')}, but could be anything`];
  const lost = was.filter((type) => !is.includes(type) && !(type === 'integer' && is.includes('number')));
  return lost.length === 0 ? [] : [`${at} cannot be ${lost.join(' or ')} any more`];
}

/** Null: any type. A list of values says the types as well. */
function typesOf(schema: JsonObject): string[] | null {
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return textsOf(schema.type);
  const values = valuesOf(schema);
  return values === null ? null : [...new Set(values.map(typeOfValue))];
}

const typeOfValue = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : typeof value === 'number' && Number.isInteger(value)
        ? 'integer'
        : typeof value;

function enumComplaints(r: JsonObject, w: JsonObject, at: string): string[] {
  const is = valuesOf(r);
  if (is === null) return [];
  const was = valuesOf(w);
  if (was === null) return [`${at} has a list of values, but had none`];
  const kept = new Set(is.map((value) => JSON.stringify(value)));
  const lost = was.map((value) => JSON.stringify(value)).filter((value) => !kept.has(value));
  return lost.length === 0 ? [] : [`${at} cannot be ${lost.slice(0, 5).join(', ')} any more`];
}

function valuesOf(schema: JsonObject): unknown[] | null {
  if (Array.isArray(schema.enum)) return schema.enum;
  return 'const' in schema ? [schema.const] : null;
}

function boundComplaints(r: JsonObject, w: JsonObject, at: string): string[] {
  const complaints: string[] = [];
  const compare = (key: string, isWider: (is: number, was: number) => boolean) => {
    const [is, was] = [r[key], w[key]];
    if (typeof is !== 'number') return;
    if (typeof was !== 'number') complaints.push(`${at} has a ${key}, but had none`);
    else if (!isWider(is, was)) complaints.push(`${at} has ${key} ${is}, but had ${was}`);
  };
  for (const key of LOWER) compare(key, (is, was) => is <= was);
  for (const key of UPPER) compare(key, (is, was) => is >= was);
  for (const key of SAME) {
    if (r[key] !== undefined && JSON.stringify(r[key]) !== JSON.stringify(w[key]))
      complaints.push(`${at} has another ${key}`);
  }
  return complaints;
}

const isAboutObjects = (schema: JsonObject) => typesOf(schema)?.includes('object') ?? true;
const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
const membersOf = (value: unknown): Map<string, unknown> => new Map(isObject(value) ? Object.entries(value) : []);
const refOf = (schema: unknown): string => (isObject(schema) && typeof schema.$ref === 'string' ? schema.$ref : '');

/** Follows a reference inside the document; undefined for one that leads out of it, which may mean anything. */
function resolve(root: JsonSchemaNode, schema: unknown): unknown {
  let node = schema;
  for (let hops = 0; refOf(node) !== ''; hops++) {
    const ref = refOf(node);
    if (hops > 32 || !ref.startsWith('#')) return undefined;
    node = ref
      .slice(1)
      .split('/')
      .slice(1)
      .reduce<unknown>((at, part) => {
        const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
        return isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
      }, root);
  }
  return node;
}
