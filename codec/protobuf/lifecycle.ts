import type { JsonObject } from '../document.ts';
import * as L from '../lifecycle-parts.ts';
import { DataCollector, encodeLifecycleParts, type LifecycleDocument, type TypedPart } from '../lifecycle-parts.ts';
import { OTHER } from '../schema/declaration.ts';
import { bare, orReason, WRONG } from '../wire-document.ts';
import { FIXED32, FIXED64, LEN, ProtoCursor, VARINT } from './cursor.ts';
import { readEntry, readTexts } from './values.ts';
import { ProtoWriter } from './writer.ts';

const TEXT_NUMBERED: ReadonlyMap<number, string> = new Map(L.HEAD_TEXTS.map(([name, number]) => [number, name]));

/** A lifecycle message as the document that JSON would be, or the index of the reason why it is none. */
export function lifecycleFromProtobuf(bytes: Uint8Array, start: number, end: number): JsonObject | number {
  return orReason(() => {
    const message = new ProtoCursor(bytes, start, end);
    const doc = bare();
    while (message.next()) {
      const { number, wire } = message;
      const text = TEXT_NUMBERED.get(number);
      if (text !== undefined && wire === LEN) doc[text] = message.text();
      else if (number === L.EVENT_TIME && wire === VARINT) doc.eventTime = message.varint();
      else if (number === L.RECORD_TIME && wire === VARINT) doc.recordTime = message.varint();
      else if (number === L.DATA && wire === LEN) doc.data = readData(message.message());
      else {
        message.skip();
        if (text !== undefined) doc[text] = WRONG;
      }
    }
    return doc;
  });
}

function readData(message: ProtoCursor): JsonObject {
  const data = new DataCollector();
  while (message.next()) {
    const { number, wire } = message;
    const part = L.PART_NUMBERED.get(number);
    if (number === OTHER && wire === LEN) readEntry(message.message(), (name, text) => data.putOther(name, text));
    else if (part?.type === 'text' && wire === LEN) data.put(part.name, message.text());
    else if (part?.type === 'number' && wire === FIXED64) data.put(part.name, message.double());
    else if (part?.type === 'number' && wire === FIXED32) data.put(part.name, message.float());
    else if (part?.type === 'bool' && wire === VARINT) data.put(part.name, message.varint() !== 0);
    else if (part?.type === 'list' && wire === LEN) data.put(part.name, readTexts(message.message()));
    else data.put(part?.name ?? `#${number}`, unknownPart(message));
  }
  return data.data();
}

/** A part of another type than ours, or that we do not have; its bytes as text where they are text. */
function unknownPart(message: ProtoCursor): unknown {
  if (message.wire === VARINT) return message.varint();
  if (message.wire === FIXED64) return message.double();
  if (message.wire === LEN) return message.textOrBytes();
  message.skip();
  return WRONG;
}

/** The record as a message of `lifecycle.proto`. */
export function lifecycleToProtobuf(record: LifecycleDocument): Uint8Array {
  const out = new ProtoWriter();
  const { eventTime, recordTime, typed, other } = encodeLifecycleParts(record);
  for (const [name, number] of L.HEAD_TEXTS) {
    const text = record[name];
    if (text !== undefined && text !== null) out.text(number, text);
  }
  if (eventTime !== null) out.integer(L.EVENT_TIME, eventTime);
  if (recordTime !== null) out.integer(L.RECORD_TIME, recordTime);
  if (typed !== null)
    out.message(L.DATA, (data) => {
      for (const one of typed) writePart(data, one);
      for (const [name, text] of other) data.entry(OTHER, name, text);
    });
  return out.bytes();
}

function writePart(data: ProtoWriter, { part, value }: TypedPart): void {
  if (typeof value === 'string') data.text(part.number, value);
  else if (typeof value === 'number') data.double(part.number, value);
  else if (typeof value === 'boolean') data.integer(part.number, value ? 1 : 0);
  else
    data.message(part.number, (texts) => {
      for (const item of value) texts.text(1, item);
    });
}
