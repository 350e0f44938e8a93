import { resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { GridfoldError } from '../../../runtime/kernel/errors.ts';

/** What the process may spend on the file, writer and readers together. */
export interface DuckDbLimits {
  /** @default 1 */
  readonly threads: number;
  /** Mebibytes; larger sorts go to disk beside the file. @default 512 */
  readonly memoryLimitMb: number;
}

/**
 * Files open in this process. The file's lock keeps other processes out but not this one, and a second instance would
 * even drop it.
 */
const openFiles = new Set<string>();

/** An open database; `close` checkpoints and lets the file go. */
export interface Database {
  connect(): Promise<DuckDBConnection>;
  close(): void;
}

/**
 * Opens the file with everything closed that SQL could reach outside it: no other files, no extensions, UTC, and the
 * configuration locked. Throws `sink_target_locked` (retry) when the file is open already, here or in another process,
 * and `sink_open_failed` (fix-configuration) when it is no database or its folder is missing.
 */
export async function openDatabase(file: string, limits: DuckDbLimits): Promise<Database> {
  const path = resolve(file);
  if (openFiles.has(path)) {
    throw new GridfoldError('sink_target_locked', 'retry', `cannot open ${file}: this process has it open already`);
  }
  openFiles.add(path);
  try {
    const instance = await configured(path, limits);
    const close = () => {
      instance.closeSync();
      openFiles.delete(path);
    };
    return { connect: () => instance.connect(), close };
  } catch (cause) {
    openFiles.delete(path);
    throw openError(cause, file);
  }
}

async function configured(path: string, limits: DuckDbLimits): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(path, {
    threads: String(limits.threads),
    memory_limit: `${limits.memoryLimitMb}MB`,
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    enable_external_access: 'false',
  });
  try {
    const connection = await instance.connect();
    await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
    await connection.run('SET GLOBAL lock_configuration = true');
    connection.closeSync();
    return instance;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

function openError(cause: unknown, file: string): GridfoldError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/could not set lock|conflicting lock/i.test(message)) {
    const text = `cannot open ${file}: another process has it open; ask the running instance instead, or stop it. ${message}`;
    return new GridfoldError('sink_target_locked', 'retry', text, { cause });
  }
  return new GridfoldError('sink_open_failed', 'fix-configuration', `cannot open ${file}: ${message}`, { cause });
}

/** Rows of a statement as plain JavaScript values (bigint for integers). */
export async function rows(
  connection: DuckDBConnection,
  sql: string,
  values: DuckDBValue[] = [],
): Promise<DuckDBValue[][]> {
  return (await connection.runAndReadAll(sql, values)).getRows();
}

/** Puts DuckDB's errors into the runtime's families by the kind that begins their message. */
export function databaseError(cause: unknown, doing: string): GridfoldError {
  if (cause instanceof GridfoldError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const options = { cause };
  if (/^(IO|Out of Memory|TransactionContext|Transaction|Interrupt)\b/i.test(message)) {
    return new GridfoldError('sink_unavailable', 'retry', `${doing}: ${message}`, options);
  }
  return new GridfoldError('sink_failed', 'stop', `${doing}: ${message}`, options);
}
