import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** Offsets by partition, of each input topic. */
export interface Offsets {
  readonly telemetry: readonly number[];
  readonly lifecycle: readonly number[];
}

/** What is kept of a reprocessed set, beside its log and its states. */
export interface SetRecord {
  readonly name: string;
  readonly input: 'log' | 'files';
  /** Records that the log accepted from then on, epoch ms; null: all that it holds. */
  readonly fromMs: number | null;
  /** Facts of before, by event time, are left to the live tables; null: none. */
  readonly sinceMs: number | null;
  /** Where reading began, and where the input ended when the set was begun last. */
  readonly firsts: Offsets;
  readonly ends: Offsets;
  readonly machines: readonly string[];
  readonly begunAtMs: number;
}

const FILE = 'set.json';
const NAME = /^[a-z][a-z0-9_]{0,31}$/;
/** Schemas that DuckDB has. */
const TAKEN = new Set(['main', 'temp', 'system', 'information_schema', 'pg_catalog']);

/** Throws `reprocess_name_invalid`. A name is a schema, part of topic names and a folder. */
export function checkSetName(name: string): void {
  if (NAME.test(name) && !TAKEN.has(name) && !name.startsWith('gridfold')) return;
  throw new GridfoldError(
    'reprocess_name_invalid',
    'fix-configuration',
    `"${name}" cannot name a reprocessed set: a letter, then at most 31 letters, digits and underscores, all lower case, and no schema of the database (main, gridfold..., ...)`,
  );
}

export const setsFolder = (dataDir: string): string => join(dataDir, 'reprocess');
export const setFolder = (dataDir: string, name: string): string => join(setsFolder(dataDir), name);

/** The sets of a data folder. A folder without its record was left by a start or an end that was cut off. */
export function readSetRecords(dataDir: string): SetRecord[] {
  const folder = setsFolder(dataDir);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).map((name) => join(folder, name, FILE));
  return files.filter((file) => existsSync(file)).map(readRecord);
}

function readRecord(file: string): SetRecord {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SetRecord;
  } catch (cause) {
    throw new GridfoldError(
      'reprocess_failed',
      'fix-configuration',
      `cannot read ${file}: remove its folder and begin the set again`,
      { cause },
    );
  }
}

/** In one step: a set is there once its record is. */
export function writeSetRecord(dataDir: string, record: SetRecord): void {
  const folder = setFolder(dataDir, record.name);
  mkdirSync(folder, { recursive: true });
  const draft = join(folder, `${FILE}.new`);
  writeFileSync(draft, `${JSON.stringify(record)}\n`);
  renameSync(draft, join(folder, FILE));
}

/** The record goes first: what a cut leaves is no set. */
export function removeSet(dataDir: string, name: string): void {
  const folder = setFolder(dataDir, name);
  rmSync(join(folder, FILE), { force: true });
  rmSync(folder, { recursive: true, force: true });
}
