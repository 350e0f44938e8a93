import { TokenReader } from './tokens.ts';

export interface ProtoField {
  readonly number: number;
  readonly name: string;
  /** As it is written; `map<K,V>` for a map. */
  readonly type: string;
  readonly label: 'singular' | 'repeated' | 'required' | 'map';
  /** The oneof it stands in, or null. */
  readonly oneof: string | null;
}

export interface ProtoMessage {
  /** With its package, without a leading dot. */
  readonly name: string;
  readonly fields: ReadonlyMap<number, ProtoField>;
  /** Numbers that must not be used again: ranges with both ends. */
  readonly reserved: readonly (readonly [from: number, to: number])[];
}

export interface ProtoFile {
  readonly package: string;
  readonly messages: ReadonlyMap<string, ProtoMessage>;
  /** Words of each enum by their numbers, by full name; of several with one number the first. */
  readonly enums: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

const MAX_NUMBER = 536_870_911;
const MAX_NESTING = 32;

/** What a `.proto` text (proto2, proto3, editions) says about the wire; `schema_invalid` where it is no such text. */
export function parseProto(text: string): ProtoFile {
  return new ProtoReader(text).file();
}

class ProtoReader {
  readonly #tokens: TokenReader;
  readonly #messages = new Map<string, ProtoMessage>();
  readonly #enums = new Map<string, Map<number, string>>();
  #package = '';

  constructor(text: string) {
    this.#tokens = new TokenReader(text);
  }

  file(): ProtoFile {
    const t = this.#tokens;
    while (!t.isAtEnd) {
      if (t.skip(';')) continue;
      const word = t.word();
      if (word === 'message') this.#message(this.#package, 1);
      else if (word === 'enum') this.#enum(this.#package);
      else if (word === 'package') {
        this.#package = t.word();
        t.expect(';');
      } else if (word === 'service' || word === 'extend') {
        t.word();
        t.skipGroup('{', '}');
      } else if (['syntax', 'edition', 'import', 'option'].includes(word)) t.skipStatement();
      else t.fail(`${JSON.stringify(word.slice(0, 60))} is not expected`);
    }
    if (this.#messages.size === 0) t.fail('there is no message');
    return { package: this.#package, messages: this.#messages, enums: this.#enums };
  }

  #message(scope: string, depth: number): void {
    const t = this.#tokens;
    if (depth > MAX_NESTING) t.fail(`messages are nested more than ${MAX_NESTING} deep`);
    const name = inside(scope, t.word());
    if (this.#messages.has(name)) t.fail(`message ${name} is there twice`);
    const fields = new Map<number, ProtoField>();
    const reserved: [number, number][] = [];
    this.#messages.set(name, { name, fields, reserved });
    t.expect('{');
    while (!t.skip('}')) this.#member(name, fields, reserved, depth);
  }

  #member(scope: string, fields: Map<number, ProtoField>, reserved: [number, number][], depth: number): void {
    const t = this.#tokens;
    if (t.skip(';')) return;
    const word = t.word();
    // A type may be called like a keyword: then a name follows, and `=`.
    if (word === 'message') this.#message(scope, depth + 1);
    else if (word === 'enum') this.#enum(scope);
    else if (word === 'option' || word === 'extensions') t.skipStatement();
    else if (word === 'extend') {
      t.word();
      t.skipGroup('{', '}');
    } else if (word === 'reserved') this.#reserved(reserved);
    else if (word === 'oneof') {
      const oneof = t.word();
      t.expect('{');
      while (!t.skip('}')) {
        if (t.skip('option')) t.skipStatement();
        else if (!t.skip(';')) this.#field(t.word(), 'singular', oneof, fields);
      }
    } else if (word === 'repeated' || word === 'required') this.#field(t.word(), word, null, fields);
    else if (word === 'optional') this.#field(t.word(), 'singular', null, fields);
    else if (word === 'map' && t.skip('<')) {
      const key = t.word();
      t.expect(',');
      const value = t.word();
      t.expect('>');
      this.#field(`map<${key},${value}>`, 'map', null, fields);
    } else this.#field(word, 'singular', null, fields);
  }

  #field(type: string, label: ProtoField['label'], oneof: string | null, fields: Map<number, ProtoField>): void {
    const t = this.#tokens;
    if (type === 'group') t.fail('groups are not supported: use a message');
    const name = t.word();
    t.expect('=');
    const number = t.integer();
    if (number < 1 || number > MAX_NUMBER) t.fail(`field ${name} has number ${number}, which is not possible`);
    if (fields.has(number)) t.fail(`number ${number} is there twice`);
    fields.set(number, { number, name, type, label, oneof });
    if (t.peek.text === '[') t.skipGroup('[', ']');
    t.expect(';');
  }

  #reserved(reserved: [number, number][]): void {
    const t = this.#tokens;
    do {
      if (t.peek.kind !== 'number') {
        t.next();
        continue;
      }
      const from = t.integer();
      const to = t.skip('to') ? (t.skip('max') ? MAX_NUMBER : t.integer()) : from;
      reserved.push([from, to]);
    } while (t.skip(','));
    t.expect(';');
  }

  #enum(scope: string): void {
    const t = this.#tokens;
    const name = inside(scope, t.word());
    if (this.#enums.has(name)) t.fail(`enum ${name} is there twice`);
    const words = new Map<number, string>();
    this.#enums.set(name, words);
    t.expect('{');
    while (!t.skip('}')) {
      if (t.skip(';')) continue;
      const word = t.word();
      if (word === 'option' || word === 'reserved') t.skipStatement();
      else {
        t.expect('=');
        const number = t.integer();
        if (!words.has(number)) words.set(number, word);
        if (t.peek.text === '[') t.skipGroup('[', ']');
        t.expect(';');
      }
    }
  }
}

const inside = (scope: string, name: string) => (scope === '' ? name : `${scope}.${name}`);
