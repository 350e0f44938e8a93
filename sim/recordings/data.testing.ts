import { existsSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SourceRecord, TelemetryRecord } from '../record.ts';

const folder = process.env.GRIDFOLD_DATA ?? resolve(import.meta.dirname, '../../../shared/data');

/** Path of a real recording, or null where the data folder is absent (set GRIDFOLD_DATA to say where it is). */
export function realData(path: string): string | null {
  const file = join(folder, path);
  return existsSync(file) ? file : null;
}

/** Name of a test on real data: says why it is skipped. */
export function onRealData(name: string, file: string | null): string {
  return file === null ? `${name} (skipped: no recordings in ${folder}; set GRIDFOLD_DATA)` : name;
}

/** Runs `use` with a file of this content, which is gone afterwards. */
export async function withFile<T>(
  name: string,
  content: string | Uint8Array,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gridfold-recording-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, content);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function collect(records: AsyncIterable<SourceRecord>): Promise<SourceRecord[]> {
  const collected: SourceRecord[] = [];
  for await (const record of records) collected.push(record);
  return collected;
}

export function readings(records: readonly SourceRecord[], serial?: string): TelemetryRecord['value'][] {
  const values: TelemetryRecord['value'][] = [];
  for (const record of records) {
    if (record.topic === 'telemetry' && (serial === undefined || record.key === serial)) {
      values.push(record.value as TelemetryRecord['value']);
    }
  }
  return values;
}
