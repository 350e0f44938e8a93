/**
 * Keeps a version of the binary formats for ever: its schemas, its numbers, and one record of every kind in every format
 * with what it must be read as. Later versions are tested against it. A folder that exists is never written again.
 *
 *   node scripts/golden.ts VERSION
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { kinds } from '../actors/device/index.ts';
import { TelemetryEncoder } from '../codec/encode.ts';
import { BINARY_FORMATS, SUBJECTS, schemaFile, schemaText } from '../codec/schema/files.ts';
import { NUMBERS } from '../codec/schema/numbers.ts';
import { SAMPLE_LIFECYCLE, sampleRecord } from '../codec/testing/samples.ts';
import { told } from '../codec/testing/told.ts';
import { WireDecoder } from '../codec/wire-decoder.ts';
import { encodeLifecycle, WireLifecycleDecoder } from '../codec/wire-lifecycle.ts';

const version = Number(process.argv[2]);
const folder = new URL(`../codec/golden/v${version}/`, import.meta.url);
if (!Number.isSafeInteger(version) || version < 1 || existsSync(folder)) {
  console.error('usage: golden.ts VERSION, a whole number that codec/golden does not have yet');
  process.exit(2);
}
const TIMESTAMP = 1657270801000;
mkdirSync(folder);
const write = (name: string, content: string | Uint8Array) => writeFileSync(new URL(name, folder), content);
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

write('numbers.json', json(NUMBERS));
for (const subject of SUBJECTS)
  for (const format of BINARY_FORMATS) write(schemaFile(subject, format), schemaText(subject, format));
const encoder = new TelemetryEncoder(kinds);
for (const kind of kinds) {
  const record = sampleRecord(kind);
  const expected = told(new WireDecoder(kinds), kinds, encoder.encode(record, 'json'), TIMESTAMP);
  write(`telemetry-${kind.name}.json`, json({ timestamp: TIMESTAMP, record, expected }));
  for (const format of BINARY_FORMATS) write(`telemetry-${kind.name}.${format}`, encoder.encode(record, format));
}
const bytes = encodeLifecycle(SAMPLE_LIFECYCLE, 'json');
const expected = new WireLifecycleDecoder().decode(bytes, 0, bytes.length, TIMESTAMP);
write('lifecycle.json', json({ timestamp: TIMESTAMP, record: SAMPLE_LIFECYCLE, expected }));
for (const format of BINARY_FORMATS) write(`lifecycle.${format}`, encodeLifecycle(SAMPLE_LIFECYCLE, format));
