import { GridfoldError } from '../../kernel/errors.ts';

/** The errors of the embedded log; codes are listed in docs/operate.md. */

export function corrupt(what: string, cause?: unknown): GridfoldError {
  const next = 'Restore the data directory from a copy (docs/recover.md).';
  return new GridfoldError('log_corrupt', 'stop', `The log is damaged. ${what}. ${next}`, { cause });
}

export function outOfRange(topic: string, partition: number, from: number, start: number, end: number): GridfoldError {
  const missing =
    from < start ? `${from}..${start - 1} are no longer retained` : `${end}..${from - 1} were never written`;
  const message = `Offset ${from} of ${topic}/${partition} cannot be read: offsets ${missing}.`;
  return new GridfoldError('log_offset_out_of_range', 'stop', message);
}

export function fenced(partition: number, held: number, newest: number): GridfoldError {
  const message = `Generation ${held} of partition ${partition} is fenced by generation ${newest}: another owner has claimed it.`;
  return new GridfoldError('log_fenced', 'rejoin', message);
}

export const closed = (): GridfoldError => new GridfoldError('log_closed', 'stop', 'The log is closed.');

export function writeFailed(cause: unknown): GridfoldError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `The log could not be written (${why}) and takes no more records. Free the disk or repair it, then start again.`;
  return new GridfoldError('log_write_failed', 'stop', message, { cause });
}

export function badArgument(message: string): GridfoldError {
  return new GridfoldError('log_bad_argument', 'stop', message);
}

/** Whether an error of LevelDB means that its files are not what it wrote, rather than that it may not touch them. */
export function isFileDamage(error: unknown): boolean {
  const message = rootMessage(error);
  // Its synchronous calls throw without a code.
  if (!/^(IO error|Corruption)/.test(message) && levelCode(error) !== 'LEVEL_CORRUPTION') return false;
  return !/permission denied|no space|too many open|read-only/i.test(message);
}

/** The message of the innermost cause. */
export function rootMessage(error: unknown): string {
  let message = String(error);
  for (let e = error; e instanceof Error; e = e.cause) message = e.message;
  return message;
}

/** The code that classic-level gave an error or its cause, for instance LEVEL_LOCKED. */
export function levelCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const code = (e as { code?: unknown }).code;
    if (typeof code === 'string' && code !== 'LEVEL_DATABASE_NOT_OPEN') return code;
  }
  return undefined;
}
