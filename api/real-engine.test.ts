import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApp } from '../cli/app.ts';
import { kindDefaults } from '../cli/kinds.ts';
import type { App } from '../cli/app-contract.ts';
import { loadConfig } from '../runtime/system/config.ts';
import { LiveClient, Replica } from './testing/live-client.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'gridfold-doors-'));
let app: App;
beforeAll(async () => {
  const { config } = loadConfig({ kinds: kindDefaults });
  const options = { localToken: 'local', log: pino({ level: process.env.GRIDFOLD_TEST_LOG ?? 'silent' }) };
  app = await openApp({ ...config, dataDir, port: 0, sim: 0, partitions: 2 }, options);
  await app.live;
});
afterAll(async () => {
  await app.close();
  rmSync(dataDir, { recursive: true });
});

const reading = (minute: number, powerW: number) =>
  JSON.stringify({
    serial: 'PW-1',
    kind: 'powerwall',
    deviceTime: new Date(Date.UTC(2022, 6, 8, 9, minute)).toISOString(),
    fields: { powerW, soc: 0.5, gridStatus: 'SystemGridConnected' },
  });

/** PW-1 stands at a site. */
async function install() {
  const installed = {
    id: 'i-1',
    serial: 'PW-1',
    kind: 'powerwall',
    type: 'installed',
    eventTime: '2022-01-03T15:00:00Z',
    recordTime: '2022-01-03T15:00:00Z',
    source: 'test',
    data: { siteId: 'S-1', position: 'battery-1', region: 'north', cabinet: 'C-1' },
  };
  const answer = await fetch(`${app.url}/v1/lifecycle`, {
    method: 'POST',
    body: JSON.stringify([installed]),
    headers: { 'content-type': 'application/json' },
  });
  expect(await answer.json()).toMatchObject({ accepted: 1, refused: 0 });
  expect((await fetch(`${app.url}/v1/settle`, { method: 'POST' })).status).toBe(200);
}

async function send(...lines: string[]) {
  const answer = await fetch(`${app.url}/v1/telemetry`, {
    method: 'POST',
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  return (await answer.json()) as { accepted: number; refused: number; positions: string[] };
}

test('a record goes in, and is seen in its asset, live, in the tables and in the audit', async () => {
  const first = await send(...[0, 5, 10, 15].map((minute) => reading(minute, 1000)), '{"serial":7}');
  expect(first).toMatchObject({ accepted: 4, refused: 1 });
  const path = `${app.url}/v1/assets/PW-1`;
  const view = (await (await fetch(`${path}?minPos=${first.positions.join(',')}`)).json()) as { revision: number };
  expect(view).toMatchObject({ kind: 'powerwall', values: { powerW: { value: 1000 } } });

  const client = await LiveClient.greeted(app.url);
  const replica = new Replica();
  client.send({ t: 'sub', id: 'a', select: { filter: 'and(eq(kind,powerwall),gt(values.soc,0.4))' } });
  await client.next('sub');
  replica.apply(await client.next('snap'));
  expect([...replica.held.keys()]).toEqual(['PW-1']);
  await send(reading(20, 2500));
  replica.apply(await client.next('d'));
  expect(replica.held.get('PW-1')?.document).toMatchObject({ values: { powerW: 2500 } });
  client.close();

  expect((await fetch(`${app.url}/v1/settle`, { method: 'POST' })).status).toBe(200);
  const sql = 'select sum(out_wh)::double as wh from energy_intervals_current where serial = ?';
  const rows = await fetch(`${app.url}/v1/sql`, {
    method: 'POST',
    body: JSON.stringify({ sql, parameters: ['PW-1'] }),
    headers: { 'content-type': 'application/json' },
  });
  expect(((await rows.json()) as { rows: { wh: number }[] }).rows[0].wh).toBeGreaterThan(200);
  const letters = (await (await fetch(`${app.url}/v1/dead-letters`)).json()) as { items: { value: string }[] };
  expect(letters.items.map((one) => Buffer.from(one.value, 'base64').toString())).toEqual(['{"serial":7}']);
  expect(await (await fetch(`${app.url}/v1/audit`)).json()).toMatchObject({ ok: true });
});

test('what the real parts answer matches the documented schemas', async () => {
  const ajv = new Ajv({ strict: false, formats: { 'date-time': true } });
  const document = (await (await fetch(`${app.url}/openapi.json`)).json()) as {
    paths: Record<string, { get?: { responses: { 200: { content: Record<string, { schema: object }> } } } }>;
  };
  await install();
  const begun = await fetch(`${app.url}/v1/reprocess`, {
    method: 'POST',
    body: JSON.stringify({ name: 'again', input: 'log', fromMs: null }),
    headers: { 'content-type': 'application/json' },
  });
  expect(begun.status, await begun.text()).toBe(200);
  // An Avro schema: its text is JSON.
  const registered = { id: '2', subject: 'gridfold.telemetry-value', version: 'latest' };
  const sample = { serial: 'PW-1', siteId: 'S-1', cabinet: 'C-1', region: 'north', name: 'again', ...registered };
  for (const [path, { get }] of Object.entries(document.paths)) {
    const schema = get?.responses[200].content['application/json']?.schema;
    if (schema === undefined) continue;
    const asked = path.replaceAll(/\{(\w+)\}/g, (_all, name: keyof typeof sample) => sample[name]);
    const answer = await fetch(app.url + asked);
    expect(answer.status, path).toBe(200);
    const matches = ajv.compile(schema);
    expect(matches(await answer.json()), `${path}: ${JSON.stringify(matches.errors)}`).toBe(true);
  }
});

test('a site is found by a text in its name', async () => {
  const names = async (search: string) => {
    const answer = await fetch(`${app.url}/v1/sites?search=${search}`);
    return ((await answer.json()) as { items: { siteId: string }[] }).items.map(({ siteId }) => siteId);
  };
  expect(await names('s-1')).toEqual(['S-1']);
  expect(await names('s_1')).toEqual([]);
});

test('who replaced whom is known from both sides, whichever of them told', async () => {
  const record = (serial: string, type: string, day: number, data: object = {}) => ({
    ...{ id: `${serial}-${type}`, serial, kind: 'powerwall', type, source: 'test', data },
    eventTime: new Date(Date.UTC(2023, 0, day)).toISOString(),
    recordTime: new Date(Date.UTC(2023, 0, day)).toISOString(),
  });
  const place = { siteId: 'S-9', position: 'battery-1' };
  const records = [
    record('PW-A', 'installed', 1, place),
    record('PW-A', 'replacedBy', 10, { newSerial: 'PW-B' }),
    record('PW-B', 'installed', 10, place),
    record('PW-B', 'decommissioned', 20, { reason: 'replaced' }),
    record('PW-C', 'installed', 21, { ...place, replaces: 'PW-B' }),
    record('PW-C', 'decommissioned', 30, { reason: 'retired' }),
    record('PW-D', 'installed', 40, place),
  ];
  await fetch(`${app.url}/v1/lifecycle`, {
    method: 'POST',
    body: JSON.stringify(records),
    headers: { 'content-type': 'application/json' },
  });
  expect((await fetch(`${app.url}/v1/settle`, { method: 'POST' })).status).toBe(200);
  const neighbours = async (serial: string) => {
    const answer = await fetch(`${app.url}/v1/assets/${serial}/lifecycle`);
    const { replaces, replacedBy } = (await answer.json()) as Record<string, { serial: string; told: string } | null>;
    return [replaces, replacedBy].map((one) => one && `${one.serial} by ${one.told}`);
  };
  expect(await neighbours('PW-A')).toEqual([null, 'PW-B by record']);
  expect(await neighbours('PW-B')).toEqual(['PW-A by record', 'PW-C by record']);
  expect(await neighbours('PW-C')).toEqual(['PW-B by record', 'PW-D by slot']);
  expect(await neighbours('PW-D')).toEqual(['PW-C by slot', null]);
});
