import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { GridfoldError } from '../../kernel/errors.ts';
import { badArgument, corrupt, isFileDamage, levelCode, rootMessage } from './failures.ts';
import { formatKey } from './keys.ts';
import { type Db, readFormat, sealRow } from './rows.ts';

/** LevelDB moves records from its own log to tables when it holds this many. Two such logs can exist at a time. */
export const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;

const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  // Replay without Snappy takes two thirds of the time; but its decoder is what stops most damaged blocks before
  // LevelDB parses them, and LevelDB ends the process (an assertion) where a damaged key is too short.
  compression: true,
  writeBufferSize: WRITE_BUFFER_BYTES,
  maxFileSize: 8 * 1024 * 1024,
} as const;

/** Opens the directory's LevelDB; it holds an exclusive lock until it is closed. */
export async function openDatabase(dir: string): Promise<Db> {
  refuseWithoutCurrent(dir);
  const db: Db = new ClassicLevel<Uint8Array, Uint8Array>(dir, OPTIONS);
  try {
    await db.open();
    return db;
  } catch (error) {
    if (levelCode(error) === 'LEVEL_LOCKED') throw locked(dir, error);
    const reason = rootMessage(error);
    if (isFileDamage(error)) throw corrupt(`LevelDB reports "${reason}"`, error);
    throw new GridfoldError('log_open_failed', 'fix-configuration', `The log in ${dir} cannot be opened: ${reason}`, {
      cause: error,
    });
  }
}

/** Lets LevelDB rebuild its catalogue from the files that are there. What it cannot read is gone afterwards. */
export async function repairDatabase(dir: string): Promise<void> {
  await ClassicLevel.repair(dir);
}

/** Checks the partition count against the one the directory was made with, or writes it into an empty one. */
export async function agreeOnFormat(db: Db, partitions: number, acceptLoss: boolean): Promise<void> {
  const row = readFormat(db);
  if (row === null) {
    const [any] = await db.keys({ limit: 1 }).all();
    if (any !== undefined && !acceptLoss) throw corrupt('The format entry is missing');
    await db.batch([sealRow(formatKey, { format: 1, partitions })], { sync: true });
    return;
  }
  if (row.format !== 1) throw badArgument(`The log has format ${row.format}; this release reads 1.`);
  if (row.partitions === partitions) return;
  throw new GridfoldError(
    'log_partitions_changed',
    'fix-configuration',
    `The log was made with ${row.partitions} partitions and ${partitions} are configured. ` +
      'The number cannot change later, because every serial has its partition: set it back, or use a new data directory.',
  );
}

/** What LevelDB dropped from its own log while opening: it says so in its text log only. */
export function droppedByLevelDb(dir: string): string[] {
  const path = join(dir, 'LOG');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'latin1').split('\n');
  return lines.filter((line) => /dropping \d+ bytes/.test(line)).map((line) => line.replace(/^\S+ \S+ /, ''));
}

/** Without CURRENT LevelDB would make an empty database and delete the files of the old one. */
function refuseWithoutCurrent(dir: string): void {
  mkdirSync(dir, { recursive: true });
  const files = readdirSync(dir);
  if (files.includes('CURRENT')) return;
  const left = files.filter((name) => /\.(ldb|sst|log)$|^MANIFEST-/.test(name));
  if (left.length > 0) throw corrupt(`The file CURRENT is missing beside ${left.length} files of a log`);
}

function locked(dir: string, cause: unknown): GridfoldError {
  const message = `The log in ${dir} is in use: another instance runs there. Stop it, or choose another data directory.`;
  return new GridfoldError('log_locked', 'fix-configuration', message, { cause });
}
