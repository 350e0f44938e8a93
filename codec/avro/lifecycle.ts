import type { JsonObject } from '../document.ts';
import {
  DataCollector,
  encodeLifecycleParts,
  type LifecycleDocument,
  PARTS,
  type TypedPart,
} from '../lifecycle-parts.ts';
import { ZERO_TIME } from '../time.ts';
import { orReason } from '../wire-document.ts';
import { otherOf, plainOf, readWhole } from './document.ts';
import type { AvroType } from './schema.ts';
import { AvroRecord } from './value.ts';
import { AvroWriter } from './writer.ts';

/** A lifecycle record of any Avro schema as the document that JSON would be, by the names that the schema gives. */
export function lifecycleFromAvro(bytes: Uint8Array, start: number, end: number, type: AvroType): JsonObject | number {
  return orReason(() => {
    const doc = readWhole(bytes, start, end, type).values;
    if (doc.data instanceof AvroRecord) doc.data = dataOf(doc.data.values);
    return doc;
  });
}

function dataOf(values: JsonObject): JsonObject {
  const data = new DataCollector();
  for (const [name, value] of Object.entries(values)) if (name !== 'other') data.put(name, plainOf(value));
  for (const [name, text] of otherOf(values.other)) data.putOther(name, text);
  return data.data();
}

/** The record as `lifecycle.avsc` describes it. */
export function lifecycleToAvro(record: LifecycleDocument): Uint8Array {
  const out = new AvroWriter();
  const { eventTime, recordTime, typed, other } = encodeLifecycleParts(record);
  for (const text of [record.id, record.serial, record.kind, record.type]) out.text(text);
  out.long(eventTime ?? ZERO_TIME).optional(recordTime, (ms) => out.long(ms));
  out.optional(record.source, (text) => out.text(text));
  out.optional(typed, (parts) => {
    const byName = new Map(parts.map((one) => [one.part.name, one]));
    for (const { name, type } of PARTS) if (type !== null) out.optional(byName.get(name), (one) => writePart(out, one));
    out.list(other, ([name, text]) => out.text(name).text(text));
  });
  return out.bytes();
}

function writePart(out: AvroWriter, { value }: TypedPart): void {
  if (typeof value === 'string') out.text(value);
  else if (typeof value === 'number') out.double(value);
  else if (typeof value === 'boolean') out.boolean(value);
  else out.list(value, (item) => out.text(item));
}
