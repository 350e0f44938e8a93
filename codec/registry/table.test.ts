import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRegistry, type TestRegistry } from '../../api/registry/testing/server.ts';
import { ManualClock, systemClock } from '../../runtime/kernel/clock.ts';
import { cacheFile, SchemaCache } from './cache.ts';
import { RegistryClient } from './client.ts';
import { registerOwn } from './own.ts';
import { EMPTY_REGISTRY, SchemaRegistry } from './registry.ts';
import { localSource } from './source.ts';
import { recordOf } from './subject.ts';
import { RegistryTable, type RegistryTableOptions } from './table.ts';

const avro = (type: string) => ({ schemaType: 'AVRO', schema: JSON.stringify(type) }) as const;

let server: TestRegistry;
let folder: string;

beforeEach(async () => {
  server = await startTestRegistry();
  server.registry.setLevel('NONE');
  folder = mkdtempSync(join(tmpdir(), 'gridfold-schemas-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function tableOf(more: Partial<RegistryTableOptions> = {}): RegistryTable {
  const source = new RegistryClient({ urls: [server.url], attempts: 1, backoffMs: 1, clock: systemClock });
  return new RegistryTable({ source, prefix: 'p.', clock: systemClock, backoffMs: 1, ...more });
}

test('ids are asked for once, however many ask, and then are at hand', async () => {
  server.registry.register('p.telemetry-value', avro('int'));
  server.registry.register('p.lifecycle-value', { schemaType: 'JSON', schema: '{}' });
  const table = tableOf();
  expect(table.get(1)).toBeUndefined();
  const all = await Promise.all([table.resolve([1, 2]), table.resolve(new Set([2, 1])), table.resolve([])]);
  expect(all).toEqual([[], [], []]);
  expect(table.get(1)).toEqual({ id: 1, format: 'avro', subject: 'telemetry', text: '"int"' });
  expect(table.get(2)).toEqual({ id: 2, format: 'json', subject: 'lifecycle', text: '{}' });
  await table.resolve([1, 2]);
  expect(server.requests.sort()).toEqual(
    [1, 2].flatMap((id) => [`GET /registry/schemas/ids/${id}`, `GET /registry/schemas/ids/${id}/versions`]),
  );
  expect(table.status()).toMatchObject({ state: 'up', known: 2, unknown: 0, waiting: 0 });
});

test('an id that there is not is unknown after some attempts, for some time', async () => {
  server.registry.register('elsewhere', avro('int'));
  const clock = new ManualClock(1_000);
  const table = tableOf({ clock: { now: () => clock.now(), after: systemClock.after }, unknownForMs: 5_000 });
  expect(await table.resolve([7, 1])).toEqual([1, 7]);
  expect(server.requests.filter((path) => path.endsWith('/7'))).toHaveLength(3);
  expect([table.get(1), table.get(7)]).toEqual(['unknown', 'unknown']);
  expect(await table.resolve([7])).toEqual([7]);
  expect(server.requests.filter((path) => path.endsWith('/7'))).toHaveLength(3);

  server.registry.register('p.telemetry-value', avro('int'));
  clock.advance(5_000);
  expect(table.get(1)).toBeUndefined();
  expect(await table.resolve([1, 7])).toEqual([7]);
  expect(table.get(1)).toMatchObject({ subject: 'telemetry' });
});

test('a producer may be faster than its registration', async () => {
  let asked = 0;
  server.intercept = async () => {
    if (++asked === 2) server.registry.register('p.telemetry-value', avro('int'));
    return undefined;
  };
  const table = tableOf();
  expect(await table.resolve([1])).toEqual([]);
});

describe('while the registry is away', () => {
  test('what is in the cache goes on, after a restart too', async () => {
    server.registry.register('p.telemetry-value', avro('int'));
    const file = cacheFile(folder, [server.url]);
    await tableOf({ cache: new SchemaCache(file) }).resolve([1]);
    await server.close();
    const table = tableOf({ cache: new SchemaCache(file) });
    expect(table.get(1)).toMatchObject({ id: 1, text: '"int"' });
    expect(await table.resolve([1])).toEqual([]);
    expect(cacheFile(folder, ['http://another'])).not.toBe(file);
  });

  test('a new id waits until it is back, and no verdict is given', async () => {
    server.registry.register('p.telemetry-value', avro('int'));
    const { registry } = server;
    const port = Number(new URL(server.url).port);
    await server.close();
    const messages: string[] = [];
    let sawFailure = () => {};
    const failure = new Promise<void>((resolve) => {
      sawFailure = resolve;
    });
    const table = tableOf({
      onMessage: (level, message) => {
        messages.push(`${level}: ${message}`);
        sawFailure();
      },
    });
    const waiting = table.resolve([1, 2]);
    await failure;
    expect(table.status()).toMatchObject({
      state: 'down',
      waiting: 2,
      unknown: 0,
      fault: { code: 'registry_unavailable' },
    });
    server = await startTestRegistry({ registry, port });
    expect(await waiting).toEqual([2]);
    expect(messages).toEqual([expect.stringMatching(/^warn: .*wait/), expect.stringMatching(/^info: .*again/)]);
  });

  test('who waits can give up; others go on; closing ends all', async () => {
    server.intercept = () => new Promise(() => {});
    const table = tableOf();
    const one = new AbortController();
    const first = table.resolve([1], one.signal);
    const second = table.resolve([1, 2]);
    one.abort();
    await expect(first).rejects.toMatchObject({ code: 'registry_stopped', reaction: 'stop' });
    expect(table.status().waiting).toBe(2);
    table.close();
    await expect(second).rejects.toMatchObject({ code: 'registry_stopped' });
    await expect(table.resolve([3])).rejects.toMatchObject({ code: 'registry_stopped' });
  });
});

describe('noise', () => {
  test('of many ids at once is asked for up to the bound, the smallest first', async () => {
    server.registry.register('p.telemetry-value', avro('int'));
    const table = tableOf({ maxIdsPerCall: 4, maxUnknown: 10, attempts: 1 });
    const ids = Array.from({ length: 2_000 }, (_, i) => 1 + i * 1_000_003);
    const unknown = await table.resolve(ids.toReversed());
    expect(unknown).toEqual(ids.slice(1));
    expect(server.requests).toHaveLength(5);
    expect(table.status()).toMatchObject({ known: 1, unknown: 10, overLimit: 1_996 });
  });

  test('in the cache file is as good as no file', () => {
    const file = join(folder, 'cache.json');
    for (const text of [
      '',
      '[]',
      '{"format":1,"schemas":[{"id":1}]}',
      '{"format":1,"schemas":[{"id":1,"schemaType":"XML","schema":"","subjects":[]}]}',
    ]) {
      writeFileSync(file, text);
      const faults: string[] = [];
      const cache = new SchemaCache(file, { onFault: (error) => faults.push(error.message) });
      expect([cache.size, faults.length]).toEqual([0, 1]);
    }
  });

  test('does not fill the cache', () => {
    const cache = new SchemaCache(join(folder, 'cache.json'), { maxSchemas: 3, maxChars: 10 });
    const put = (id: number, schema: string) => cache.put({ id, schemaType: 'AVRO', schema, subjects: [] });
    for (let id = 1; id <= 5; id++) put(id, '12');
    expect([cache.size, cache.get(2), cache.get(3)?.id]).toEqual([3, undefined, 3]);
    put(6, '12345678');
    expect([cache.get(5)?.id, cache.get(6)?.id, cache.size]).toEqual([5, 6, 2]);
    expect(JSON.parse(readFileSync(join(folder, 'cache.json'), 'utf8')).schemas).toHaveLength(2);
  });

  test('a cache that cannot be written lives in memory', () => {
    const faults: string[] = [];
    writeFileSync(join(folder, 'in-the-way'), '');
    const cache = new SchemaCache(join(folder, 'in-the-way', 'cache.json'), { onFault: (e) => faults.push(e.message) });
    cache.put({ id: 1, ...avro('int'), subjects: [] });
    expect(cache.get(1)?.id).toBe(1);
    expect(faults.length).toBeGreaterThan(0);
  });
});

test('a replay stops where a schema is gone', async () => {
  const table = tableOf({ attempts: 1 });
  await table.resolve([4]);
  await expect(table.require([4])).rejects.toMatchObject({ code: 'schema_lost', reaction: 'stop' });
});

describe('our own schemas', () => {
  const own = [
    { record: 'telemetry', ...avro('int') },
    { record: 'lifecycle', ...avro('string') },
    { record: 'telemetry', schemaType: 'PROTOBUF', schema: 'message M {}' },
  ] as const;

  test('are registered under the subjects of their topics, once', async () => {
    const registry = new SchemaRegistry(EMPTY_REGISTRY, () => {});
    for (let start = 0; start < 2; start++) {
      const outcomes = await registerOwn(localSource(registry), 'p.', own);
      expect(outcomes.map(({ id, fault }) => [id, fault])).toEqual([
        [1, null],
        [2, null],
        [3, null],
      ]);
    }
    expect(registry.subjects).toEqual(['p.lifecycle-value', 'p.telemetry-value']);
    const table = tableOf({ source: localSource(registry) });
    expect(await table.resolve([1, 2, 3, 4])).toEqual([4]);
    expect(table.get(3)).toMatchObject({ format: 'protobuf', subject: 'telemetry' });
  });

  test('that the registry does not take are told', async () => {
    server.registry.setLevel('BACKWARD');
    server.registry.register('p.telemetry-value', avro('bytes'));
    const source = new RegistryClient({ urls: [server.url], clock: systemClock });
    const outcomes = await registerOwn(source, 'p.', own);
    expect(outcomes.map(({ id }) => id)).toEqual([null, 2, 3]);
    expect(outcomes[0].fault).toContain('BACKWARD');
  });
});

test.each([
  [['gridfold.telemetry-value'], 'telemetry'],
  [['other', 'gridfold.lifecycle-value'], 'lifecycle'],
  [['gridfold.telemetry-org.example.Reading'], 'telemetry'],
  [['org.example.TelemetryRecord'], 'telemetry'],
  [['Lifecycle'], 'lifecycle'],
  [['telemetry-value'], null],
  [['gridfold.derived-value'], null],
  [[], null],
])('subjects %j describe %s', (subjects, record) => expect(recordOf(subjects, 'gridfold.')).toBe(record));
