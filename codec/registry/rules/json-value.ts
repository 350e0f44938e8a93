import { invalidSchema } from '../schema-type.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_NODES = 20_000;
const MAX_DEPTH = 64;
/** Alternatives of one union: each is tried against each. */
const MAX_ALTERNATIVES = 128;

/** Parses the JSON text of a schema, whose size, depth and unions are bounded so that checks of it are, too. */
export function parseSchemaJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidSchema(`it is not JSON: ${(cause as Error).message}`, cause);
  }
  let nodes = 0;
  const walk = (node: unknown, depth: number): void => {
    if (typeof node !== 'object' || node === null) return;
    if (++nodes > MAX_NODES) throw invalidSchema(`it has more than ${MAX_NODES} parts`);
    if (depth > MAX_DEPTH) throw invalidSchema(`it is nested more than ${MAX_DEPTH} deep`);
    if (Object.hasOwn(node, '__proto__')) throw invalidSchema('a member is called __proto__');
    for (const child of Object.values(node)) walk(child, depth + 1);
  };
  walk(value, 1);
  return value;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function checkAlternatives(list: readonly unknown[]): void {
  if (list.length > MAX_ALTERNATIVES) throw invalidSchema(`a union has more than ${MAX_ALTERNATIVES} alternatives`);
}
