import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { Ajv } from 'ajv';
import { ManualClock } from '../../runtime/kernel/clock.ts';
import { createMetrics } from '../../runtime/system/metrics.ts';
import { homeOf } from '../../runtime/system/assets.ts';
import { assetView } from '../testing/fake-engine.ts';
import { type TestGroup, testGroup } from '../testing/group.ts';
import { type Frame, LiveClient, Replica } from '../testing/live-client.ts';

const partitions = 4;
const serials = Array.from({ length: 60 }, (_, i) => `PW-${i}`);
const homeIn = (serial: string) => homeOf(serial, partitions).partition;
const inPartition = (partition: number) => serials.filter((serial) => homeIn(serial) === partition);

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Processes that fold the same: what one of them commits all know, and whoever has the partition shows it. */
async function open(...args: Parameters<typeof testGroup>): Promise<TestGroup> {
  const group = await testGroup(...args);
  opened.push(group);
  commit(group, serials, 1);
  return group;
}
function commit({ servers }: TestGroup, which: readonly string[], revision: number, soc = 0.5): void {
  for (const { engine } of servers) {
    engine.change(...which.map((serial) => assetView(serial, { revision, values: { soc } })));
  }
}

/** A client that checks every frame, and what it holds of its subscription `a`. */
async function subscribed(url: string, select: object, more: object = {}) {
  const client = await LiveClient.greeted(url);
  opened.push(client);
  const replica = new Replica();
  client.send({ t: 'sub', id: 'a', select, ...more });
  const until = async (isReached: (frame: Frame) => boolean): Promise<Frame> => {
    for (;;) {
      const frame = await client.next();
      replica.apply(frame);
      if (isReached(frame)) return frame;
    }
  };
  const whole = () => until((frame) => frame.t === 'snap' && frame.last === true);
  const revisions = () => new Set([...replica.held.values()].map(({ rev }) => rev));
  /** All assets of `which` are held at the revision. */
  const at = async (which: readonly string[], rev: number) => {
    const isThere = () => which.every((serial) => replica.held.get(serial)?.rev === rev);
    if (!isThere()) await until(isThere);
  };
  return { client, replica, until, whole, revisions, at };
}

test('a subscription sees the assets of all processes: snapshot, then deltas without a hole', async () => {
  const group = await open([0, 1, 2, 1]);
  for (const { url } of group.servers) {
    const { replica, whole, at } = await subscribed(url, { filter: 'eq(kind,powerwall)' });
    expect(await whole()).toMatchObject({ members: serials.length });
    expect([...replica.held.keys()].toSorted()).toEqual(serials.toSorted());
    const next = [...replica.held.values()][0].rev + 1;
    commit(group, serials, next, next / 100);
    await at(serials, next);
    expect([replica.seq, replica.gaps]).toEqual([serials.length, 0]);
    expect(replica.held.get('PW-7')?.document).toMatchObject({ values: { soc: next / 100 } });
  }
});

test('by serial only the owners are asked, and what leaves a filter leaves', async () => {
  const group = await open([0, 1, 2, 1]);
  const [first, , third] = group.servers;
  const chosen = [inPartition(0)[0], inPartition(1)[0], inPartition(3)[1]];
  const byId = await subscribed(first.url, { ids: [...chosen, 'unknown'] }, { fields: ['values.soc'] });
  expect(await byId.whole()).toMatchObject({ members: 3 });
  expect([...byId.replica.held.keys()].toSorted()).toEqual(chosen.toSorted());
  expect(byId.replica.held.get(chosen[1])?.document).toEqual({ values: { soc: 0.5 } });

  const byFilter = await subscribed(third.url, { filter: 'lt(values.soc,0.6)' });
  await byFilter.whole();
  commit(group, chosen, 2, 0.9);
  await byId.at(chosen, 2);
  await byFilter.until(() => byFilter.replica.held.size === serials.length - chosen.length);
  byFilter.client.send({ t: 'unsub', id: 'a' });
  await byFilter.until(({ t }) => t === 'unsub');
  commit(group, serials, 3, 0.5);
  byFilter.client.send({ t: 'ping', n: 1 });
  expect((await byFilter.client.next()).t).toBe('pong');
});

test('the limit of a subscription holds over all processes', async () => {
  const group = await open([0, 1, 2, 1]);
  const { replica, whole, until } = await subscribed(
    group.servers[0].url,
    { filter: 'eq(kind,powerwall)' },
    { limit: 20 },
  );
  expect(await whole()).toMatchObject({ members: 20, truncated: true });
  expect(replica.held.size).toBe(20);
  commit(group, [...replica.held.keys()], 2, 0.1);
  await until(() => [...replica.held.values()].every(({ rev }) => rev === 2));
  expect(replica.held.size).toBe(20);
});

test('a partition that moves is a gap, then a snapshot that is whole when it has arrived', async () => {
  const group = await open([0, 1, 2, 1]);
  const clients = await Promise.all(group.servers.map(({ url }) => subscribed(url, { filter: 'eq(kind,powerwall)' })));
  await Promise.all(clients.map(({ whole }) => whole()));
  group.give(0, 1, null, 1);
  for (const { until, replica } of clients) {
    expect(await until(({ t }) => t === 'gap')).toMatchObject({ why: 'rebalance', next: 'snapshot' });
    await until(({ t, code }) => t === 'err' && code === 'partition_moving');
    await until(() => replica.held.size === serials.length - inPartition(2).length);
  }
  commit(group, inPartition(2), 2);
  group.give(0, 1, 0, 1);
  for (const { whole, replica } of clients) {
    expect(await whole()).toMatchObject({ members: serials.length });
    expect([...replica.held.keys()].toSorted()).toEqual(serials.toSorted());
    expect(replica.gaps).toBe(1);
  }
  commit(group, serials, 3, 0.1);
  for (const { at } of clients) await at(serials, 3);
});

test('who only watches serials of other partitions notices nothing of a move', async () => {
  const group = await open([0, 1, 2, 1]);
  const { at, replica, whole } = await subscribed(group.servers[0].url, { ids: inPartition(1) });
  await whole();
  group.give(0, 1, 0, 1);
  const other = await subscribed(group.servers[0].url, { ids: inPartition(2) });
  await other.whole();
  commit(group, serials, 2, 0.1);
  await at(inPartition(1), 2);
  expect(replica.gaps).toBe(0);
});

test('a process that dies is a gap and a word about who is missing, until its partitions are elsewhere', async () => {
  const group = await open([0, 1, 2, 1]);
  const { until, whole, replica, at } = await subscribed(group.servers[0].url, { filter: 'eq(kind,powerwall)' });
  await whole();
  await group.servers[1].close();
  expect(await until(({ t }) => t === 'gap')).toMatchObject({ why: 'rebalance' });
  expect(await until(({ t }) => t === 'err')).toMatchObject({
    code: 'owner_unreachable',
    msg: expect.stringContaining(group.servers[1].url),
  });
  await until(() => replica.held.size === inPartition(0).length + inPartition(2).length);
  commit(group, inPartition(0), 2, 0.1);
  await at(inPartition(0), 2);
  group.give(0, 2, 2, 0);
  expect(await whole()).toMatchObject({ members: serials.length });
  expect(replica.gaps).toBe(1);
});

test('changes that come while partitions move about are told, or a gap is: the client ends with the state of all', async () => {
  const group = await open([0, 1, 2, 1]);
  const clients = await Promise.all(group.servers.map(({ url }) => subscribed(url, { filter: 'eq(kind,powerwall)' })));
  await Promise.all(clients.map(({ whole }) => whole()));
  let revision = 1;
  for (const owners of [
    [0, 1, 1, 1],
    [2, 1, null, 1],
    [2, 0, 0, 1],
    [null, 0, 0, 2],
    [1, 0, 0, 2],
  ]) {
    commit(group, serials, ++revision, revision / 100);
    group.give(...owners);
    commit(group, inPartition(1), ++revision, revision / 100);
    await clients[0].until(() => true);
  }
  commit(group, serials, ++revision, revision / 100);
  for (const { at, replica } of clients) {
    await at(serials, revision);
    expect(replica.held.size).toBe(serials.length);
    expect(replica.gaps).toBeGreaterThan(0);
  }
});

test('another process is only given what is here, and is told when it leaves', async () => {
  const group = await open([0, 1, 2, 1]);
  const client = await LiveClient.connect(group.servers[1].url);
  opened.push(client);
  client.send({ t: 'hello', v: 1, caps: ['local'] });
  await client.next('hello');
  client.send({ t: 'sub', id: '1', select: { filter: 'eq(kind,powerwall)' }, partitions: [1, 2] });
  expect(await client.next('err')).toMatchObject({ id: '1', code: 'partition_moving' });
  client.send({ t: 'sub', id: '2', select: { filter: 'eq(kind,powerwall)' }, partitions: [3] });
  await client.next('sub');
  expect(await client.next('snap')).toMatchObject({ last: true, members: inPartition(3).length });
  expect(await (await fetch(`${group.servers[1].url}/v1/pipeline`)).json()).toMatchObject({
    live: { connections: 0, subscriptions: 0 },
  });
  group.give(0, 1, 2, 0);
  expect(await client.next('err')).toMatchObject({ id: '2', code: 'partition_moving' });
});

test('for a client that takes nothing nothing is read: the process that has the assets conflates', async () => {
  const metrics = createMetrics({ version: '0', processMetrics: false });
  const clock = new ManualClock(1_000_000);
  const live = { blockedMs: 600_000_000, heartbeatMs: 600_000_000 };
  const group = await open([1, 1], { live }, { metrics, clock });
  /** Lets flushes pass until it is done. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      clock.advance(50);
      await turn();
    }
    return done;
  };
  const { client, whole, replica, until } = await during(
    subscribed(group.servers[0].url, { filter: 'eq(kind,powerwall)' }),
  );
  await during(whole());
  client.socket.pause();
  const sent = async () => Number(/^gridfold_live_deltas_total (\d+)/m.exec(await metrics.scrape())?.[1] ?? 0);
  const note = 'x'.repeat(8_000);
  let revision = 1;
  // No delta is sent any more when the buffers of both connections are full.
  for (let before = -1, now = 0; before !== now; before = now, now = await sent()) {
    for (let i = 0; i < 20; i++) {
      revision += 1;
      const views = serials.map((serial) => assetView(serial, { revision, values: { note: `${note}${revision}` } }));
      for (const { engine } of group.servers) engine.change(...views);
      clock.advance(50);
      await turn();
    }
    if (revision > 4_000) throw new Error('the buffers never fill up');
  }
  client.socket.resume();
  await during(until(() => [...replica.held.values()].every(({ rev }) => rev === revision)));
  expect([replica.gaps, replica.held.size]).toEqual([0, serials.length]);
  expect(replica.seq).toBeLessThan(serials.length * (revision - 1));
});

test('a token that processes share opens their live doors to each other', async () => {
  const group = await open([0, 1, 2, 1], { authToken: 'secret' });
  const client = await LiveClient.connect(group.servers[0].url);
  opened.push(client);
  client.send({ t: 'hello', v: 1, auth: 'secret' });
  await client.next('hello');
  client.send({ t: 'sub', id: 'a', select: { ids: serials } });
  let frame: Frame;
  do frame = await client.next();
  while (frame.last !== true);
  expect(frame).toMatchObject({ members: serials.length });
});

test('frames put together from several processes match their schemas', async () => {
  const group = await open([0, 1, 2, null]);
  const { client, until } = await subscribed(group.servers[0].url, { filter: 'eq(kind,powerwall)' });
  await until(({ t }) => t === 'err');
  group.give(0, 1, 2, 1);
  await until(({ last }) => last === true);
  commit(group, serials, 2, 0.1);
  await until(({ t }) => t === 'd');
  group.give(1, 1, 2, 1);
  await until(({ t }) => t === 'gap');
  await until(({ last }) => last === true);
  const document = (await (await fetch(`${group.servers[0].url}/asyncapi.json`)).json()) as {
    channels: { live: { messages: Record<string, { payload: object }> } };
  };
  const ajv = new Ajv({ strict: false });
  for (const frame of client.frames) {
    const matches = ajv.compile(document.channels.live.messages[`server.${frame.t}`].payload);
    expect(matches(frame), `${JSON.stringify(frame)}: ${JSON.stringify(matches.errors)}`).toBe(true);
  }
});
