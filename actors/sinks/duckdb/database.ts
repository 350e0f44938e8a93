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
 * Opens the file with everything closed that SQL could reach outside it: no other files, no extensions, UTC, and the
 * configuration locked. Throws `sink_target_locked` (retry) when another process has the file open.
 */
export async function openDatabase(file: string, limits: DuckDbLimits): Promise<DuckDBInstance> {
  try {
    const instance = await DuckDBInstance.create(file, {
      threads: String(limits.threads),
      memory_limit: `${limits.memoryLimitMb}MB`,
      autoinstall_known_extensions: 'false',
      allow_community_extensions: 'false',
      enable_external_access: 'false',
    });
    const connection = await instance.connect();
    await connection.run(`SET GLOBAL TimeZone = 'UTC'`);
    await connection.run('SET GLOBAL lock_configuration = true');
    connection.closeSync();
    return instance;
  } catch (cause) {
    throw databaseError(cause, `cannot open ${file}`);
  }
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
  if (/Could not set lock|Conflicting lock|Unique file handle/i.test(message)) {
    return new GridfoldError(
      'sink_target_locked',
      'retry',
      `${doing}: another process has the file open. ${message}`,
      options,
    );
  }
  if (/^(IO|Out of Memory|TransactionContext|Transaction|Interrupt)\b/i.test(message)) {
    return new GridfoldError('sink_unavailable', 'retry', `${doing}: ${message}`, options);
  }
  return new GridfoldError('sink_failed', 'stop', `${doing}: ${message}`, options);
}
