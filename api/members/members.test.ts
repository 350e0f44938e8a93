import { Ajv } from 'ajv';
import { afterEach, expect, test } from 'vitest';
import { createMetrics } from '../../runtime/system/metrics.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { assetView } from '../testing/fake-engine.ts';
import { type TestGroup, testGroup } from '../testing/group.ts';
import { tables } from '../testing/server.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function open(...args: Parameters<typeof testGroup>): Promise<TestGroup> {
  const group = await testGroup(...args);
  opened.push(group);
  return group;
}

const partitions = 4;
const serials = Array.from({ length: 40 }, (_, i) => `PW-${i}`);
const homeIn = (serial: string) => homeOf(serial, partitions).partition;
const serialOf = (partition: number, nth = 0) => serials.filter((serial) => homeIn(serial) === partition)[nth];

/** Every engine knows every asset: which of them it shows is a matter of who has the partition. */
function commitAll({ servers }: TestGroup): void {
  for (const { engine } of servers)
    engine.change(...serials.map((serial) => assetView(serial, { values: { powerW: 1 } })));
}
const get = (url: string, headers = {}) => fetch(url, { headers });
const body = async <T>(answer: Response) => (await answer.json()) as T;
interface Listed {
  items: { serial: string }[];
  cursor: string | null;
  incomplete?: string[];
}

test('any process answers for any serial, with the headers of its owner', async () => {
  const group = await open([0, 1, 2, 1]);
  commitAll(group);
  for (const { url } of group.servers) {
    for (const serial of serials) {
      const answer = await get(`${url}/v1/assets/${serial}`);
      expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"rev:1"']);
      expect(answer.headers.get('x-position')).toBe(`telemetry:${homeIn(serial)}:1,lifecycle:${homeIn(serial)}:0`);
      expect(await body(answer)).toMatchObject({ serial });
    }
    const known = await get(`${url}/v1/assets/${serialOf(1)}`, { 'if-none-match': '"rev:1"' });
    expect([known.status, await known.text()]).toEqual([304, '']);
    for (const below of ['lifecycle', 'events', 'transitions?limit=3']) {
      expect((await get(`${url}/v1/assets/${serialOf(2)}/${below}`)).status, below).toBe(200);
    }
    const odd = 'a/../b?c=#%';
    expect(await body(await get(`${url}/v1/assets/${encodeURIComponent(odd)}`))).toMatchObject({
      code: 'unknown_asset',
      detail: expect.stringContaining(odd),
    });
  }
});

test('places are answered by their owners too', async () => {
  const group = await open([0, 1, 2, 1]);
  const sites = ['S-0', 'S-1', 'S-2', 'S-3', 'S-4', 'S-5', 'S-6', 'S-7'];
  for (const { engine } of group.servers) {
    for (const siteId of sites) engine.places.site.set(siteId, { siteId, members: [] });
    engine.places.cabinet.set('S-1/C-1', { cabinet: 'S-1/C-1' });
    engine.places.region.set('region/north', { region: 'north', sites: [] });
  }
  for (const { url } of group.servers) {
    for (const siteId of sites) expect(await body(await get(`${url}/v1/sites/${siteId}`))).toMatchObject({ siteId });
    expect((await get(`${url}/v1/cabinets/S-1/C-1`)).status).toBe(200);
    expect((await get(`${url}/v1/regions/north`)).status).toBe(200);
    expect(await body(await get(`${url}/v1/sites/none`))).toMatchObject({ code: 'unknown_site' });
    const all = await body<{ items: { siteId: string }[]; cursor: null }>(await get(`${url}/v1/sites`));
    expect(all.items.map(({ siteId }) => siteId).sort()).toEqual(sites);
    expect(all.cursor).toBeNull();
  }
});

test('sites are searched by name in every process', async () => {
  const rows = ['S-0', 'S-1', 'S-2', 'S-3', 'gone'].map((name) => [name]);
  const query = async () => ({ columns: [{ name: 'site_id', type: 'VARCHAR' }], rows, truncated: false });
  const group = await open([0, 1, 0, 1], {}, { tables: { ...tables, query } });
  for (const { engine } of group.servers) {
    for (const [siteId] of rows.slice(0, 4)) engine.places.site.set(siteId, { siteId, members: [] });
  }
  const found = await body<Listed>(await get(`${group.servers[0].url}/v1/sites?search=s`));
  expect(found.items).toEqual(rows.slice(0, 4).map(([siteId]) => ({ siteId })));
});

test('a partition that moves is 503 with Retry-After; so is one that the owner does not have yet', async () => {
  const group = await open([0, 1, null, 1]);
  commitAll(group);
  const [{ url }] = group.servers;
  const moving = await get(`${url}/v1/assets/${serialOf(2)}`);
  expect([moving.status, moving.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await body(moving)).toMatchObject({ code: 'partition_moving' });

  const forwarded = await get(`${url}/v1/assets/${serialOf(1)}`, { 'x-gridfold-forwarded': '1' });
  expect([forwarded.status, await body(forwarded)]).toMatchObject([503, { code: 'partition_moving' }]);
  expect((await get(`${url}/v1/assets/${serialOf(0)}`, { 'x-gridfold-forwarded': '1' })).status).toBe(200);
});

test('an owner that is away is 503 owner_unreachable, and counted; lists say what they lack', async () => {
  const metrics = createMetrics({ version: '0', processMetrics: false });
  const group = await open([0, 1, 0, null], {}, { metrics });
  commitAll(group);
  const [{ url }, away] = group.servers;
  expect((await get(`${url}/v1/assets/${serialOf(1)}`)).status).toBe(200);
  await away.close();
  const answer = await get(`${url}/v1/assets/${serialOf(1)}`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await body(answer)).toMatchObject({ code: 'owner_unreachable', detail: expect.stringContaining(away.url) });
  const scraped = await metrics.scrape();
  expect(scraped).toContain('gridfold_forwarded_requests_total{outcome="answered"} 1');
  expect(scraped).toContain('gridfold_forwarded_requests_total{outcome="unreachable"} 1');

  const lacks = [away.url, 'partition 3'];
  const list = await body<Listed>(await get(`${url}/v1/assets?limit=1000`));
  expect(list.items.map(({ serial }) => serial).sort()).toEqual(
    serials.filter((serial) => homeIn(serial) === 0 || homeIn(serial) === 2).sort(),
  );
  expect([list.cursor, list.incomplete]).toEqual([null, lacks]);
  for (const path of ['/v1/fleet', '/v1/pipeline']) {
    expect((await body<Listed>(await get(url + path))).incomplete, path).toEqual(lacks);
  }
  expect(await body(await get(`${url}/v1/pipeline`))).toMatchObject({ ready: false });
  const settle = await fetch(`${url}/v1/settle`, { method: 'POST' });
  expect([settle.status, await body(settle)]).toMatchObject([503, { code: 'partition_moving' }]);
});

test.each([1, 3, 7, 1000])('pages of %i assets come from all processes, none twice and none missing', async (limit) => {
  const group = await open([0, 1, 2, 1]);
  commitAll(group);
  for (const { url } of group.servers) {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const at: string = cursor === null ? '' : `&cursor=${cursor}`;
      const page: Listed = await body<Listed>(await get(`${url}/v1/assets?kind=powerwall&limit=${limit}${at}`));
      expect(page.incomplete).toBeUndefined();
      found.push(...page.items.map(({ serial }) => serial));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(found.toSorted()).toEqual(serials.toSorted());
  }
  const bad = await get(`${group.servers[0].url}/v1/assets?cursor=x`);
  expect([bad.status, await body(bad)]).toMatchObject([400, { code: 'bad_cursor' }]);
});

test('fleet and pipeline are those of all processes', async () => {
  const group = await open([0, 1, 2, 1]);
  commitAll(group);
  for (const { url } of group.servers) {
    expect(await body(await get(`${url}/v1/fleet`))).toMatchObject({
      assets: serials.length,
      kinds: { powerwall: { assets: serials.length, powerW: serials.length, status: { Standby: serials.length } } },
    });
    const pipeline = await body<{
      ready: boolean;
      partitions: { partition: number; owner: string }[];
      sinks: object[];
    }>(await get(`${url}/v1/pipeline`));
    const owners = pipeline.partitions.map(({ owner }) => owner);
    expect(owners).toEqual(group.group.owners);
    expect([pipeline.ready, pipeline.sinks.length]).toEqual([true, 3]);
  }
});

test('what several processes answer matches the documented schemas', async () => {
  const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });
  const group = await open([0, 1, null]);
  commitAll(group);
  const [{ url }] = group.servers;
  const { paths } = await body<{
    paths: Record<string, { get: { responses: { 200: { content: Record<string, { schema: object }> } } } }>;
  }>(await get(`${url}/openapi.json`));
  for (const path of ['/v1/assets', '/v1/sites', '/v1/regions', '/v1/fleet', '/v1/pipeline', '/v1/pipeline/wait']) {
    const matches = ajv.compile(paths[path].get.responses[200].content['application/json'].schema);
    expect(matches(await body(await get(url + path))), `${path}: ${JSON.stringify(matches.errors)}`).toBe(true);
  }
});

test('positions are waited for where their partitions are', async () => {
  const group = await open([0, 1, 2, 1]);
  commitAll(group);
  const [first, second, third] = group.servers;
  const path = `/v1/assets/${serialOf(1)}?minPos=telemetry:0:7,telemetry:1:8,lifecycle:2:9,telemetry:3:4`;
  expect((await get(first.url + path)).status).toBe(200);
  expect(first.engine.waits).toEqual(['telemetry:0:7']);
  expect(second.engine.waits.toSorted()).toEqual(['telemetry:1:8', 'telemetry:3:4']);
  expect(third.engine.waits).toEqual(['lifecycle:2:9']);

  const late = await get(`${first.url}/v1/assets/${serialOf(0)}?minPos=telemetry:2:9999999&timeoutMs=10`);
  expect([late.status, await body(late)]).toMatchObject([503, { code: 'wait_timeout' }]);
  expect(await body(await get(`${third.url}/v1/pipeline/wait?minPos=telemetry:1:5`))).toEqual({ folded: true });
  group.give(0, 1, null, 1);
  const moving = await get(`${first.url}/v1/pipeline/wait?minPos=telemetry:2:5`);
  expect([moving.status, await body(moving)]).toMatchObject([503, { code: 'partition_moving' }]);
});

test('settle waits for all processes, and again for what they said to each other', async () => {
  const group = await open([0, 1]);
  const [first, second] = group.servers;
  const settle = (more = '') => fetch(`${first.url}/v1/settle${more}`, { method: 'POST' });
  expect((await settle()).status).toBe(200);
  expect([first.engine.settles, second.engine.settles]).toEqual([4, 4]);
  second.engine.isSettled = false;
  const late = await settle('?timeoutMs=20');
  expect([late.status, await body(late)]).toMatchObject([503, { code: 'not_settled' }]);
});

test('processes know each other by the token that they share', async () => {
  const group = await open([0, 1], { authToken: 'secret', localToken: 'local' });
  commitAll(group);
  const serial = serials.find((one) => homeOf(one, 2).partition === 1);
  const path = `/v1/assets/${serial}`;
  expect((await get(group.servers[0].url + path)).status).toBe(401);
  for (const token of ['secret', 'local']) {
    const answer = await get(group.servers[0].url + path, { authorization: `Bearer ${token}` });
    expect(answer.status, token).toBe(200);
  }
  const stranger = await open([0, 1], { authToken: 'other' });
  group.group.owners[1] = stranger.servers[0].url;
  const refused = await get(group.servers[0].url + path, { authorization: 'Bearer secret' });
  expect([refused.status, await body(refused)]).toMatchObject([503, { code: 'owner_refused' }]);
});
