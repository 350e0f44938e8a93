import { LEN, ProtoCursor, VARINT } from '../../protobuf/cursor.ts';
import { Refusal } from '../../wire-document.ts';
import { invalidSchema } from '../schema-type.ts';
import type { ProtoField, ProtoFile, ProtoMessage } from './proto-file.ts';

/** Types of FieldDescriptorProto by number; a group (10), a message (11) and an enum (14) are called by their names. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'double',
  2: 'float',
  3: 'int64',
  4: 'uint64',
  5: 'int32',
  6: 'fixed64',
  7: 'fixed32',
  8: 'bool',
  9: 'string',
  12: 'bytes',
  13: 'uint32',
  15: 'sfixed32',
  16: 'sfixed64',
  17: 'sint32',
  18: 'sint64',
};
const LABELS: Readonly<Record<number, ProtoField['label']>> = { 1: 'singular', 2: 'required', 3: 'repeated' };
const MAX_NESTING = 32;

/** Some clients register a compiled `.proto`: a FileDescriptorProto in base 64, where no text of a `.proto` would do. */
export const isDescriptor = (text: string): boolean => /^[A-Za-z0-9+/]+={0,2}\s*$/.test(text);

/** What a compiled `.proto` says about the wire; `schema_invalid` where it is none. */
export function parseDescriptor(text: string): ProtoFile {
  const bytes = Buffer.from(text, 'base64');
  try {
    return new DescriptorReader().file(bytes);
  } catch (error) {
    if (error instanceof Refusal) throw invalidSchema('it is neither the text of a .proto nor its descriptor');
    throw error;
  }
}

class DescriptorReader {
  readonly #messages = new Map<string, ProtoMessage>();
  readonly #enums = new Map<string, Map<number, string>>();
  /** Messages that stand for the entries of a map, by their names with a leading dot. */
  readonly #entries = new Map<string, ProtoMessage>();

  file(bytes: Uint8Array): ProtoFile {
    let scope = '';
    for (const file = new ProtoCursor(bytes, 0, bytes.length); file.next(); ) {
      if (file.number === 2 && file.wire === LEN) scope = file.text();
      else file.skip();
    }
    for (const file = new ProtoCursor(bytes, 0, bytes.length); file.next(); ) {
      if (file.number === 4 && file.wire === LEN) this.#message(file.message(), scope, 1);
      else if (file.number === 5 && file.wire === LEN) this.#enum(file.message(), scope);
      else file.skip();
    }
    if (this.#messages.size === 0) throw invalidSchema('the descriptor has no message');
    const messages = new Map([...this.#messages].map(([name, message]) => [name, this.#withMaps(message)]));
    return { package: scope, messages, enums: this.#enums };
  }

  #message(descriptor: ProtoCursor, scope: string, depth: number): void {
    if (depth > MAX_NESTING) throw invalidSchema(`messages are nested more than ${MAX_NESTING} deep`);
    const fields = new Map<number, ProtoField>();
    const reserved: [number, number][] = [];
    const nested: ((scope: string) => void)[] = [];
    let name = '';
    let isEntry = false;
    while (descriptor.next()) {
      const { number, wire } = descriptor;
      if (wire !== LEN) descriptor.skip();
      else if (number === 1) name = inside(scope, descriptor.text());
      else if (number === 2) {
        const field = readField(descriptor.message());
        fields.set(field.number, field);
      } else if (number === 3 || number === 4) {
        const inner = descriptor.message();
        nested.push((outer) => (number === 3 ? this.#message(inner, outer, depth + 1) : this.#enum(inner, outer)));
      } else if (number === 7) isEntry = readNumber(descriptor.message(), 7) !== 0;
      else if (number === 9) reserved.push(readRange(descriptor.message()));
      else descriptor.skip();
    }
    const message = { name, fields, reserved };
    if (isEntry) this.#entries.set(`.${name}`, message);
    else this.#messages.set(name, message);
    for (const read of nested) read(name);
  }

  #enum(descriptor: ProtoCursor, scope: string): void {
    const words = new Map<number, string>();
    let name = '';
    while (descriptor.next()) {
      if (descriptor.number === 1 && descriptor.wire === LEN) name = inside(scope, descriptor.text());
      else if (descriptor.number === 2 && descriptor.wire === LEN) readWord(descriptor.message(), words);
      else descriptor.skip();
    }
    this.#enums.set(name, words);
  }

  /** A map is a list of entries here; the text calls it a map. */
  #withMaps(message: ProtoMessage): ProtoMessage {
    const fields = new Map<number, ProtoField>();
    for (const [number, field] of message.fields) {
      const entry = this.#entries.get(field.type);
      const [key, value] = [entry?.fields.get(1)?.type, entry?.fields.get(2)?.type];
      fields.set(number, entry === undefined ? field : { ...field, type: `map<${key},${value}>`, label: 'map' });
    }
    return { ...message, fields };
  }
}

const inside = (scope: string, name: string) => (scope === '' ? name : `${scope}.${name}`);

/** Of several words with one number the first stands. */
function readWord(descriptor: ProtoCursor, words: Map<number, string>): void {
  let word = '';
  let number = 0;
  while (descriptor.next()) {
    if (descriptor.number === 1 && descriptor.wire === LEN) word = descriptor.text();
    else if (descriptor.number === 2 && descriptor.wire === VARINT) number = descriptor.varint();
    else descriptor.skip();
  }
  if (!words.has(number)) words.set(number, word);
}

function readField(descriptor: ProtoCursor): ProtoField {
  let name = '';
  let number = 0;
  let label: ProtoField['label'] = 'singular';
  let type = '';
  let oneof: string | null = null;
  let isOptional = false;
  while (descriptor.next()) {
    const { number: part, wire } = descriptor;
    if (part === 1 && wire === LEN) name = descriptor.text();
    else if (part === 6 && wire === LEN) type = descriptor.text();
    else if (part === 3 && wire === VARINT) number = descriptor.varint();
    else if (part === 4 && wire === VARINT) label = LABELS[descriptor.varint()] ?? 'singular';
    else if (part === 5 && wire === VARINT) type = TYPES[descriptor.varint()] ?? type;
    else if (part === 9 && wire === VARINT) oneof = `oneof ${descriptor.varint()}`;
    else if (part === 17 && wire === VARINT) isOptional = descriptor.varint() !== 0;
    else descriptor.skip();
  }
  return { name, number, label, type, oneof: isOptional ? null : oneof };
}

/** A range of numbers, both ends in it; the descriptor's end stands behind it. */
function readRange(descriptor: ProtoCursor): [number, number] {
  let from = 0;
  let behind = 0;
  while (descriptor.next()) {
    if (descriptor.number === 1 && descriptor.wire === VARINT) from = descriptor.varint();
    else if (descriptor.number === 2 && descriptor.wire === VARINT) behind = descriptor.varint();
    else descriptor.skip();
  }
  return [from, behind - 1];
}

/** The number in a field of a message; 0 where it is not there. */
function readNumber(descriptor: ProtoCursor, field: number): number {
  let found = 0;
  while (descriptor.next()) {
    if (descriptor.number === field && descriptor.wire === VARINT) found = descriptor.varint();
    else descriptor.skip();
  }
  return found;
}
