import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { TeslaMap, TeslaRule } from './map.ts';

const MAX_BYTES = 1_048_576;
const RULE_KEYS = new Set(['field', 'factor', 'words']);

/**
 * Reads a map from YAML or JSON: `kind`, and under `fields` by Tesla's name our field, or `{field, factor, words}`. Throws
 * `tesla_map_invalid` (fix-configuration); whether its names exist is for {@link checkTeslaMap} to say.
 */
export function readTeslaMap(file: string): TeslaMap {
  const refuse = (detail: string, cause?: unknown) =>
    new GridfoldError('tesla_map_invalid', 'fix-configuration', `${file}: ${detail}`, { cause });
  let root: unknown;
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > MAX_BYTES) throw new RangeError(`larger than ${MAX_BYTES} bytes`);
    root = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw refuse((cause as Error).message.split('\n')[0], cause);
  }
  if (!isMap(root)) throw refuse('must be a map with kind and fields');
  const { kind, fields, ...others } = root;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw refuse(`${unknown} is not known; there are kind and fields`);
  if (typeof kind !== 'string') throw refuse('kind must be the name of a kind');
  if (!isMap(fields)) throw refuse("fields must be a map by Tesla's names");
  const rules = Object.entries(fields).map(([name, value]) => {
    const rule = ruleOf(value);
    if (rule === null)
      throw refuse(`fields.${name} must be the name of our field, or a map of field, factor and words`);
    return [name, rule] as const;
  });
  return { kind, fields: Object.fromEntries(rules) };
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function ruleOf(value: unknown): TeslaRule | null {
  if (typeof value === 'string') return { field: value };
  if (!isMap(value) || Object.keys(value).some((key) => !RULE_KEYS.has(key))) return null;
  const { field, factor, words } = value;
  if (typeof field !== 'string' || (factor !== undefined && typeof factor !== 'number')) return null;
  if (words === undefined) return { field, factor };
  if (!isMap(words) || Object.values(words).some((word) => typeof word !== 'string')) return null;
  return { field, factor, words: words as Record<string, string> };
}
