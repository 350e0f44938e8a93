import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { SourceRecord } from '../record.ts';

/** What a caller may say about a recording. Everything is optional; a format ignores what does not concern it. */
export interface RecordingOptions {
  /** First part of the serials that the format makes, or put before those that the file names. */
  readonly serialPrefix?: string;
  readonly siteId?: string;
  /** IANA zone of the site, and of times without offset. */
  readonly timeZone?: string;
  /** Capture time of a file that holds one instant: RFC 3339, or epoch milliseconds. */
  readonly at?: string | number;
  /** Told in `manufactured`; unknown when absent. */
  readonly capacityWh?: number;
  readonly ratedW?: number;
}

/** One format of recorded real data, read as a stream. */
export interface Recording {
  readonly format: string;
  /** One line for the command line's help. */
  readonly description: string;
  /** The options that the format heeds. */
  readonly options: readonly (keyof RecordingOptions)[];
  /**
   * The file as records, in the file's order, an asset's lifecycle before its first reading. Memory does not grow with
   * the file. Throws GridfoldError `recording_malformed` (with the line) or `recording_unreadable` while it is read.
   */
  open(file: string, options: RecordingOptions): AsyncIterable<SourceRecord>;
}

/** The file is not what the format says; `line` counts from 1. */
export function malformed(file: string, line: number | null, problem: string): GridfoldError {
  const where = line === null ? file : `${file}, line ${line}`;
  return new GridfoldError('recording_malformed', 'fix-configuration', `${where}: ${problem}`);
}

export function unreadable(file: string, cause: unknown): GridfoldError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GridfoldError('recording_unreadable', 'fix-configuration', `Cannot read ${file}: ${reason}`, { cause });
}

export function badOption(name: string, problem: string): GridfoldError {
  return new GridfoldError('recording_option_invalid', 'fix-configuration', `Option ${name}: ${problem}`);
}
