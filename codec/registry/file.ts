import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { LEVELS, type Level } from './compatibility.ts';
import {
  EMPTY_REGISTRY,
  type RegistryState,
  SchemaRegistry,
  type StoredSchema,
  type StoredVersion,
} from './registry.ts';
import { schemaTypeOf } from './schema-type.ts';

const FORMAT = 1;

/**
 * The registry that is kept in a file; an empty one where there is none yet. Throws `registry_file_corrupt` (stop): records
 * in the log name the ids that the file gave out, so it is not replaced by an empty one.
 */
export function openRegistry(file: string): SchemaRegistry {
  return new SchemaRegistry(readState(file), (state) => replaceFile(file, textOf(state)));
}

/** Writes the file whole or not at all, durably. */
export function replaceFile(file: string, text: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  const fresh = `${file}.new`;
  const fd = openSync(fresh, 'w', 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
  const folderFd = openSync(folder, 'r');
  try {
    fsyncSync(folderFd);
  } finally {
    closeSync(folderFd);
  }
}

function textOf({ schemas, subjects, level, levels }: RegistryState): string {
  const lists = [...subjects].map(([subject, versions]) => ({ subject, versions }));
  const rules = [...levels].map(([subject, own]) => ({ subject, level: own }));
  return `${JSON.stringify({ format: FORMAT, level, levels: rules, subjects: lists, schemas }, null, 1)}\n`;
}

function readState(file: string): RegistryState {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY_REGISTRY;
    throw error;
  }
  try {
    return stateOf(JSON.parse(text));
  } catch (cause) {
    const message = `${file} is not a registry of schemas (${(cause as Error).message}); restore it from a copy`;
    throw new GridfoldError('registry_file_corrupt', 'stop', message, { cause });
  }
}

interface StoredFile {
  readonly format: number;
  readonly level: Level;
  readonly levels: readonly { readonly subject: string; readonly level: Level }[];
  readonly subjects: readonly { readonly subject: string; readonly versions: readonly StoredVersion[] }[];
  readonly schemas: readonly StoredSchema[];
}

function stateOf(stored: StoredFile): RegistryState {
  if (stored?.format !== FORMAT) throw new RangeError(`format ${stored?.format} is not known`);
  const { level, levels, subjects, schemas } = stored;
  for (const one of [level, ...levels.map((rule) => rule.level)]) {
    if (!LEVELS.includes(one)) throw new RangeError(`level ${one} is not known`);
  }
  schemas.forEach(({ id, schemaType, schema }, i) => {
    if (id !== i + 1 || schemaTypeOf(schemaType) === undefined || typeof schema !== 'string')
      throw new RangeError(`schema ${i + 1} is not in its place`);
  });
  for (const { subject, versions } of subjects) {
    if (versions.some(({ id }) => schemas[id - 1] === undefined))
      throw new RangeError(`subject ${subject} has a version without a schema`);
  }
  return {
    level,
    schemas,
    levels: new Map(levels.map((rule) => [rule.subject, rule.level])),
    subjects: new Map(subjects.map(({ subject, versions }) => [subject, versions])),
  };
}
