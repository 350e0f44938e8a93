import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';

/** A configuration file is small; a larger one is some other file. */
const MAX_BYTES = 1_048_576;

/** Reads YAML or JSON (which is YAML) to a flat map: `{kafka: {brokers: "a"}}` is `kafka.brokers`. Throws {@link ConfigError}. */
export function readConfigFile(path: string, known: readonly string[]): Map<string, unknown> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
  if (content.length > MAX_BYTES) throw new ConfigError([`${path}: larger than ${MAX_BYTES} bytes`]);
  return flatten(path, content, known);
}

function flatten(path: string, content: string, known: readonly string[]): Map<string, unknown> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return `${path}:${line}:${col}: ${error.message.split('\n')[0]}`;
      }),
    );
  }
  const root: unknown = document.toJS({ maxAliasCount: 100 });
  if (root === null || root === undefined) return new Map();
  if (typeof root !== 'object' || Array.isArray(root)) throw new ConfigError([`${path}: must be a map of options`]);
  const flat = new Map<string, unknown>();
  const visit = (prefix: string, value: unknown): void => {
    const isGroup = !known.includes(prefix) && value !== null && typeof value === 'object' && !Array.isArray(value);
    if (!isGroup) {
      flat.set(prefix, value);
      return;
    }
    for (const [key, inner] of Object.entries(value)) visit(prefix === '' ? key : `${prefix}.${key}`, inner);
  };
  visit('', root);
  return flat;
}
