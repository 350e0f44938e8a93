import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { SourceRecord } from '../../sim/record.ts';
import { openRecording } from '../../sim/recordings/index.ts';

/** A stretch of a table: stamps as the file writes them, `[from, until)`. */
export type Stretch = readonly [from: string, until: string];

/** Writes the header and the rows of some stretches to another file, streaming. */
export function writePart(source: string, target: string, ...stretches: readonly Stretch[]): Promise<void> {
  return writeRows(source, target, (row) => {
    const stamp = row.split(',')[0].replaceAll('"', '').replace(' ', 'T');
    return stretches.some(([from, until]) => stamp >= from && stamp < until);
  });
}

/** Writes the header and the rows that `keeps` says to another file, streaming. */
export async function writeRows(source: string, target: string, keeps: (row: string) => boolean): Promise<void> {
  const out = createWriteStream(target);
  let isHeader = true;
  for await (const line of createInterface({ input: createReadStream(source) })) {
    if (isHeader || keeps(line)) out.write(`${line}\n`);
    isHeader = false;
  }
  await new Promise<void>((resolve) => out.end(resolve));
}

/** A recording as NDJSON, lifecycle and telemetry mixed as they come, in `pieces` files; returns their names. */
export async function writePieces(format: string, source: string, target: string, pieces: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const { value } of openRecording(format, source)) lines.push(`${JSON.stringify(value)}\n`);
  const names: string[] = [];
  for (let i = 0; i < pieces; i++) {
    const name = `${target}-${i}.ndjson`;
    const out = createWriteStream(name);
    for (const line of lines.slice(
      Math.floor((i * lines.length) / pieces),
      Math.floor(((i + 1) * lines.length) / pieces),
    ))
      out.write(line);
    await new Promise<void>((resolve) => out.end(resolve));
    names.push(name);
  }
  return names;
}

/** Records as NDJSON, in their order. */
export async function writeRecords(target: string, records: Iterable<SourceRecord>): Promise<void> {
  const out = createWriteStream(target);
  for (const { value } of records) out.write(`${JSON.stringify(value)}\n`);
  await new Promise<void>((resolve) => out.end(resolve));
}
