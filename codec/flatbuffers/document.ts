import type { FieldType } from '../../runtime/shard/reading.ts';
import { severityNumbered } from '../alerts.ts';
import type { JsonObject } from '../document.ts';
import { SAMPLE_TEXTS, withUnitOfMeasure } from '../samples.ts';
import { FIRST_FIELD_ID } from '../schema/fbs.ts';
import { FIRST_KIND } from '../schema/numbers.ts';
import { bare, orReason, WireDocument } from '../wire-document.ts';
import type { WriterNames } from '../writer-names.ts';
import type { WirePlan } from '../wire-plan.ts';
import { FlatMemory, type FlatTable } from './table.ts';

/** Ids of the record's own parts. */
export const SERIAL_ID = 0;
export const DEVICE_TIME_ID = 1;
export const RECEIVE_TIME_ID = 2;
export const TXID_ID = 3;
export const RESEND_ID = 4;
export const SEQ_NO_ID = 5;
export const KIND_ID = 6;
export const FIELDS_ID = 7;
/** Ids of a kind's parts beside its fields. */
export const INVALID_ID = 0;
export const OTHER_ID = 1;

/** Number of the kind that stands in the union; the union counts from 1 on. */
export const kindNumber = (unionType: number): number => unionType + FIRST_KIND - 1;

/** A telemetry table as the document that JSON would be, or the index of the reason why it is none. */
export function flatDocument(
  bytes: Uint8Array,
  start: number,
  end: number,
  plans: ReadonlyMap<number, WirePlan>,
  names: WriterNames,
): JsonObject | number {
  return orReason(() => {
    const table = new FlatMemory(bytes, start, end).root();
    const document = new WireDocument(names);
    const { doc } = document;
    doc.serial = table.text(SERIAL_ID);
    doc.deviceTime = table.long(DEVICE_TIME_ID);
    doc.receiveTime = table.long(RECEIVE_TIME_ID);
    doc.txid = table.text(TXID_ID);
    doc.resend = table.boolean(RESEND_ID);
    doc.seqNo = table.long(SEQ_NO_ID);
    const unionType = table.byte(KIND_ID) ?? 0;
    if (unionType > 0) {
      const plan = plans.get(kindNumber(unionType)) ?? null;
      document.startKind(kindNumber(unionType), plan);
      const fields = table.table(FIELDS_ID);
      if (fields === undefined) doc.fields = undefined;
      else if (plan !== null) readFields(fields, plan, document);
    }
    for (let id = FIELDS_ID + 1; id < table.size; id++) if (table.has(id)) doc[`#${id}`] = true;
    return document.finish();
  });
}

function readFields(fields: FlatTable, plan: WirePlan, document: WireDocument): void {
  for (let id = OTHER_ID + 1; id < fields.size; id++) {
    if (!fields.has(id)) continue;
    const number = id - FIRST_FIELD_ID;
    const field = number < plan.fieldOf.length ? plan.fieldOf[number] : -1;
    if (field >= 0) readField(fields, id, plan, field, document);
    else document.put(document.unknownName(number), unknownValue(fields, id, document));
  }
  for (const [name, text] of otherOf(fields)) document.putOther(name, text);
  for (const number of fields.shorts(INVALID_ID) ?? []) document.putInvalid(plan, number);
}

/** Names and JSON texts of what the schema has no place for. */
export function otherOf(fields: FlatTable): [name: string, text: string][] {
  return (fields.tables(OTHER_ID) ?? []).map((other) => [other.text(0) ?? '', other.text(1) ?? '']);
}

/** The value of a field that the kind does not have, as the writer's schema explains it; nothing else tells its type. */
function unknownValue(fields: FlatTable, id: number, document: WireDocument): unknown {
  const number = id - FIRST_FIELD_ID;
  switch (document.unknownType(number)) {
    case 'number':
      return fields.double(id);
    case 'bool':
      return fields.boolean(id);
    case 'text':
      return fields.text(id);
    case 'enum': {
      const word = fields.byte(id) as number;
      return document.unknownWord(number, word) ?? word;
    }
    case undefined:
      return true;
  }
}

function readField(fields: FlatTable, id: number, plan: WirePlan, field: number, document: WireDocument): void {
  const { name, type } = plan.kind.specs[field];
  switch (type) {
    case 'number':
      document.put(name, fields.double(id));
      break;
    case 'enum':
      document.putWord(plan, field, fields.byte(id) as number);
      break;
    case 'bool':
      document.put(name, fields.boolean(id));
      break;
    case 'text':
      document.put(name, fields.text(id));
      break;
    default:
      document.put(name, listOf(fields, id, type));
  }
}

/** A list as JSON would have it. */
export function listOf(fields: FlatTable, id: number, type: FieldType): unknown {
  if (type === 'list') return fields.texts(id);
  return fields.tables(id)?.map(type === 'alerts' ? alertOf : sampleOf);
}

function alertOf(table: FlatTable): JsonObject {
  return {
    name: table.text(0) ?? '',
    severity: severityNumbered(table.byte(1) ?? 0),
    startedAt: table.long(2),
    endedAt: table.long(3),
  };
}

function sampleOf(table: FlatTable): JsonObject {
  const sample = bare();
  SAMPLE_TEXTS.forEach((name, i) => {
    const text = table.text(i);
    if (text !== undefined) sample[name] = text;
  });
  const multiplier = table.integer(SAMPLE_TEXTS.length);
  if (multiplier !== undefined) sample.multiplier = multiplier;
  return withUnitOfMeasure(sample);
}
