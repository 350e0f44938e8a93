import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRegistry, type TestRegistry } from '../../api/registry/testing/server.ts';
import { ManualClock, systemClock } from '../../runtime/kernel/clock.ts';
import type { GridfoldError } from '../../runtime/kernel/errors.ts';
import { RegistryClient, type RegistryClientOptions } from './client.ts';

let server: TestRegistry;

beforeEach(async () => {
  server = await startTestRegistry();
});
afterEach(() => server.close());

const client = (more: Partial<RegistryClientOptions> = {}) =>
  new RegistryClient({ urls: [server.url], backoffMs: 1, clock: systemClock, ...more });
const avro = { schemaType: 'AVRO', schema: '"int"' } as const;
const proto = { schemaType: 'PROTOBUF', schema: 'message M { int32 a = 1; }' } as const;

async function faultOf(work: Promise<unknown>): Promise<GridfoldError> {
  return work.then(
    () => expect.unreachable('it should have failed'),
    (error) => error,
  );
}

test('registers, finds, compares and lists', async () => {
  const registry = client();
  expect(registry.status()).toMatchObject({ state: 'untried', requests: 0 });
  expect(await registry.register('a-value', avro)).toBe(1);
  expect(await registry.register('b', proto)).toBe(2);
  expect(await registry.schema(1)).toEqual({ id: 1, ...avro, subjects: ['a-value'] });
  expect(await registry.schema(2)).toEqual({ id: 2, ...proto, subjects: ['b'] });
  expect(await registry.schema(3)).toBeNull();
  expect(await registry.isCompatible('a-value', { schemaType: 'AVRO', schema: '"string"' })).toBe(false);
  expect(await registry.isCompatible('a-value', { schemaType: 'AVRO', schema: '"long"' })).toBe(true);
  expect(await registry.isCompatible('new', avro)).toBe(true);
  expect(await registry.subjects()).toEqual(['a-value', 'b']);
  expect(registry.status()).toMatchObject({ state: 'up', fault: null, failures: 0 });
});

test('what the registry refuses is told with its words and not repeated', async () => {
  const registry = client();
  await registry.register('a', avro);
  const before = server.requests.length;
  expect(await faultOf(registry.register('a', { ...avro, schema: '"string"' }))).toMatchObject({
    code: 'schema_incompatible',
    reaction: 'fix-configuration',
    message: expect.stringContaining('BACKWARD'),
  });
  expect(await faultOf(registry.register('a', { ...avro, schema: '{' }))).toMatchObject({ code: 'schema_invalid' });
  expect(server.requests.length - before).toBe(2);
});

describe('a registry that is ill', () => {
  const answers: [string, number, string, string][] = [
    ['status 500', 500, '{"error_code":50001,"message":"store"}', 'registry_unavailable'],
    ['status 503 of a gateway', 503, '<html>busy</html>', 'registry_unavailable'],
    ['too many requests', 429, '', 'registry_unavailable'],
    ['a page instead of an answer', 200, '<html>hello</html>', 'registry_answer_invalid'],
    ['a 404 that is not its own', 404, '<html>not here</html>', 'registry_answer_invalid'],
    ['a 404 without its number', 404, '{"status":404}', 'registry_answer_invalid'],
    ['no text', 200, '{"schema":{}}', 'registry_answer_invalid'],
    ['null', 200, 'null', 'registry_answer_invalid'],
    ['an answer without end', 200, `"${'x'.repeat(3_000_000)}"`, 'registry_answer_invalid'],
    ['a text beyond the bound', 200, JSON.stringify({ schema: 'x'.repeat(300_000) }), 'registry_answer_invalid'],
  ];
  test.each(answers)('%s', async (_, status, body, code) => {
    server.intercept = async () => ({ status, body });
    expect(await faultOf(client({ attempts: 1 }).schema(1))).toMatchObject({ code, reaction: 'retry' });
  });

  test('is asked again, some times', async () => {
    await client().register('a', avro);
    let left = 2;
    server.intercept = async () => (left-- > 0 ? { status: 500, body: '{}' } : undefined);
    const registry = client();
    expect(await registry.schema(1)).toMatchObject({ id: 1 });
    expect(registry.status()).toMatchObject({ state: 'up', failures: 2, fault: null });
    left = 3;
    expect(await faultOf(registry.schema(1))).toMatchObject({ code: 'registry_unavailable' });
    expect(registry.status()).toMatchObject({ state: 'down', fault: { code: 'registry_unavailable' } });
  });

  test('that is too slow counts as away', async () => {
    const clock = new ManualClock(1_000);
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    server.intercept = () => {
      arrived();
      return new Promise(() => {});
    };
    const work = faultOf(client({ clock, timeoutMs: 2_000, attempts: 1 }).schema(1));
    await arrival;
    clock.advance(2_000);
    expect(await work).toMatchObject({ code: 'registry_unavailable', message: expect.stringContaining('2000 ms') });
  });

  test('that is gone: the next address is asked', async () => {
    await client().register('a', avro);
    const gone = await startTestRegistry();
    await gone.close();
    expect(await client({ urls: [gone.url, server.url] }).schema(1)).toMatchObject({ id: 1 });
    expect(await faultOf(client({ urls: [gone.url] }).schema(1))).toMatchObject({
      code: 'registry_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('that sends us elsewhere is not followed', async () => {
    const elsewhere: string[] = [];
    const target: Server = createServer((request, response) => {
      elsewhere.push(request.headers.authorization ?? 'none');
      response.end('{}');
    });
    const redirect: Server = createServer((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${(target.address() as AddressInfo).port}/` }).end();
    });
    for (const one of [target, redirect]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    const urls = [`http://u:p@127.0.0.1:${(redirect.address() as AddressInfo).port}`];
    expect(await faultOf(client({ urls, attempts: 1 }).schema(1))).toMatchObject({ code: 'registry_unavailable' });
    expect(elsewhere).toEqual([]);
    for (const one of [target, redirect]) await new Promise((resolve) => one.close(resolve));
  });
});

describe('secrets', () => {
  beforeEach(async () => {
    await server.close();
    server = await startTestRegistry({ authToken: 'pass word&1'.replace(' ', '-') });
  });
  const password = 'pass-word&1';

  test('as user and password, in the address, or as token', async () => {
    const address = server.url.replace('//', `//me:${encodeURIComponent(password)}@`);
    for (const more of [{ auth: { username: 'me', password } }, { auth: { token: password } }, { urls: [address] }]) {
      expect(await client(more).subjects()).toEqual([]);
    }
  });

  test('that are wrong are told as such, at once, and stand in no message', async () => {
    const address = server.url.replace('//', '//me:wr0ng-one@');
    const registry = client({ urls: [address] });
    const fault = await faultOf(registry.subjects());
    expect(fault).toMatchObject({ code: 'registry_denied', reaction: 'fix-configuration' });
    expect(registry.status().state).toBe('denied');
    expect(JSON.stringify([registry.urls, registry.status(), fault, `${fault.stack}`])).not.toContain('wr0ng-one');
    expect(server.requests).toHaveLength(1);
  });
});

test.each([
  [{ urls: [] }],
  [{ urls: ['not a url with secret'] }],
  [{ urls: ['ftp://x/'] }],
  [{ urls: ['http://x/?key=secret'] }],
  [{ urls: ['http://x:%ff@y/'] }],
  [{ auth: { token: 'a\nb' } }],
  [{ auth: { username: 'a:b', password: 'secret' } }],
  [{ timeoutMs: 0 }],
  [{ attempts: Number.NaN }],
])('options that cannot be: %j', (more) => {
  expect(() => client(more)).toThrow(expect.objectContaining({ code: 'registry_bad_option' }));
  expect(() => client(more)).not.toThrow('secret');
});
