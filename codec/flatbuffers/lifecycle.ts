import { Builder, type Offset } from 'flatbuffers';
import type { JsonObject } from '../document.ts';
import * as L from '../lifecycle-parts.ts';
import { DataCollector, encodeLifecycleParts, type LifecycleDocument, type TypedPart } from '../lifecycle-parts.ts';
import { bare, orReason } from '../wire-document.ts';
import { FlatMemory, type FlatTable } from './table.ts';
import { BOOL, type Cell, DOUBLE, LONG, OFFSET, writeOffsets, writeTable, writeTexts } from './writer.ts';

/** Ids are one less than the numbers of other formats. */
const idOf = (number: number) => number - 1;
/** Of the data; the id of a part is its number. */
const OTHER_ID = 0;

/** A lifecycle table as the document that JSON would be, or the index of the reason why it is none. */
export function lifecycleFromFlatBuffers(bytes: Uint8Array, start: number, end: number): JsonObject | number {
  return orReason(() => {
    const table = new FlatMemory(bytes, start, end).root();
    const doc = bare();
    for (const [name, number] of L.HEAD_TEXTS) doc[name] = table.text(idOf(number));
    doc.eventTime = table.long(idOf(L.EVENT_TIME));
    doc.recordTime = table.long(idOf(L.RECORD_TIME));
    const data = table.table(idOf(L.DATA));
    if (data !== undefined) doc.data = readData(data);
    return doc;
  });
}

function readData(table: FlatTable): JsonObject {
  const data = new DataCollector();
  for (let id = OTHER_ID + 1; id < table.size; id++) {
    const part = L.PART_NUMBERED.get(id);
    if (part?.type === 'text') data.put(part.name, table.text(id));
    else if (part?.type === 'number') data.put(part.name, table.double(id));
    else if (part?.type === 'bool') data.put(part.name, table.boolean(id));
    else if (part?.type === 'list') data.put(part.name, table.texts(id));
    else if (table.has(id)) data.put(`#${id}`, true);
  }
  for (const other of table.tables(OTHER_ID) ?? []) data.putOther(other.text(0) ?? '', other.text(1) ?? '');
  return data.data();
}

/** The record as a buffer of `lifecycle.fbs`. */
export function lifecycleToFlatBuffers(record: LifecycleDocument): Uint8Array {
  const out = new Builder(512);
  const { eventTime, recordTime, typed, other } = encodeLifecycleParts(record);
  const data = typed === null ? null : writeData(out, typed, other);
  const cells = L.HEAD_TEXTS.map(([name, number]): Cell | null => {
    const text = record[name];
    if (text === undefined || text === null) return null;
    return { id: idOf(number), type: OFFSET, value: out.createString(text) };
  });
  if (eventTime !== null) cells.push({ id: idOf(L.EVENT_TIME), type: LONG, value: eventTime });
  if (recordTime !== null) cells.push({ id: idOf(L.RECORD_TIME), type: LONG, value: recordTime });
  if (data !== null) cells.push({ id: idOf(L.DATA), type: OFFSET, value: data });
  out.finish(writeTable(out, L.DATA, cells));
  return out.asUint8Array();
}

function writeData(out: Builder, typed: readonly TypedPart[], other: readonly (readonly [string, string])[]): Offset {
  const cells = typed.map((one) => cellOf(out, one));
  if (other.length > 0) {
    const tables = other.map((texts) => writeTexts(out, texts));
    cells.push({ id: OTHER_ID, type: OFFSET, value: writeOffsets(out, tables) });
  }
  return writeTable(out, Math.max(...L.PART_NUMBERED.keys()) + 1, cells);
}

function cellOf(out: Builder, { part: { number: id }, value }: TypedPart): Cell {
  if (typeof value === 'string') return { id, type: OFFSET, value: out.createString(value) };
  if (typeof value === 'number') return { id, type: DOUBLE, value };
  if (typeof value === 'boolean') return { id, type: BOOL, value: value ? 1 : 0 };
  const texts = value.map((item) => out.createString(item));
  return { id, type: OFFSET, value: writeOffsets(out, texts) };
}
