import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { canonical, checkSchema, incompatibilities, type Level } from './compatibility.ts';
import { ownSchemas } from './own.ts';
import { MAX_SCHEMA_CHARS, type SchemaText, type SchemaType } from './schema-type.ts';

const of =
  (schemaType: SchemaType) =>
  (schema: string | object): SchemaText => ({
    schemaType,
    schema: typeof schema === 'string' ? schema : JSON.stringify(schema),
  });

/** Which of BACKWARD and FORWARD allow the second schema to follow the first. */
function allowed(make: (schema: string | object) => SchemaText, before: string | object, after: string | object) {
  const ok = (level: Level) => incompatibilities(level, make(after), [make(before)]).length === 0;
  expect(ok('NONE')).toBe(true);
  expect(ok('FULL')).toBe(ok('BACKWARD') && ok('FORWARD'));
  return [ok('BACKWARD') ? 'backward' : '', ok('FORWARD') ? 'forward' : ''].filter(Boolean).join(' ');
}

describe('Avro', () => {
  const record = (...fields: object[]) => ({ type: 'record', name: 'R', fields });
  const a = { name: 'a', type: 'int' };
  const b = { name: 'b', type: 'string' };
  const cases: [string, object, object, string][] = [
    ['the same', record(a), record(a), 'backward forward'],
    ['a field with a default is added', record(a), record(a, { ...b, default: '' }), 'backward forward'],
    ['a field without a default is added', record(a), record(a, b), 'forward'],
    ['a field is removed', record(a, b), record(a), 'backward'],
    ['int becomes long', record(a), record({ name: 'a', type: 'long' }), 'backward'],
    ['int becomes string', record(a), record({ name: 'a', type: 'string' }), ''],
    [
      'an alternative is added',
      record({ name: 'a', type: ['null', 'int'] }),
      record({ name: 'a', type: ['null', 'int', 'string'] }),
      'backward',
    ],
    [
      'a word is added',
      record({ name: 'e', type: { type: 'enum', name: 'E', symbols: ['A'] } }),
      record({ name: 'e', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } }),
      'backward',
    ],
    [
      'a word is added to an enum with a default',
      record({ name: 'e', type: { type: 'enum', name: 'E', symbols: ['A'], default: 'A' } }),
      record({ name: 'e', type: { type: 'enum', name: 'E', symbols: ['A', 'B'], default: 'A' } }),
      'backward forward',
    ],
  ];
  test.each(cases)('%s', (_, before, after, expected) => expect(allowed(of('AVRO'), before, after)).toBe(expected));
});

describe('Protobuf', () => {
  const message = (body: string) => `syntax = "proto3"; package p; message M { ${body} }`;
  const cases: [string, string, string, string][] = [
    ['a field is added', message('int32 a = 1;'), message('int32 a = 1; string b = 2;'), 'backward forward'],
    ['a field is removed', message('int32 a = 1; string b = 2;'), message('int32 a = 1;'), 'backward forward'],
    ['a field is renamed', message('int32 a = 1;'), message('int32 z = 1;'), 'backward forward'],
    ['an integer is widened', message('int32 a = 1;'), message('uint64 a = 1;'), 'backward forward'],
    ['an integer becomes an enum', message('int32 a = 1;'), message('enum E { X = 0; } E a = 1;'), 'backward forward'],
    ['a text becomes bytes', message('string a = 1;'), message('bytes a = 1;'), 'backward forward'],
    ['an integer becomes zigzag', message('int32 a = 1;'), message('sint32 a = 1;'), ''],
    ['float becomes double', message('float a = 1;'), message('double a = 1;'), ''],
    ['a number becomes a list', message('int32 a = 1;'), message('repeated int32 a = 1;'), ''],
    ['a text becomes a list', message('string a = 1;'), message('repeated string a = 1;'), 'backward forward'],
    ['a reserved number is used', message('reserved 2, 5 to 9, "x";'), message('int32 a = 7;'), ''],
    [
      'two fields are drawn into a oneof',
      message('int32 a = 1; int32 b = 2;'),
      message('oneof o { int32 a = 1; int32 b = 2; }'),
      'forward',
    ],
    [
      'a message is added',
      message('int32 a = 1;'),
      `${message('int32 a = 1;')} message N { int32 a = 1; }`,
      'backward',
    ],
    ['another package', message('int32 a = 1;'), message('int32 a = 1;').replace('package p', 'package q'), ''],
    [
      'a required field is added',
      'message M { optional int32 a = 1; }',
      'message M { optional int32 a = 1; required int32 b = 2; }',
      'forward',
    ],
    [
      'a map',
      message('map<string, int32> a = 1;'),
      message('map<string, int64> a = 1; /* x */ // y\n'),
      'backward forward',
    ],
  ];
  test.each(cases)('%s', (_, before, after, expected) => expect(allowed(of('PROTOBUF'), before, after)).toBe(expected));
});

describe('Protobuf, compiled by protoc', () => {
  const text = (more = '') => `syntax = "proto3"; package p;
enum E { Z = 0; A = 1; }
message M {
  reserved 20 to 22, 30;
  message In { bytes b = 1; }
  int32 a = 1; optional string s = 2; repeated double d = 3; map<string, In> m = 4; In n = 5; E e = 6;
  oneof o { int64 x = 7; bool y = 8; } ${more}
}`;
  const compiled =
    'CgdtLnByb3RvEgFwIoICCgFNEgwKAWEYASABKAVSAWESEQoBcxgCIAEoCUgBUgFziAEBEgwKAWQYAyADKAFSAWQSGQoBbRgEIAMoCzILLnAuTS5NRW50cnlSAW0SFQoBbhgFIAEoCzIHLnAuTS5JblIBbhISCgFlGAYgASgOMgQucC5FUgFlEg4KAXgYByABKANIAFIBeBIOCgF5GAggASgISABSAXkaEgoCSW4SDAoBYhgBIAEoDFIBYho9CgZNRW50cnkSEAoDa2V5GAEgASgJUgNrZXkSHQoFdmFsdWUYAiABKAsyBy5wLk0uSW5SBXZhbHVlOgI4AUIDCgFvQgQKAl9zSgQIFBAXSgQIHhAfKhEKAUUSBQoBWhAAEgUKAUEQAWIGcHJvdG8z';
  const protobuf = of('PROTOBUF');
  test.each([
    ['follows its own text', text(), compiled, 'backward forward'],
    ['is followed by its own text', compiled, text(), 'backward forward'],
    ['knows reserved numbers', compiled, text('int32 r = 22;'), ''],
    ['knows where the reserved numbers end', compiled, text('int32 r = 23;'), 'backward forward'],
    ['knows its maps', compiled, text().replace('map<string, In>', 'map<int32, In>'), ''],
    ['knows its types', text().replace('E e = 6', 'sint32 e = 6'), compiled, ''],
  ])('%s', (_, before, after, expected) => expect(allowed(protobuf, before, after)).toBe(expected));
});

describe('JSON Schema', () => {
  const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });
  const a = { a: { type: 'integer' } };
  const cases: [string, object, object, string][] = [
    ['an optional property is added', object(a), object({ ...a, b: { type: 'string' } }), 'backward forward'],
    ['a required property is added', object(a), object({ ...a, b: {} }, { required: ['b'] }), 'forward'],
    ['a type is widened', object(a), object({ a: { type: ['number', 'null'] } }), 'backward'],
    ['a type is changed', object(a), object({ a: { type: 'string' } }), ''],
    ['a word is added', object({ a: { enum: ['x'] } }), object({ a: { enum: ['x', 'y'] } }), 'backward'],
    [
      'a bound is widened',
      object({ a: { type: 'number', maximum: 1 } }),
      object({ a: { type: 'number', maximum: 2 } }),
      'backward',
    ],
    [
      'a property of a closed object is removed',
      object(a, { additionalProperties: false }),
      object({}, { additionalProperties: false }),
      'forward',
    ],
    ['an object is closed', object(a), object(a, { additionalProperties: false }), 'forward'],
    ['an alternative is added', { oneOf: [object(a)] }, { oneOf: [object(a), { type: 'string' }] }, 'backward'],
    [
      'an item is changed',
      { type: 'array', items: { type: 'string' } },
      { type: 'array', items: { type: 'integer' } },
      '',
    ],
    [
      'a schema that contains itself',
      { $ref: '#/$defs/n', $defs: { n: object({ n: { $ref: '#/$defs/n' } }) } },
      { $ref: '#/$defs/n', $defs: { n: object({ n: { $ref: '#/$defs/n' }, x: {} }) } },
      'backward forward',
    ],
  ];
  test.each(cases)('%s', (_, before, after, expected) => expect(allowed(of('JSON'), before, after)).toBe(expected));
});

describe('FlatBuffers', () => {
  const table = (body: string, more = '') => `namespace n; ${more} table T { ${body} } root_type T;`;
  const cases: [string, string, string, string][] = [
    ['a field is added at the end', table('a:int;'), table('a:int; b:string;'), 'backward forward'],
    ['a field is added before', table('a:int;'), table('b:string; a:int;'), ''],
    [
      'a field with an id is added before',
      table('a:int (id: 0);'),
      table('b:string (id: 1); a:int (id: 0);'),
      'backward forward',
    ],
    ['a field is removed', table('a:int; b:int;'), table('a:int;'), ''],
    ['a field is deprecated', table('a:int;'), table('a:int (deprecated);'), 'backward forward'],
    ['a default changes', table('a:int = 1;'), table('a:int = 2;'), ''],
    ['a type changes', table('a:[ubyte];'), table('a:[int];'), ''],
    [
      'a word is added',
      table('a:E;', 'enum E : byte { A, B }'),
      table('a:E;', 'enum E : byte { A, B, C = 7 }'),
      'backward forward',
    ],
    ['a word is moved', table('a:E;', 'enum E : byte { A, B }'), table('a:E;', 'enum E : byte { B, A }'), ''],
    ['a struct grows', table('a:S;', 'struct S { x:int; }'), table('a:S;', 'struct S { x:int; y:int; }'), ''],
    ['another root', table('a:int;'), table('a:int;').replace('root_type T', 'root_type n.T'), ''],
  ];
  test.each(cases)('%s', (_, before, after, expected) =>
    expect(allowed(of('FLATBUFFERS'), before, after)).toBe(expected),
  );
});

test('transitive levels look at all versions, the others at the newest alone', () => {
  const make = (...names: string[]) =>
    of('AVRO')({
      type: 'record',
      name: 'R',
      fields: names.map((name) => ({ name, type: 'int', ...(name === 'a' ? {} : { default: 0 }) })),
    });
  const older = [make('a'), make('b')];
  const candidate = of('AVRO')({ type: 'record', name: 'R', fields: [{ name: 'b', type: 'int' }] });
  expect(incompatibilities('BACKWARD', candidate, older)).toEqual([]);
  expect(incompatibilities('BACKWARD_TRANSITIVE', candidate, older)).toHaveLength(1);
  expect(incompatibilities('FULL_TRANSITIVE', of('PROTOBUF')('message M {}'), older)).toEqual([]);
});

describe('hostile text is schema_invalid, soon', () => {
  const deep = (open: string, close: string, n: number) => open.repeat(n) + close.repeat(n);
  const texts: [SchemaType, string][] = [
    ['AVRO', ''],
    ['AVRO', '{"type":"record"'],
    ['AVRO', '"./package.json"'],
    ['AVRO', '{"type":"record","name":"R","fields":[{"name":"x;process.exit()","type":"int"}]}'],
    ['AVRO', '{"type":"record","name":"__proto__","fields":[]}'],
    ['AVRO', '{"type":"record","name":"R","fields":[{"name":"__proto__","type":"int"}]}'],
    ['AVRO', deep('{"type":"array","items":', '}', 500)],
    ['AVRO', JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ type: 'fixed', name: `F${i}`, size: 1 })))],
    ['JSON', deep('[', ']', 50_000)],
    ['JSON', '{"__proto__":{"type":"object"}}'],
    ['JSON', '7'],
    ['PROTOBUF', ''],
    ['PROTOBUF', 'message M { int32 a = 0; }'],
    ['PROTOBUF', 'message M { int32 a = 1; int32 b = 1; }'],
    ['PROTOBUF', 'message M { int32 a = 1;'],
    ['PROTOBUF', '/*'.repeat(100_000)],
    ['PROTOBUF', deep('message M { ', '}', 1_000)],
    ['PROTOBUF', `message M { string a = 1 [default = "${'\\'.repeat(50_001)}`],
    ['PROTOBUF', 'AAAA'],
    ['PROTOBUF', 'A'.repeat(10_000)],
    ['PROTOBUF', Buffer.from([0x22, 0xff, 0xff, 0xff, 0x7f]).toString('base64')],
    ['FLATBUFFERS', 'table T { a:int; }'],
    ['FLATBUFFERS', `table T { a:${deep('[', ']', 20_000)}; } root_type T;`],
    ['FLATBUFFERS', 'table T { a:int (id: 99999999); } root_type T;'],
    ['FLATBUFFERS', '\u0000'],
    ['FLATBUFFERS', ' '.repeat(MAX_SCHEMA_CHARS + 1)],
  ];
  test.each(texts)('%s %#', (schemaType, schema) => {
    expect(() => checkSchema({ schemaType, schema })).toThrow(expect.objectContaining({ code: 'schema_invalid' }));
    expect(Object.prototype).not.toHaveProperty('type');
  });
});

test('broken schemas of ours are valid or schema_invalid, compatible or not, and nothing else', () => {
  const known = ownSchemas(kinds);
  const broken = fc
    .record({
      which: fc.nat(known.length - 1),
      edits: fc.array(
        fc.tuple(fc.nat(), fc.constantFrom('', '{', '}', '"', '[', ',', '1', ' ', '__proto__', '$ref', '/*', '#')),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    })
    .map(({ which, edits }) => {
      const { schemaType, schema } = known[which];
      const text = edits.reduce((now, [place, piece]) => {
        const at = place % now.length;
        return now.slice(0, at) + piece + now.slice(at + 1);
      }, schema);
      return { which, broken: { schemaType, schema: text } };
    });
  const property = fc.property(broken, ({ which, broken }) => {
    try {
      expect(Array.isArray(incompatibilities('FULL', broken, [known[which]]))).toBe(true);
    } catch (error) {
      expect(error).toMatchObject({ code: 'schema_invalid' });
    }
  });
  fc.assert(property, { numRuns: 300 });
  expect(Object.keys(Object.prototype)).toEqual([]);
}, 30_000);

test('schemas of this version follow themselves', () => {
  for (const own of ownSchemas(kinds)) expect(incompatibilities('FULL', own, [own])).toEqual([]);
});

test('space and comments make no other schema', () => {
  expect(canonical(of('AVRO')('{ "type" : "int" }'))).toBe(canonical(of('AVRO')('{"type":"int"}')));
  expect(canonical(of('PROTOBUF')('message M { int32 a = 1; } // x'))).toBe(
    canonical(of('PROTOBUF')('message M {int32 a=1;}')),
  );
  expect(canonical(of('PROTOBUF')('message M { int32 a = 1; }'))).not.toBe(
    canonical(of('PROTOBUF')('message M {int32 a=2;}')),
  );
});
