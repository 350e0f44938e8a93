import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRegistry } from '../../codec/registry/file.ts';
import { SchemaRegistry } from '../../codec/registry/registry.ts';
import { startTestRegistry, type TestRegistry } from './testing/server.ts';

let server: TestRegistry;

beforeEach(async () => {
  server = await startTestRegistry();
});
afterEach(() => server.close());

const type = 'application/vnd.schemaregistry.v1+json';
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: body === undefined ? headers : { 'content-type': type, ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  expect(response.headers.get('content-type')).toContain(type);
  return { status: response.status, body: await response.json() };
}

const record = (...names: string[]) =>
  JSON.stringify({ type: 'record', name: 'R', fields: names.map((name) => ({ name, type: 'int', default: 0 })) });
const proto = 'syntax = "proto3"; message M { int32 a = 1; }';

test('a schema is registered, found by id and by subject, and gets its number once', async () => {
  expect(await ask('POST', '/subjects/s-value/versions', { schema: record('a') })).toEqual({
    status: 200,
    body: { id: 1 },
  });
  expect((await ask('POST', '/subjects/s-value/versions', { schema: record('a') })).body).toEqual({ id: 1 });
  expect((await ask('POST', '/subjects/other/versions', { schema: record('a') })).body).toEqual({ id: 1 });
  expect((await ask('POST', '/subjects/s-value/versions', { schema: record('a', 'b') })).body).toEqual({ id: 2 });
  expect((await ask('POST', '/subjects/s-value/versions', { schema: proto, schemaType: 'PROTOBUF' })).body).toEqual({
    id: 3,
  });

  expect((await ask('GET', '/subjects')).body).toEqual(['other', 's-value']);
  expect((await ask('GET', '/subjects/s-value/versions')).body).toEqual([1, 2, 3]);
  expect((await ask('GET', '/schemas/ids/1')).body).toEqual({ schema: record('a') });
  expect((await ask('GET', '/schemas/ids/3')).body).toEqual({ schema: proto, schemaType: 'PROTOBUF' });
  expect((await ask('GET', '/schemas/ids/1/schema')).body).toEqual(JSON.parse(record('a')));
  expect((await ask('GET', '/schemas/ids/1/versions')).body).toEqual([
    { subject: 's-value', version: 1 },
    { subject: 'other', version: 1 },
  ]);
  const newest = { subject: 's-value', version: 3, id: 3, schemaType: 'PROTOBUF', schema: proto };
  expect((await ask('GET', '/subjects/s-value/versions/latest')).body).toEqual(newest);
  expect((await ask('GET', '/subjects/s-value/versions/-1')).body).toEqual(newest);
  const found = await ask('POST', '/subjects/s-value', { schema: record('a', 'b') });
  expect(found.body).toEqual({ subject: 's-value', version: 2, id: 2, schema: record('a', 'b') });
});

test('the rule of a subject decides, and can be changed', async () => {
  const narrow = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] });
  const wide = JSON.stringify({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'a', type: 'int' },
      { name: 'z', type: 'int' },
    ],
  });
  await ask('POST', '/subjects/s/versions', { schema: narrow });
  expect((await ask('POST', '/compatibility/subjects/s/versions/latest', { schema: wide })).body).toEqual({
    is_compatible: false,
    messages: [expect.stringContaining('new reads old')],
  });
  const refused = await ask('POST', '/subjects/s/versions', { schema: wide });
  expect(refused).toMatchObject({
    status: 409,
    body: { error_code: 409, message: expect.stringContaining('BACKWARD') },
  });

  expect((await ask('PUT', '/config/s', { compatibility: 'FORWARD' })).body).toEqual({ compatibility: 'FORWARD' });
  expect((await ask('GET', '/config/s')).body).toEqual({ compatibilityLevel: 'FORWARD' });
  expect((await ask('GET', '/config')).body).toEqual({ compatibilityLevel: 'BACKWARD' });
  expect((await ask('POST', '/subjects/s/versions', { schema: wide })).body).toEqual({ id: 2 });
  expect((await ask('PUT', '/config', { compatibility: 'NONE' })).body).toEqual({ compatibility: 'NONE' });
  expect((await ask('POST', '/compatibility/subjects/new/versions', { schema: wide })).body).toMatchObject({
    is_compatible: true,
  });
});

describe('faults have the form and numbers that clients know', () => {
  test.each([
    ['GET', '/schemas/ids/9', undefined, 404, 40403],
    ['GET', '/schemas/ids/abc', undefined, 422, 42201],
    ['GET', '/subjects/none/versions', undefined, 404, 40401],
    ['GET', '/subjects/none/versions/abc', undefined, 422, 42201],
    ['POST', '/subjects/none', { schema: '"int"' }, 404, 40401],
    ['POST', '/subjects/s/versions', { schema: '{"type":' }, 422, 42201],
    ['POST', '/subjects/s/versions', { schema: 7 }, 422, 42201],
    ['POST', '/subjects/s/versions', { schema: '"int"', schemaType: 'XML' }, 422, 42201],
    ['POST', '/subjects/s%20s/versions', { schema: '"int"' }, 422, 42201],
    ['POST', '/subjects/s/versions', '{"schema":"1","__proto__":{}}', 400, 400],
    ['POST', '/subjects/s/versions', '{', 400, 400],
    ['PUT', '/config', { compatibility: 'SOMETIMES' }, 422, 42203],
  ] as const)('%s %s', async (method, path, body, status, error_code) => {
    const answer = await ask(method, path, body);
    expect(answer).toEqual({ status, body: { error_code, message: expect.any(String) } });
  });

  test('a body beyond the bound', async () => {
    const answer = await ask('POST', '/subjects/s/versions', { schema: 'x'.repeat(2_000_000) });
    expect(answer.status).toBe(413);
  });
});

test('where a token is set it is needed, as bearer or as the password of any user', async () => {
  await server.close();
  server = await startTestRegistry({ authToken: 'secret-1' });
  expect((await ask('GET', '/subjects')).status).toBe(401);
  const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  expect((await ask('GET', '/subjects', undefined, { authorization: basic('wrong') })).status).toBe(401);
  expect((await ask('GET', '/subjects', undefined, { authorization: basic('secret-1') })).status).toBe(200);
  expect((await ask('GET', '/subjects', undefined, { authorization: 'Bearer secret-1' })).status).toBe(200);
});

describe('the file', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'gridfold-registry-'));

  test('holds everything across restarts', async () => {
    const dir = folder();
    const file = join(dir, 'registry.json');
    const first = openRegistry(file);
    first.register('a', { schemaType: 'AVRO', schema: record('a') });
    first.register('b', { schemaType: 'PROTOBUF', schema: proto });
    first.setLevel('FULL');
    first.setLevel('NONE', 'b');
    const second = openRegistry(file);
    expect(second.subjects).toEqual(['a', 'b']);
    expect(second.version('b', 'latest')).toMatchObject({ id: 2, schema: proto });
    expect([second.level(), second.level('b')]).toEqual(['FULL', 'NONE']);
    expect(second.register('c', { schemaType: 'PROTOBUF', schema: proto })).toBe(2);
    rmSync(dir, { recursive: true });
  });

  test.each(['', '{"format":9}', '{"format":1,"level":"NONE","levels":[],"subjects":[],"schemas":[{"id":7}]}'])(
    'that is damaged (%s) is refused, not replaced',
    (text) => {
      const dir = folder();
      const file = join(dir, 'registry.json');
      writeFileSync(file, text);
      expect(() => openRegistry(file)).toThrow(
        expect.objectContaining({ code: 'registry_file_corrupt', reaction: 'stop' }),
      );
      expect(readFileSync(file, 'utf8')).toBe(text);
      rmSync(dir, { recursive: true });
    },
  );

  test('that cannot be written leaves the registry as it was', () => {
    const registry = new SchemaRegistry(
      { schemas: [], subjects: new Map(), level: 'BACKWARD', levels: new Map() },
      () => {
        throw new Error('disk full');
      },
    );
    expect(() => registry.register('a', { schemaType: 'AVRO', schema: '"int"' })).toThrow('disk full');
    expect(registry.subjects).toEqual([]);
    expect(() => registry.schema(1)).toThrow(expect.objectContaining({ code: 'schema_not_found' }));
  });
});
