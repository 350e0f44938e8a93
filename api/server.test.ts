import { request as httpRequest } from 'node:http';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { problemSchema } from './http/schema-parts.ts';
import { assetView } from './testing/fake-engine.ts';
import { tables, testServer } from './testing/server.ts';

let server: Awaited<ReturnType<typeof testServer>>;
beforeEach(async () => {
  server = await testServer();
  const totals = { minute: '2026-01-01T00:00:00.000Z', membersExpected: 1, membersFresh: 1, oldestAgeMs: 0 };
  const asOf = '2026-01-01T00:00:00.000Z';
  const { site, cabinet, region } = server.engine.places;
  for (const siteId of ['S-1', 'S-2', 'DEPOT']) {
    site.set(siteId, {
      siteId,
      asOf,
      totals: { ...totals, powerW: -100 },
      grid: 'tied',
      gatewaySilentSince: null,
      slotConflicts: [],
      members: [],
      beyondHorizon: 0,
    });
  }
  cabinet.set('S-1/C-1', {
    cabinet: 'S-1/C-1',
    asOf,
    minute: asOf,
    stallsExpected: 2,
    stallsFresh: 2,
    powerW: -100,
    offeredW: 100,
    requestedW: null,
    limitW: null,
    state: 'Supplying',
    stallsByState: { charging: 1, available: 1 },
    inhibited: false,
    overallocated: false,
  });
  region.set('region/north', {
    region: 'north',
    asOf,
    totals: { ...totals, sites: 1, sitesUnknown: 0 },
    gridEvents: [],
    sites: ['S-1'],
  });
  server.engine.change(
    assetView('PW-1', { values: { soc: 0.5, powerW: -100 }, siteId: 'S-1', status: 'Charging', revision: 4 }),
    assetView('INV-1', { kind: 'inverter', values: { powerW: 900 } }),
  );
});
afterEach(() => server.close());

const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });
const isProblem = ajv.compile(problemSchema);
const post = (path: string, body?: string, type = 'application/x-ndjson') =>
  fetch(server.url + path, { method: 'POST', body, headers: body === undefined ? {} : { 'content-type': type } });
const get = (path: string, headers = {}) => fetch(server.url + path, { headers });

/** A request as given, with headers that fetch does not allow. */
function raw(path: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(server.url + path, { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

async function problem(answer: Response, status: number, code: string) {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const body = (await answer.json()) as {
    status: number;
    code: string;
    errors?: { pointer: string; detail: string }[];
  };
  expect(isProblem(body), JSON.stringify(isProblem.errors)).toBe(true);
  expect([answer.status, body.status, body.code]).toEqual([status, status, code]);
  return body;
}

describe('every documented route', () => {
  const samples: Record<string, { path: string; body?: string; type?: string }> = {
    'post /v1/telemetry': { path: '/v1/telemetry', body: '{"serial":"PW-1","fields":{}}\n' },
    'post /v1/lifecycle': { path: '/v1/lifecycle', body: '[{"serial":"PW-1","type":"x"}]', type: 'application/json' },
    'post /v1/sql': { path: '/v1/sql', body: '{"sql":"select 1"}', type: 'application/json' },
    'post /v1/settle': { path: '/v1/settle' },
    'get /v1/sites/{siteId}': { path: '/v1/sites/S-1' },
    'get /v1/cabinets/{siteId}/{cabinet}': { path: '/v1/cabinets/S-1/C-1' },
    'get /v1/regions/{region}': { path: '/v1/regions/north' },
    'get /v1/assets/{serial}': { path: '/v1/assets/PW-1' },
    'get /v1/assets/{serial}/lifecycle': { path: '/v1/assets/PW-1/lifecycle' },
    'get /v1/assets/{serial}/transitions': { path: '/v1/assets/PW-1/transitions' },
    'get /v1/assets/{serial}/events': { path: '/v1/assets/PW-1/events' },
  };

  test('answers, and its answer matches the schema in /openapi.json', async () => {
    const document = (await (await get('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>
      >;
    };
    expect(document.openapi).toBe('3.1.0');
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(routes.length).toBeGreaterThanOrEqual(19);
    for (const { path, method, operation } of routes) {
      const sample = samples[`${method} ${path}`] ?? { path };
      const answer = method === 'post' ? await post(sample.path, sample.body, sample.type) : await get(sample.path);
      expect(answer.status, `${method} ${path}`).toBe(200);
      const [[type, { schema }]] = Object.entries(operation.responses['200'].content);
      expect(answer.headers.get('content-type'), path).toContain(type);
      const body = type === 'application/json' ? await answer.json() : await answer.text();
      const matches = ajv.compile(schema);
      expect(matches(body), `${method} ${path}: ${JSON.stringify(matches.errors)}`).toBe(true);
    }
  });
});

describe('places', () => {
  type Page = { items: { siteId: string }[]; cursor: string | null };
  const page = async (query: string, door = server) =>
    (await (await fetch(`${door.url}/v1/sites?${query}`)).json()) as Page;
  const names = ({ items }: Page) => items.map(({ siteId }) => siteId);

  test('come a page at a time, without who belongs to them', async () => {
    const first = await page('limit=2');
    expect(names(first)).toEqual(['DEPOT', 'S-1']);
    expect(first.items[0]).not.toHaveProperty('members');
    const last = await page(`limit=2&cursor=${first.cursor}`);
    expect([names(last), last.cursor]).toEqual([['S-2'], null]);
  });

  test('are found by a text in their name, a page at a time', async () => {
    const asked: unknown[][] = [];
    const known = ['S-1', 'S-2', 'S-9'];
    const door = await testServer(
      {},
      {
        tables: {
          ...tables,
          query: async (_sql, parameters) => {
            asked.push([...parameters]);
            const rows = known.filter((name) => name > String(parameters[1])).map((name) => [name]);
            return { columns: [{ name: 'site_id', type: 'VARCHAR' }], rows, truncated: false };
          },
        },
      },
    );
    for (const [key, one] of server.engine.places.site) door.engine.places.site.set(key, one);
    const first = await page('search=s&limit=1', door);
    expect([names(first), first.cursor]).toEqual([['S-1'], 'S-1']);
    // S-9 is in the table, and no actor knows it any more.
    const last = await page(`search=s&limit=2&cursor=${first.cursor}`, door);
    expect([names(last), last.cursor]).toEqual([['S-2'], null]);
    expect(asked).toEqual([
      ['s', '', 2],
      ['s', 'S-1', 3],
    ]);
    await door.close();
  });

  test('that nobody told of are not there; a cursor of another list is refused', async () => {
    await problem(await get('/v1/sites/S-7'), 404, 'unknown_site');
    await problem(await get('/v1/cabinets/S-1/C-7'), 404, 'unknown_cabinet');
    await problem(await get('/v1/regions/south'), 404, 'unknown_region');
    await problem(await get('/v1/sites?cursor=S-1'), 400, 'bad_cursor');
  });
});

describe('ingest', () => {
  test('counts what the log holds and gives a reason per refused line, whose bytes are set aside', async () => {
    const body =
      '{"serial":"PW-1","fields":{}}\nnot json\n\n{"serial":"PW-1","type":"x"}\n{"serial":"PW-2","fields":{}}';
    const answer = await post('/v1/telemetry', body);
    expect(await answer.json()).toEqual({
      accepted: 2,
      refused: 2,
      errors: [
        { line: 2, reason: 'malformed_json', detail: expect.stringContaining('RFC 8259') },
        { line: 4, reason: 'wrong_topic', detail: 'This is a lifecycle record: POST it to /v1/lifecycle.' },
      ],
      errorsTruncated: false,
      positions: ['telemetry:0:2'],
    });
    expect(server.engine.produced.map((record) => record.key)).toEqual(['PW-1', 'PW-2']);
    expect(server.engine.refused.map((line) => Buffer.from(line.value).toString())).toEqual([
      'not json',
      '{"serial":"PW-1","type":"x"}',
    ]);
  });

  test('lists at most 1000 errors', async () => {
    const answer = await post('/v1/telemetry', 'x\n'.repeat(5_000));
    const body = (await answer.json()) as { refused: number; errors: unknown[]; errorsTruncated: boolean };
    expect([body.refused, body.errors.length, body.errorsTruncated]).toEqual([5_000, 1_000, true]);
    expect(server.engine.refused.length).toBe(5_000);
  });

  test('refuses other media types, broken arrays and bodies over the bound', async () => {
    await problem(await post('/v1/telemetry', 'x', 'text/plain'), 415, 'unsupported_media_type');
    await problem(await post('/v1/telemetry', '[{', 'application/json'), 400, 'malformed_json');
    const small = await testServer({ maxBodyBytes: 1_000 });
    const answer = await fetch(`${small.url}/v1/telemetry`, {
      method: 'POST',
      body: 'x'.repeat(5_000),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    await problem(answer, 413, 'too_large');
    await small.close();
  });

  test('answers 429 with Retry-After while as many bodies as allowed are read', async () => {
    const narrow = await testServer({ maxIngestBodies: 1 });
    const slow = httpRequest(`${narrow.url}/v1/telemetry`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-length': '30', expect: '100-continue' },
    });
    slow.on('error', () => {});
    await new Promise((resolve) => slow.once('continue', resolve));
    slow.write('{"serial"');
    let answer: Response;
    do {
      answer = await fetch(`${narrow.url}/v1/telemetry`, {
        method: 'POST',
        body: '',
        headers: { 'content-type': 'application/x-ndjson' },
      });
    } while (answer.status === 200);
    expect(answer.headers.get('retry-after')).toBe('1');
    await problem(answer, 429, 'too_many_bodies');
    slow.destroy();
    await narrow.close();
  });
});

describe('assets', () => {
  test('are filtered by parameters and by grammar', async () => {
    const serials = async (query: string) =>
      ((await (await get(`/v1/assets?${query}`)).json()) as { items: { serial: string }[] }).items.map(
        (one) => one.serial,
      );
    expect(await serials('')).toEqual(['INV-1', 'PW-1']);
    expect(await serials('kind=inverter')).toEqual(['INV-1']);
    expect(await serials('status=Charging')).toEqual(['PW-1']);
    expect(await serials('siteId=S-1')).toEqual(['PW-1']);
    expect(await serials(`filter=${encodeURIComponent('gt(values.powerW,0)')}`)).toEqual(['INV-1']);
  });

  test('come in pages', async () => {
    const first = (await (await get('/v1/assets?limit=1')).json()) as { items: object[]; cursor: string };
    const second = (await (await get(`/v1/assets?limit=1&cursor=${first.cursor}`)).json()) as {
      items: { serial: string }[];
    };
    expect(second.items.map((one) => one.serial)).toEqual(['PW-1']);
  });

  test('a wrong parameter is named', async () => {
    const limit = await problem(await get('/v1/assets?limit=5000'), 400, 'invalid_request');
    expect(limit.errors).toEqual([{ pointer: '/querystring/limit', detail: 'must be <= 1000' }]);
    const unknown = await problem(await get('/v1/assets?colour=red'), 400, 'invalid_request');
    expect(unknown.errors?.[0].pointer).toBe('/querystring/colour');
    const filter = await problem(await get('/v1/assets?filter=eq(soc,1)'), 400, 'filter_field');
    expect(filter.errors?.[0]).toMatchObject({ pointer: '/querystring/filter' });
  });

  test('one asset carries its revision and position, and is not sent again', async () => {
    const answer = await get('/v1/assets/PW-1');
    expect(answer.headers.get('etag')).toBe('"rev:4"');
    expect(answer.headers.get('x-position')).toBe('telemetry:0:4,lifecycle:0:0');
    expect((await get('/v1/assets/PW-1', { 'if-none-match': '"rev:4"' })).status).toBe(304);
    await problem(await get('/v1/assets/none'), 404, 'unknown_asset');
    await problem(await get('/v1/assets/none/events'), 404, 'unknown_asset');
  });

  test('minPos waits for a position, and says when it does not come', async () => {
    expect((await get('/v1/assets/PW-1?minPos=telemetry:0:5')).status).toBe(200);
    const late = await get('/v1/assets/PW-1?minPos=telemetry:0:9999999&timeoutMs=10');
    expect(late.headers.get('retry-after')).toBe('1');
    await problem(late, 503, 'wait_timeout');
    await problem(await get('/v1/assets/PW-1?minPos=telemetry:7:1'), 400, 'unknown_partition');
    await problem(await get('/v1/assets/PW-1?minPos=nonsense'), 400, 'invalid_request');
  });
});

describe('sql and settle', () => {
  test('rows are objects, and two columns of one name stay two', async () => {
    const answer = await post('/v1/sql', '{"sql":"select 1"}', 'application/json');
    expect(await answer.json()).toMatchObject({ rows: [{ n: 1, n_2: 2 }], truncated: false });
  });

  test('what is not a read is refused; a body that does not fit is pointed at', async () => {
    await problem(await post('/v1/sql', '{"sql":"drop table x"}', 'application/json'), 400, 'sql_refused');
    const missing = await problem(await post('/v1/sql', '{}', 'application/json'), 400, 'invalid_request');
    expect(missing.errors?.[0].pointer).toBe('/sql');
    const wrong = await problem(await post('/v1/sql', '{"sql":7}', 'application/json'), 400, 'invalid_request');
    expect(wrong.errors).toEqual([{ pointer: '/sql', detail: 'must be string' }]);
    await problem(
      await post('/v1/sql', '{"sql":"select 1","__proto__":{"a":1}}', 'application/json'),
      400,
      'bad_request',
    );
  });

  test('settle says when it waited in vain', async () => {
    server.engine.isSettled = false;
    await problem(await post('/v1/settle?timeoutMs=5'), 503, 'not_settled');
  });
});

describe('security', () => {
  test('a foreign Host or Origin is refused', async () => {
    expect(await raw('/v1/fleet', { host: 'evil.example' })).toBe(403);
    expect(await raw('/v1/fleet', { host: 'localhost:9' })).toBe(200);
    expect(await raw('/v1/fleet', { host: '[::1]:4343' })).toBe(200);
    expect(await raw('/v1/settle', { origin: 'http://evil.example' }, 'POST')).toBe(403);
    expect(await raw('/v1/settle', { origin: 'null' }, 'POST')).toBe(403);
    expect(await raw('/v1/settle', { 'sec-fetch-site': 'cross-site' }, 'POST')).toBe(403);
    expect(await raw('/v1/settle', { origin: server.url }, 'POST')).toBe(200);
  });

  test('with a token set, everything but health and the page needs it', async () => {
    const locked = await testServer({ authToken: 'secret', localToken: 'local' });
    const status = async (path: string, token?: string) =>
      (await fetch(locked.url + path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }))
        .status;
    expect(await status('/v1/fleet')).toBe(401);
    expect(await status('/v1/fleet', 'secre')).toBe(401);
    expect(await status('/v1/fleet', 'secret')).toBe(200);
    expect(await status('/v1/fleet', 'local')).toBe(200);
    expect(await status('/metrics')).toBe(401);
    expect(await status('/healthz')).toBe(200);
    expect(await status('/')).toBe(200);
    const answer = await fetch(`${locked.url}/v1/fleet`);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    await problem(answer, 401, 'not_authenticated');
    await locked.close();
  });

  test('on an address that others reach, sql needs a token even when none is set', async () => {
    const open = await testServer({ host: '0.0.0.0', localToken: 'local' });
    const url = open.url.replace('0.0.0.0', '127.0.0.1');
    const ask = (headers: Record<string, string>) =>
      fetch(`${url}/v1/sql`, {
        method: 'POST',
        body: '{"sql":"select 1"}',
        headers: { 'content-type': 'application/json', ...headers },
      });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: 'Bearer local' })).status).toBe(200);
    await open.close();
  });

  test('the page cannot run or load anything from elsewhere', async () => {
    const answer = await get('/');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    await problem(await get('/..%2fpackage.json'), 404, 'not_found');
    await problem(await get('/server.ts'), 404, 'not_found');
  });

  test('requests over the limit are told to come back', async () => {
    const narrow = await testServer({ maxRequests: 0 });
    const answer = await fetch(`${narrow.url}/v1/fleet`);
    expect(answer.headers.get('retry-after')).toBe('1');
    await problem(answer, 503, 'busy');
    await narrow.close();
  });
});

test('readiness follows the engine', async () => {
  server.engine.ready = false;
  await problem(await get('/readyz'), 503, 'not_ready');
  expect((await get('/healthz')).status).toBe(200);
});

test('a port in use is a configuration error', async () => {
  await expect(testServer({ port: Number(new URL(server.url).port) })).rejects.toMatchObject({
    code: 'port_in_use',
    reaction: 'fix-configuration',
  });
});
