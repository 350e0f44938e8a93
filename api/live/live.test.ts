import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../runtime/kernel/clock.ts';
import { createMetrics, type Metrics } from '../../runtime/system/metrics.ts';
import { assetView } from '../testing/fake-engine.ts';
import { LiveClient } from '../testing/live-client.ts';
import { testServer } from '../testing/server.ts';

let clock: ManualClock;
let metrics: Metrics;
let server: Awaited<ReturnType<typeof testServer>>;
const clients: { close(): void }[] = [];

async function start(config: Parameters<typeof testServer>[0] = {}) {
  clock = new ManualClock(1_000_000);
  metrics = createMetrics({ version: '0', processMetrics: false });
  server = await testServer(config, { clock, metrics });
  server.engine.change(assetView('PW-1', { values: { soc: 0.5 } }), assetView('PW-2', { values: { soc: 0.9 } }));
}
beforeEach(() => start());
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function track<T extends { close(): void }>(client: T): T {
  clients.push(client);
  return client;
}
const greeted = async () => track(await LiveClient.greeted(server.url));
const connect = async () => track(await LiveClient.connect(server.url));
const flush = () => clock.advance(50);
async function subscribed(select: object, more: object = {}) {
  const client = await greeted();
  client.send({ t: 'sub', id: 'a', select, ...more });
  await client.next('sub');
  flush();
  return { client, snap: await client.next('snap') };
}

describe('subscribing', () => {
  test('by serial: snapshot, then deltas as merge patches', async () => {
    const { client, snap } = await subscribed({ ids: ['PW-1', 'unknown'] }, { fields: ['values.soc', 'status'] });
    expect(snap).toMatchObject({
      last: true,
      members: 1,
      items: [{ k: 'PW-1', rev: 1, v: { status: 'Standby', values: { soc: 0.5 } } }],
    });
    server.engine.change(assetView('PW-1', { revision: 2, values: { soc: 0.6 } }), assetView('PW-2', { revision: 2 }));
    flush();
    expect(await client.next('d')).toMatchObject({
      seq: 1,
      k: 'PW-1',
      base: 1,
      rev: 2,
      op: 'merge',
      v: { values: { soc: 0.6 } },
    });
    server.engine.change(assetView('unknown'));
    flush();
    expect(await client.next('d')).toMatchObject({ seq: 2, k: 'unknown', op: 'put' });
  });

  test('by filter: membership is live', async () => {
    const { client, snap } = await subscribed({ filter: 'and(eq(kind,powerwall),gt(values.soc,0.8))' });
    expect((snap.items as { k: string }[]).map((item) => item.k)).toEqual(['PW-2']);
    server.engine.change(assetView('PW-1', { revision: 2, values: { soc: 0.85 } }));
    flush();
    expect(await client.next('d')).toMatchObject({ op: 'enter', k: 'PW-1', v: { values: { soc: 0.85 } } });
    server.engine.change(
      assetView('PW-2', { revision: 2, values: { soc: 0.1 } }),
      assetView('INV', { kind: 'inverter' }),
    );
    flush();
    expect(await client.next('d')).toMatchObject({ op: 'leave', k: 'PW-2' });
  });

  test('the engine is asked to name changes only while somebody is subscribed', async () => {
    expect(server.engine.watchers).toBe(0);
    const { client } = await subscribed({ ids: ['PW-1'] });
    client.send({ t: 'sub', id: 'b', select: { filter: 'eq(kind,powerwall)' } });
    await client.next('sub');
    expect(server.engine.watchers).toBe(1);
    client.send({ t: 'unsub', id: 'a' });
    await client.next('unsub');
    expect(server.engine.watchers).toBe(1);
    client.send({ t: 'unsub', id: 'b' });
    await client.next('unsub');
    expect(server.engine.watchers).toBe(0);
  });

  test('after unsub nothing comes any more', async () => {
    const { client } = await subscribed({ ids: ['PW-1'] });
    client.send({ t: 'unsub', id: 'a' });
    await client.next('unsub');
    server.engine.change(assetView('PW-1', { revision: 2, values: { soc: 0.6 } }));
    flush();
    client.send({ t: 'ping', n: 7 });
    expect(await client.next()).toEqual({ t: 'pong', n: 7 });
  });
});

describe('faults of a client', () => {
  test.each([
    ['{"t":"sub","id":"a","select":{}}', '/select must NOT have fewer than 1 properties'],
    ['{"t":"sub","id":"a","select":{"ids":[7]}}', '/select/ids/0 must be string'],
    ['{"t":"sub","id":"a","select":{"ids":["x"]},"stream":"events"}', '/stream must be equal to constant'],
    ['{"t":"nonsense"}', 't names no frame of this protocol'],
    ['{"t":"ping","__proto__":{"n":1}}', '/ must NOT have additional properties'],
  ])('%s gets an error frame', async (sent, msg) => {
    const client = await greeted();
    client.send(sent);
    expect(await client.next('err')).toMatchObject({ code: 'bad_frame', msg });
  });

  test('a filter or a field that is wrong is told, and the subscription does not exist', async () => {
    const client = await greeted();
    client.send({ t: 'sub', id: 'a', select: { filter: 'eq(soc,1)' } });
    expect(await client.next('err')).toMatchObject({ id: 'a', code: 'filter_field' });
    client.send({ t: 'sub', id: 'a', select: { ids: ['PW-1'] }, fields: ['nonsense'] });
    expect(await client.next('err')).toMatchObject({ id: 'a', code: 'unknown_field' });
    client.send({ t: 'unsub', id: 'a' });
    expect(await client.next('err')).toMatchObject({ code: 'unknown_subscription' });
  });

  test.each<[string, number, (client: LiveClient) => void]>([
    ['not JSON', 4400, (client) => client.send('{')],
    ['a binary frame', 4400, (client) => client.socket.send(Buffer.from([1, 2]))],
    ['a second hello', 4429, (client) => client.send({ t: 'hello', v: 1 })],
    ['too many frames', 4429, (client) => Array.from({ length: 101 }, () => client.send({ t: 'pong' }))],
    ['eleven bad frames', 4400, (client) => Array.from({ length: 11 }, () => client.send({ t: 'x' }))],
    ['a frame over 256 KiB', 1009, (client) => client.send(`"${'x'.repeat(300_000)}"`)],
    [
      'an id in use',
      4409,
      (client) => Array.from({ length: 2 }, () => client.send({ t: 'sub', id: 'a', select: { ids: ['PW-1'] } })),
    ],
  ])('%s closes with %i', async (_what, code, act) => {
    const client = await greeted();
    act(client);
    expect(await client.closed).toBe(code);
  });

  test('a frame before hello closes with 4401, no hello within 10 s with 4408', async () => {
    const eager = await connect();
    eager.send({ t: 'ping' });
    expect(await eager.closed).toBe(4401);
    const mute = await connect();
    clock.advance(10_100);
    expect(await mute.closed).toBe(4408);
  });

  test('limits on subscriptions and assets', async () => {
    await server.close();
    await start({ live: { subs: 2, keys: 3 } });
    const client = await greeted();
    client.send({ t: 'sub', id: 'a', select: { ids: ['1', '2', '3', '4'] } });
    expect(await client.next('err')).toMatchObject({ code: 'too_many_keys' });
    for (const id of ['a', 'b', 'c']) client.send({ t: 'sub', id, select: { ids: ['PW-1'] } });
    await client.next('sub');
    await client.next('sub');
    expect(await client.next('err')).toMatchObject({ id: 'c', code: 'too_many_subscriptions' });
  });
});

describe('the connection', () => {
  test('heartbeats every 15 s; a client that answers neither loses the connection with 4408', async () => {
    const client = await greeted();
    clock.advance(15_000);
    expect(await client.next('ping')).toEqual({ t: 'ping', n: 1 });
    client.socket.pong();
    client.send({ t: 'pong', n: 1 });
    client.send({ t: 'ping', n: 1 });
    await client.next('pong');
    client.socket.pause();
    clock.advance(36_000);
    client.socket.resume();
    expect(await client.closed).toBe(4408);
  });

  test('the token is asked for in hello', async () => {
    await server.close();
    await start({ authToken: 'secret' });
    const wrong = await connect();
    wrong.send({ t: 'hello', v: 1, auth: 'secre' });
    expect(await wrong.closed).toBe(4401);
    const right = await connect();
    right.send({ t: 'hello', v: 1, auth: 'secret' });
    await right.next('hello');
  });

  test('a page of another origin, another path and another subprotocol get no socket', async () => {
    await expect(LiveClient.connect(server.url, { origin: 'http://evil.example' })).rejects.toThrow('403');
    await expect(LiveClient.connect(server.url, { headers: { host: 'evil.example' } })).rejects.toThrow('403');
    await expect(LiveClient.connect(`${server.url}/other`)).rejects.toThrow('404');
    track(await LiveClient.connect(server.url, { origin: server.url }));
  });

  test('one connection too many is told to come back', async () => {
    await server.close();
    await start({ live: { connections: 1 } });
    await greeted();
    const second = await connect();
    expect(await second.next('bye')).toMatchObject({ code: 'full' });
    expect(await second.closed).toBe(1013);
  });

  test('when the server ends, it says bye and closes with 1012', async () => {
    const client = await greeted();
    const closing = server.close();
    expect(await client.next('bye')).toEqual({ t: 'bye', code: 'drain', reconnectMs: 2_000 });
    expect(await client.closed).toBe(1012);
    await closing;
    await start();
  });
});

test('every frame the server sent matches its schema in /asyncapi.json', async () => {
  await server.close();
  await start({ live: { queueKeys: 1 } });
  const { client } = await subscribed({ filter: 'gt(values.soc,0.8)' });
  server.engine.change(assetView('PW-1', { revision: 2, values: { soc: 1 } }), assetView('PW-2', { revision: 2 }));
  flush();
  await client.next('gap');
  await client.next('snap');
  server.engine.change(assetView('PW-1', { revision: 3, values: { soc: 0.9 } }));
  flush();
  await client.next('d');
  server.engine.change(assetView('PW-1', { revision: 4, values: { soc: 0 } }));
  flush();
  await client.next('d');
  client.send({ t: 'nonsense' });
  await client.next('err');
  client.send({ t: 'unsub', id: 'a' });
  await client.next('unsub');
  clock.advance(15_000);
  await client.next('ping');
  client.send({ t: 'ping' });
  await client.next('pong');
  const document = (await (await fetch(`${server.url}/asyncapi.json`)).json()) as {
    channels: { live: { messages: Record<string, { payload: object }> } };
  };
  const closing = server.close();
  await client.next('bye');
  await closing;
  const ajv = new Ajv({ strict: false });
  const seen = new Set(client.frames.map((frame) => frame.t));
  for (const frame of client.frames) {
    const matches = ajv.compile(document.channels.live.messages[`server.${frame.t}`].payload);
    expect(matches(frame), `${JSON.stringify(frame)}: ${JSON.stringify(matches.errors)}`).toBe(true);
  }
  const documented = Object.keys(document.channels.live.messages).filter((name) => name.startsWith('server.'));
  expect([...seen].map((t) => `server.${t}`).sort()).toEqual(documented.sort());
  await start();
});

describe('a client that takes nothing', () => {
  const big = 'x'.repeat(8_000);
  const changed = (revision: number) =>
    Array.from({ length: 20 }, (_, i) =>
      assetView(`PW-${i}`, { revision, values: { soc: revision, note: `${big}${revision}` } }),
    );

  /** Subscribes over bare TCP and stops reading. */
  async function stall(): Promise<Socket & { close(): void }> {
    const { hostname, port, host } = new URL(server.url);
    const socket = createConnection(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => {});
    const key = randomBytes(16).toString('base64');
    socket.write(
      `GET /v1/live HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: assetlive.v1.json\r\n\r\n`,
    );
    await once(socket, 'data');
    socket.write(masked({ t: 'hello', v: 1 }));
    await once(socket, 'data');
    socket.write(masked({ t: 'sub', id: 'a', select: { filter: 'eq(kind,powerwall)' } }));
    await once(socket, 'data');
    socket.pause();
    return track(Object.assign(socket, { close: () => socket.destroy() }));
  }

  const value = async (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await metrics.scrape())?.[1]);

  test('costs no memory: updates are conflated per asset, and after 5 s it is closed with 4008', async () => {
    const socket = await stall();
    let revision = 2;
    const step = async () => {
      server.engine.change(...changed(revision++));
      clock.advance(50);
      await turn();
    };
    // The clock stands still while the kernel's buffers fill up: no delta is sent any more when they are full.
    let sent = -1;
    for (;;) {
      for (let i = 0; i < 20; i++) await step();
      const now = await value('gridfold_live_deltas_total');
      if (now === sent) break;
      sent = now;
      if (revision > 4_900) throw new Error('the buffers never fill up');
    }
    const before = heapAfterCollection();
    for (let i = 0; i < 60; i++) {
      server.engine.change(...changed(revision++));
      clock.advance(10);
      await turn();
    }
    expect(heapAfterCollection() - before).toBeLessThan(4 * 1024 * 1024);
    expect(await value('gridfold_live_conflated_total')).toBeGreaterThan(1_000);
    expect(await value('gridfold_live_connections')).toBe(1);
    const gone = once(socket, 'close');
    socket.resume();
    socket.pause();
    clock.advance(5_200);
    clock.advance(1_100);
    socket.resume();
    await gone;
    const fleet = (await (await fetch(`${server.url}/v1/pipeline`)).json()) as { live: { connections: number } };
    expect(fleet.live).toEqual({ connections: 0, subscriptions: 0 });
  });
});

function masked(frame: object): Buffer {
  const payload = Buffer.from(JSON.stringify(frame));
  if (payload.length > 125) throw new Error('too long for this helper');
  const mask = randomBytes(4);
  const head = Buffer.from([0x81, 0x80 | payload.length, ...mask]);
  return Buffer.concat([head, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
