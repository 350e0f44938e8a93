import { isDescriptor, parseDescriptor } from './proto-descriptor.ts';
import { type ProtoField, type ProtoFile, type ProtoMessage, parseProto } from './proto-file.ts';

/** A schema of type PROTOBUF: the text of a `.proto`, or its compiled form. Throws `schema_invalid`. */
export const parseProtobuf = (text: string): ProtoFile =>
  isDescriptor(text) ? parseDescriptor(text) : parseProto(text);

/** Scalars of one group are written alike: one may be read as another. */
const GROUPS: Readonly<Record<string, string>> = {
  int32: 'varint',
  int64: 'varint',
  uint32: 'varint',
  uint64: 'varint',
  bool: 'varint',
  sint32: 'zigzag',
  sint64: 'zigzag',
  fixed32: 'fixed32',
  sfixed32: 'fixed32',
  fixed64: 'fixed64',
  sfixed64: 'fixed64',
  float: 'float',
  double: 'double',
  string: 'bytes',
  bytes: 'bytes',
};

/** What keeps `reader` from reading what was written with `writer`; empty where nothing does. */
export function protobufComplaints(reader: ProtoFile, writer: ProtoFile): string[] {
  if (reader.package !== writer.package)
    return [`the package is ${reader.package || '(none)'}, not ${writer.package || '(none)'}`];
  const complaints: string[] = [];
  for (const message of writer.messages.values()) {
    const newer = reader.messages.get(message.name);
    if (newer === undefined) complaints.push(`message ${message.name} is gone`);
    else complaints.push(...messageComplaints(reader, newer, writer, message));
  }
  return complaints;
}

function messageComplaints(reader: ProtoFile, newer: ProtoMessage, writer: ProtoFile, older: ProtoMessage): string[] {
  const complaints: string[] = [];
  const where = (field: ProtoField) => `${newer.name}.${field.name} (${field.number})`;
  const drawnIn = new Map<string, number>();
  for (const field of newer.fields.values()) {
    const before = older.fields.get(field.number);
    if (before === undefined) {
      if (field.label === 'required') complaints.push(`${where(field)} is required, but was not there`);
      continue;
    }
    const [is, was] = [wireType(reader, newer.name, field), wireType(writer, older.name, before)];
    if (is !== was) complaints.push(`${where(field)} is ${field.type}, but was ${before.type}`);
    else if (isList(field, is) !== isList(before, was))
      complaints.push(`${where(field)} is ${field.label}, but was ${before.label}`);
    else if (field.label === 'required' && before.label !== 'required')
      complaints.push(`${where(field)} is required, but was not`);
    if (field.oneof !== null && before.oneof === null) drawnIn.set(field.oneof, (drawnIn.get(field.oneof) ?? 0) + 1);
  }
  for (const [oneof, count] of drawnIn) {
    if (count > 1) complaints.push(`${newer.name}.${oneof} takes in ${count} fields that could all be set before`);
  }
  return complaints;
}

/** Numbers that an older schema has reserved and the newer one uses all the same. */
export function reusedNumbers(newer: ProtoFile, older: ProtoFile): string[] {
  const complaints: string[] = [];
  for (const message of newer.messages.values()) {
    const reserved = older.messages.get(message.name)?.reserved ?? [];
    for (const { name, number } of message.fields.values()) {
      if (reserved.some(([from, to]) => number >= from && number <= to))
        complaints.push(`${message.name}.${name} (${number}) uses a number that is reserved`);
    }
  }
  return complaints;
}

/** A singular text or message may become repeated and the reverse; packed numbers may not. */
const isList = (field: ProtoField, wire: string) =>
  field.label === 'map' || (field.label === 'repeated' && wire !== 'bytes' && !wire.startsWith('message '));

function wireType(file: ProtoFile, scope: string, { type }: ProtoField): string {
  const map = /^map<(.*),(.*)>$/.exec(type);
  if (map !== null) return `map ${namedType(file, scope, map[1])} ${namedType(file, scope, map[2])}`;
  return namedType(file, scope, type);
}

/** A name is looked for from the innermost scope outwards, as protoc does. */
function namedType(file: ProtoFile, scope: string, type: string): string {
  if (Object.hasOwn(GROUPS, type)) return GROUPS[type];
  const name = type.startsWith('.') ? type.slice(1) : type;
  for (
    let around = type.startsWith('.') ? '' : scope;
    ;
    around = around.slice(0, Math.max(0, around.lastIndexOf('.')))
  ) {
    const full = around === '' ? name : `${around}.${name}`;
    if (file.enums.has(full)) return 'varint';
    if (file.messages.has(full) || around === '') return `message ${full}`;
  }
}
