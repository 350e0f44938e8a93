import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBody, recordsOf } from './lines.ts';

const bytes = (text: string) => Buffer.from(text);
const records = (text: string, format: 'json' | 'ndjson' = 'json') =>
  [...recordsOf(bytes(text), format)].map((line) => [line.number, Buffer.from(line.bytes).toString()]);

test('lines keep their numbers, empty ones are passed over, bytes stay as sent', () => {
  expect(records('{"a":1}\r\n\n  {"b": "x\\"y"} \nnot json')).toEqual([
    [1, '{"a":1}'],
    [3, '{"b": "x\\"y"}'],
    [4, 'not json'],
  ]);
});

test('a line of NDJSON that begins like an array stays a line', () => {
  expect(records('[1,\n{"a":1}', 'ndjson')).toEqual([
    [1, '[1,'],
    [2, '{"a":1}'],
  ]);
});

test('an array gives its elements, whatever brackets and commas stand in strings', () => {
  expect(records(' [ {"a":[1,2]} , {"b":"],}\\""},3 ] ')).toEqual([
    [1, '{"a":[1,2]}'],
    [2, '{"b":"],}\\""}'],
    [3, '3'],
  ]);
  expect(records('[]')).toEqual([]);
  expect(records('[1,,2]')).toEqual([
    [1, '1'],
    [2, ''],
    [3, '2'],
  ]);
});

test('one object over several lines is one record', () => {
  expect(records('{\n "a": 1\n}\n')).toEqual([[1, '{\n "a": 1\n}']]);
});

test('an array that does not end, or has a tail, is refused whole', () => {
  expect(() => records('[{"a":1}')).toThrow('does not end');
  expect(() => records('[1] x')).toThrow('At byte 4: something follows');
});

test('every array of JSON values comes back as its elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const found = records(JSON.stringify(values, null, 1)).map(([, text]) => JSON.parse(text as string));
      expect(found).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test('any bytes are split or refused, and never read twice', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      try {
        const total = [...recordsOf(body, 'json')].reduce((sum, line) => sum + line.bytes.length, 0);
        expect(total).toBeLessThanOrEqual(body.length);
      } catch (error) {
        expect((error as Error).message).toMatch(/^At byte/);
      }
    }),
  );
});

test('a body over its bound is refused while it is read', async () => {
  const chunks = Readable.from([Buffer.alloc(60), Buffer.alloc(60), Buffer.alloc(1_000_000)]);
  await expect(readBody(chunks, 100)).rejects.toMatchObject({ status: 413 });
  expect((await readBody(Readable.from([Buffer.alloc(60), Buffer.alloc(40)]), 100)).length).toBe(100);
});
