import { readFileSync } from 'node:fs';
import type { Format } from '../wire.ts';
import { lifecycleAvsc, telemetryAvsc } from './avsc.ts';
import type { Declaration } from './declaration.ts';
import { lifecycleFbs, telemetryFbs } from './fbs.ts';
import { lifecycleProto, telemetryProto } from './proto.ts';

export type Subject = 'telemetry' | 'lifecycle';
export type BinaryFormat = Exclude<Format, 'json'>;

export const SUBJECTS: readonly Subject[] = ['telemetry', 'lifecycle'];
export const BINARY_FORMATS: readonly BinaryFormat[] = ['protobuf', 'avro', 'flatbuffers'];

const ENDINGS: Readonly<Record<BinaryFormat, string>> = { protobuf: 'proto', avro: 'avsc', flatbuffers: 'fbs' };

const PRINTERS: Readonly<Record<Subject, Readonly<Record<BinaryFormat, (declaration: Declaration) => string>>>> = {
  telemetry: { protobuf: telemetryProto, avro: telemetryAvsc, flatbuffers: telemetryFbs },
  lifecycle: { protobuf: lifecycleProto, avro: lifecycleAvsc, flatbuffers: lifecycleFbs },
};

/** Name of the file in this folder that holds the schema. */
export const schemaFile = (subject: Subject, format: BinaryFormat): string => `${subject}.${ENDINGS[format]}`;

/** The schema of this version, made from the declaration. */
export const printSchema = (subject: Subject, format: BinaryFormat, declaration: Declaration): string =>
  PRINTERS[subject][format](declaration);

const texts = new Map<string, string>();

/** The schema of this version, as it is committed and registered. */
export function schemaText(subject: Subject, format: BinaryFormat): string {
  const file = schemaFile(subject, format);
  let text = texts.get(file);
  if (text === undefined) {
    text = readFileSync(new URL(file, import.meta.url), 'utf8');
    texts.set(file, text);
  }
  return text;
}
