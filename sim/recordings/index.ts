import { statSync } from 'node:fs';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { SourceRecord } from '../record.ts';
import { acn } from './acn.ts';
import { type Recording, type RecordingOptions, unreadable } from './contract.ts';
import { powerwallApi } from './powerwall-api.ts';
import { seattle } from './seattle.ts';
import { solarma } from './solarma.ts';

export type { Recording, RecordingOptions } from './contract.ts';
export { type DegradeOptions, degrade } from './degrade.ts';

/** Every format that `gridfold replay` knows, by name. */
export const recordings: Readonly<Record<string, Recording>> = {
  [seattle.format]: seattle,
  [solarma.format]: solarma,
  [powerwallApi.format]: powerwallApi,
  [acn.format]: acn,
};

/**
 * Opens a recording as a stream of records.
 *
 * Throws GridfoldError `recording_format_unknown` or `recording_unreadable` at once; `recording_malformed`,
 * `recording_option_invalid` and `recording_unreadable` while the stream is read.
 */
export function openRecording(
  format: string,
  file: string,
  options: RecordingOptions = {},
): AsyncIterable<SourceRecord> {
  const recording = Object.hasOwn(recordings, format) ? recordings[format] : undefined;
  if (recording === undefined) {
    const known = Object.keys(recordings).join(', ');
    const message = `There is no recording format "${format}"; the formats are ${known}`;
    throw new GridfoldError('recording_format_unknown', 'fix-configuration', message);
  }
  assertFile(file);
  return recording.open(file, options);
}

function assertFile(file: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (error) {
    throw unreadable(file, error);
  }
  if (!isFile) throw unreadable(file, 'it is not a file');
}
