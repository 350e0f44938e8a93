import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { PartitionStateOptions } from './contract.ts';
import { manifestRange, numberedRange, numberOf } from './keys.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { setDamagedTablesAside } from './tables.ts';

/** What is fixed when a partition's directory is created; stands beside the database, so that its loss is noticed. */
export interface Layout {
  readonly format: number;
  readonly blocksPerKind: number;
  readonly kinds: readonly string[];
  /** True from the first durable snapshot on. */
  readonly snapshots: boolean;
}

export type Database = ClassicLevel<Buffer, Buffer>;

/** Of the directory as a whole. */
export const FORMAT = 1;
const LEVEL = 'level';
const UNCLEAN_FILE = 'open';
const UNCLEAN_BEFORE_CHECK = 2;
export const LAYOUT_FILE = 'partition.json';
const DEFAULT_BLOCKS = 1024;

/** Small caches: what is hot lives in blocks, and every partition has a database of its own. */
const LEVEL_OPTIONS = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  // Columns of floats hardly shrink, and plain tables can be checked from outside; see tables.ts.
  compression: false,
  cacheSize: 1024 * 1024,
  writeBufferSize: 8 * 1024 * 1024,
  maxFileSize: 8 * 1024 * 1024,
  blockSize: 16 * 1024,
  maxOpenFiles: 128,
} as const;

/** Opens or creates the directory's database. Throws GridfoldError `state_layout`, `state_locked`, `state_lost`. */
export async function openDirectory(options: PartitionStateOptions): Promise<{ db: Database; layout: Layout }> {
  const { dir } = options;
  mkdirSync(dir, { recursive: true });
  if (options.startEmpty) {
    rmSync(join(dir, LEVEL), { recursive: true, force: true });
    rmSync(join(dir, LAYOUT_FILE), { force: true });
  }
  const layout = readLayout(options);
  const unclean = readUnclean(dir);
  noteUnclean(dir, unclean + 1);
  if (unclean >= UNCLEAN_BEFORE_CHECK) checkTables(options, unclean);
  const db = await openLevel(join(dir, LEVEL));
  if (!existsSync(join(dir, LAYOUT_FILE))) writeLayout(dir, layout);
  return { db, layout };
}

/** The database in an existing directory; a new one where there is none. Throws GridfoldError `state_locked`. */
export function createDatabase(dir: string): Promise<Database> {
  return openLevel(join(dir, LEVEL));
}

export function writeLayout(dir: string, layout: Layout): void {
  const path = join(dir, LAYOUT_FILE);
  const file = openSync(`${path}.new`, 'w');
  writeSync(file, `${JSON.stringify(layout)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/**
 * How often in a row, without a snapshot between, the directory was opened and not closed. A damaged table can end
 * the process whenever it is read; when that may be the reason, the tables are checked before the next try.
 */
function readUnclean(dir: string): number {
  const path = join(dir, UNCLEAN_FILE);
  return existsSync(path) ? Number.parseInt(readFileSync(path, 'latin1'), 10) || UNCLEAN_BEFORE_CHECK : 0;
}

/** 0: the directory was closed. */
export function noteUnclean(dir: string, times: number): void {
  const path = join(dir, UNCLEAN_FILE);
  if (times === 0) rmSync(path, { force: true });
  else writeFileSync(path, `${times}\n`);
}

function checkTables(options: PartitionStateOptions, unclean: number): void {
  const damaged = setDamagedTablesAside(join(options.dir, LEVEL));
  const text = `${options.dir} ended uncleanly ${unclean} times without a snapshot: its tables were checked`;
  options.message(damaged.length > 0 ? 'error' : 'info', text, { damaged });
}

export interface Found {
  /** The manifest to restore, or null to start empty. */
  readonly manifest: Manifest | null;
  /** The one before it, which a damaged block falls back to. */
  readonly older: Manifest | null;
  /** Numbers of every manifest that stands in the database. */
  readonly numbers: readonly number[];
  /** Highest snapshot number that was ever begun. */
  readonly highest: number;
}

/** Chooses the snapshot to restore. Throws GridfoldError `state_lost`. */
export async function findManifest(
  db: Database,
  layout: Layout,
  blocks: number,
  options: PartitionStateOptions,
): Promise<Found> {
  const usable: Manifest[] = [];
  const numbers: number[] = [];
  let highest = 0;
  for await (const [key, value] of db.iterator({ ...manifestRange, reverse: true })) {
    const number = numberOf(key);
    highest = Math.max(highest, number);
    numbers.push(number);
    const manifest = usable.length < 3 ? decodeManifest(number, value, blocks) : null;
    if (manifest === null) {
      if (usable.length < 3) options.message('warn', `snapshot ${number} has a damaged manifest`, { snapshot: number });
    } else if (options.usable && !options.usable(manifest.meta)) {
      options.message('warn', `snapshot ${number} lies beyond the log and is discarded`, { snapshot: number });
    } else usable.push(manifest);
  }
  for await (const key of db.keys({ ...numberedRange, reverse: true, limit: 1 }))
    highest = Math.max(highest, numberOf(key));
  if (options.skipNewest) {
    const skipped = usable.shift();
    if (skipped)
      options.message('warn', `snapshot ${skipped.number} is skipped and discarded`, { snapshot: skipped.number });
  }
  if (usable.length === 0 && (layout.snapshots || numbers.length > 0)) {
    const message =
      `no snapshot in ${options.dir} can be used: what it held can only be folded again from the start of the log; ` +
      'open it with startEmpty to do so';
    throw new GridfoldError('state_lost', 'stop', message);
  }
  return { manifest: usable[0] ?? null, older: usable[1] ?? null, numbers, highest };
}

function readLayout(options: PartitionStateOptions): Layout {
  const kinds = options.schemas.map((schema) => schema.name);
  const path = join(options.dir, LAYOUT_FILE);
  if (!existsSync(path)) {
    return { format: FORMAT, blocksPerKind: options.blocksPerKind ?? DEFAULT_BLOCKS, kinds, snapshots: false };
  }
  const stored = parseLayout(path);
  if (stored.format > FORMAT)
    throw layoutError(`${path} has format ${stored.format}; this release reads up to ${FORMAT}`);
  const moved = stored.kinds.findIndex((kind, i) => kinds[i] !== kind);
  if (moved >= 0) {
    throw layoutError(`${path} has state ${stored.kinds[moved]} in place ${moved}; kinds may only be added at the end`);
  }
  if (options.blocksPerKind !== undefined && options.blocksPerKind !== stored.blocksPerKind) {
    const text = `blocksPerKind is ${stored.blocksPerKind} in ${path} and stays so; ${options.blocksPerKind} is ignored`;
    options.message('warn', text);
  }
  return { ...stored, kinds };
}

function parseLayout(path: string): Layout {
  let stored: Partial<Layout> | null;
  try {
    stored = JSON.parse(readFileSync(path, 'utf8')) as Partial<Layout> | null;
  } catch (cause) {
    throw new GridfoldError('state_lost', 'stop', `${path} is damaged; open the directory with startEmpty`, { cause });
  }
  const { format, blocksPerKind, kinds, snapshots } = stored ?? {};
  const blocksSound = Number.isInteger(blocksPerKind) && blocksPerKind! >= 16 && blocksPerKind! <= 16_384;
  if (!Number.isInteger(format) || !blocksSound || !Array.isArray(kinds) || typeof snapshots !== 'boolean') {
    throw new GridfoldError('state_lost', 'stop', `${path} is damaged; open the directory with startEmpty`);
  }
  return { format: format!, blocksPerKind: blocksPerKind!, kinds, snapshots };
}

/**
 * Rebuilds the database from the files that can be read. What a repair brings back is checked like everything else;
 * numbers are never used twice, so an old value is not taken for a newer one.
 */
export async function repairDirectory(dir: string): Promise<void> {
  try {
    await ClassicLevel.repair(join(dir, LEVEL));
  } catch (cause) {
    const message = `${dir} cannot be repaired: open it with startEmpty to fold the log again`;
    throw new GridfoldError('state_lost', 'stop', message, { cause });
  }
}

async function openLevel(location: string): Promise<Database> {
  const db: Database = new ClassicLevel(location, LEVEL_OPTIONS);
  try {
    await db.open();
    return db;
  } catch (error) {
    if (!causes(error).some((cause) => cause.code === 'LEVEL_LOCKED')) throw error;
    throw new GridfoldError('state_locked', 'stop', `${location} is open in another process`, { cause: error });
  }
}

function causes(error: unknown): { code?: string; message: string }[] {
  const found: { code?: string; message: string }[] = [];
  for (let e = error; e instanceof Error && found.length < 8; e = e.cause) found.push(e);
  return found;
}

function layoutError(message: string): GridfoldError {
  return new GridfoldError('state_layout', 'fix-configuration', message);
}
