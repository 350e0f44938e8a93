import { TokenReader } from './tokens.ts';

export interface FbsField {
  readonly name: string;
  /** As it is written, without spaces. */
  readonly type: string;
  /** Text of the default; '' where there is none. */
  readonly default: string;
  readonly isRequired: boolean;
}

/** A table, a struct, an enum or a union: its members in the order of their slots. */
export interface FbsType {
  readonly shape: 'table' | 'struct' | 'enum' | 'union';
  /** Type of an enum's numbers; '' elsewhere. */
  readonly base: string;
  readonly fields: readonly FbsField[];
  /** Enums: number of each word. */
  readonly words: ReadonlyMap<string, number>;
}

export interface FbsFile {
  readonly types: ReadonlyMap<string, FbsType>;
  readonly root: string;
}

/** What a `.fbs` text says about the buffers; `schema_invalid` where it is no such text. */
export function parseFlatbuffers(text: string): FbsFile {
  const t = new TokenReader(text);
  const types = new Map<string, FbsType>();
  let namespace = '';
  let root = '';
  while (!t.isAtEnd) {
    if (t.skip(';')) continue;
    const word = t.word();
    if (word === 'namespace') {
      namespace = t.peek.kind === 'word' ? t.word() : '';
      t.expect(';');
    } else if (word === 'root_type') {
      root = t.word();
      t.expect(';');
    } else if (word === 'table' || word === 'struct' || word === 'enum' || word === 'union') {
      const name = t.word();
      const full = namespace === '' ? name : `${namespace}.${name}`;
      if (types.has(full)) t.fail(`${full} is there twice`);
      types.set(full, word === 'table' || word === 'struct' ? recordOf(t, word) : wordsOf(t, word));
    } else if (word === 'rpc_service') {
      t.word();
      t.skipGroup('{', '}');
    } else if (['include', 'attribute', 'file_identifier', 'file_extension'].includes(word)) t.skipStatement();
    else t.fail(`${JSON.stringify(word.slice(0, 60))} is not expected`);
  }
  if (root === '') t.fail('there is no root_type');
  return { types, root };
}

function recordOf(t: TokenReader, shape: 'table' | 'struct'): FbsType {
  attributesOf(t);
  t.expect('{');
  const fields: FbsField[] = [];
  const ids: number[] = [];
  while (!t.skip('}')) {
    const name = t.word();
    t.expect(':');
    const type = typeOf(t);
    const value = t.skip('=') ? defaultOf(t) : '';
    const attributes = attributesOf(t);
    t.expect(';');
    const id = attributes.get('id');
    if (id !== undefined) ids.push(Number(id));
    fields.push({ name, type, default: value, isRequired: attributes.has('required') });
  }
  const words = new Map<string, number>();
  if (ids.length === 0) return { shape, base: '', fields, words };
  if (ids.length !== fields.length) t.fail('either all fields of a table have an id or none');
  const inOrder: FbsField[] = [];
  ids.forEach((id, i) => {
    if (!Number.isInteger(id) || id < 0 || id >= 65_536 || inOrder[id] !== undefined)
      t.fail(`id ${id} is not possible`);
    inOrder[id] = fields[i];
  });
  return { shape, base: '', fields: inOrder.filter((field) => field !== undefined), words };
}

function typeOf(t: TokenReader): string {
  if (!t.skip('[')) return t.word();
  const inner = t.word();
  const length = t.skip(':') ? `:${t.integer()}` : '';
  t.expect(']');
  return `[${inner}${length}]`;
}

function defaultOf(t: TokenReader): string {
  if (t.peek.text === '[') {
    t.skipGroup('[', ']');
    return '[]';
  }
  return t.next().text;
}

function attributesOf(t: TokenReader): Map<string, string> {
  const attributes = new Map<string, string>();
  if (!t.skip('(')) return attributes;
  while (!t.skip(')')) {
    const name = t.next().text;
    attributes.set(name, t.skip(':') ? t.next().text : '');
    t.skip(',');
  }
  return attributes;
}

function wordsOf(t: TokenReader, shape: 'enum' | 'union'): FbsType {
  const base = t.skip(':') ? t.word() : '';
  attributesOf(t);
  t.expect('{');
  const words = new Map<string, number>();
  const fields: FbsField[] = [];
  let next = shape === 'union' ? 1 : 0;
  while (!t.skip('}')) {
    const name = t.word();
    const type = t.skip(':') ? typeOf(t) : name;
    if (t.skip('=')) next = t.integer();
    if (words.has(name)) t.fail(`${name} is there twice`);
    words.set(name, next++);
    fields.push({ name, type, default: '', isRequired: false });
    attributesOf(t);
    t.skip(',');
  }
  return { shape, base, fields, words };
}
