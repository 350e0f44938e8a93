import type { FieldType } from '../../runtime/shard/reading.ts';
import type { JsonObject } from '../document.ts';
import { bare, orReason, UNDECODABLE, WireDocument } from '../wire-document.ts';
import { NO_NAMES } from '../writer-names.ts';
import type { WirePlan } from '../wire-plan.ts';
import { typeName } from '../schema/declaration.ts';
import { withUnitOfMeasure } from '../samples.ts';
import { AvroCursor } from './cursor.ts';
import type { AvroType } from './schema.ts';
import { AvroRecord, AvroValueReader } from './value.ts';

const UNSPECIFIED = 'UNSPECIFIED';

/** A telemetry record of any Avro schema as the document that JSON would be, by the names that the schema gives. */
export function avroDocument(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: AvroType,
  plans: readonly WirePlan[],
): JsonObject | number {
  return orReason(() => {
    const { values: doc } = readWhole(bytes, start, end, type);
    const { fields } = doc;
    if (!(fields instanceof AvroRecord)) return doc;
    const plan = plans.find(
      ({ kind }) => kind.name === doc.kind || (doc.kind === undefined && typeName(kind.name) === fields.type.name),
    );
    doc.kind ??= plan?.kind.name ?? fields.type.name;
    doc.fields = fieldsOf(fields, plan ?? null);
    return doc;
  });
}

/** The record that the bytes are, all of them. */
export function readWhole(bytes: Uint8Array, start: number, end: number, type: AvroType): AvroRecord {
  const cursor = new AvroCursor(bytes, start, end);
  const record = new AvroValueReader(cursor).read(type);
  if (cursor.left > 0 || !(record instanceof AvroRecord)) throw UNDECODABLE;
  return record;
}

function fieldsOf({ type, values }: AvroRecord, plan: WirePlan | null): JsonObject {
  const nameOf = (number: number) => type.fields.find((field) => field.number === number)?.name;
  const document = new WireDocument({ ...NO_NAMES, field: (_, number) => nameOf(number) });
  document.startKind(plan?.number ?? 0, plan);
  for (const [name, value] of Object.entries(values)) {
    if (name !== 'invalid' && name !== 'other') putField(name, value, plan, document);
  }
  for (const [name, text] of otherOf(values.other)) document.putOther(name, text);
  if (Array.isArray(values.invalid)) {
    for (const number of values.invalid) if (typeof number === 'number') document.putInvalid(plan, number);
  }
  return document.finish().fields as JsonObject;
}

function putField(name: string, value: unknown, plan: WirePlan | null, document: WireDocument): void {
  const field = plan?.kind.indexOf.get(name) ?? -1;
  const spec = plan?.kind.specs[field];
  if (plan !== null && spec?.type === 'enum' && typeof value === 'string') {
    if (value !== UNSPECIFIED) document.put(name, plan.wordOfSymbol(field, value));
  } else document.put(name, spec === undefined ? plainOf(value) : listOf(spec.type, value));
}

/** The value of a list of alerts or samples as JSON would have it; any other as it is. */
export function listOf(type: FieldType, value: unknown): unknown {
  if (type === 'alerts' && Array.isArray(value)) return value.map(alertOf);
  if (type === 'meterValues' && Array.isArray(value)) return value.map(sampleOf);
  return plainOf(value);
}

function alertOf(item: unknown): unknown {
  if (!(item instanceof AvroRecord)) return item;
  const alert = item.values;
  if (alert.severity === UNSPECIFIED) alert.severity = null;
  return alert;
}

const sampleOf = (item: unknown) => (item instanceof AvroRecord ? withUnitOfMeasure(item.values) : item);

/** The value with its records as objects. */
export function plainOf(value: unknown): unknown {
  if (value instanceof AvroRecord) return plainOf(value.values);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  const plain = bare();
  for (const [name, part] of Object.entries(value)) plain[name] = plainOf(part);
  return plain;
}

/** What the schema has no place for, as JSON text by name. */
export function otherOf(value: unknown): [name: string, text: string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : []));
}
