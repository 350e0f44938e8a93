import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBroker, type TestBroker } from '../../../test/kafka/broker.ts';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { FaultProxy } from '../../../test/kafka/proxy.ts';
import { agreed, Peer, type PeerOptions } from './testing/peer.ts';

const PARTITIONS = 6;
/** Long, so that nobody drops out of the group because the machine is busy. */
const SESSION_TIMEOUT_MS = 6_000;
/** Where the end of a session is what a test waits for. */
const SHORT_SESSION_TIMEOUT_MS = 2_000;
const apis = { join: 11, heartbeat: 12, sync: 14 };

describeKafka('members of a group whose coordinator fails', (kafka) => {
  let broker: TestBroker;
  let proxy: FaultProxy;
  let peers: Peer[] = [];

  beforeAll(async () => {
    broker = await startBroker({ saslAndTls: true });
    proxy = new FaultProxy(broker.proxied);
    await proxy.accept();
  });

  afterAll(async () => {
    await proxy?.refuse();
    await broker?.close();
  });

  async function joined(names: readonly string[], options: Partial<PeerOptions> = {}): Promise<Peer[]> {
    const groupId = kafka.unique(names.join());
    const brokers = [proxy.bootstrap];
    const common = { brokers, groupId, partitions: PARTITIONS, sessionTimeoutMs: SESSION_TIMEOUT_MS, ...options };
    peers = names.map((name) => new Peer(name, common));
    await Promise.all(peers.map((each) => each.join()));
    await agreed(peers);
    return peers;
  }

  async function allLeave(): Promise<void> {
    await Promise.all(peers.map(({ membership }) => membership.leave()));
    for (const { membership } of peers) expect(membership.current).toBeNull();
  }

  it('stay what they are when their connections break', async () => {
    const [a, b] = await joined(['cut a', 'cut b']);
    const before = [a.newest, b.newest];
    await proxy.refuse();
    expect([a, b].map(({ membership }) => membership.current)).toEqual(before);
    await proxy.accept();
    const next = proxy.cut({ api: apis.heartbeat, lose: 'answer', nth: 3 });
    await expect.poll(() => next.hits, { timeout: 20_000 }).toBe(1);
    expect([a.newest, b.newest]).toEqual(before);
    await allLeave();
  });

  it.each(['join', 'sync'] as const)('agree in the end when the answer to a %s is lost', async (name) => {
    const lost = ['answer', 'request'] as const;
    for (const lose of lost) {
      const [a, b] = await joined([`${name} ${lose} a`, `${name} ${lose} b`]);
      const { generation } = await agreed([a, b]);
      const cut = proxy.cut({ api: apis[name], lose, nth: 1 });
      a.membership.rejoin();
      await expect.poll(() => cut.hits, { timeout: 20_000 }).toBe(1);
      await a.until((assignment) => assignment.generation > generation);
      await agreed([a, b]);
      expect([a, b].map(({ newest }) => newest!.partitions.length)).toEqual([3, 3]);
      await allLeave();
    }
  });

  it('have nothing while it is away for longer than a session, and are given everything again when it is back', async () => {
    const [a, b] = await joined(['away a', 'away b'], { sessionTimeoutMs: SHORT_SESSION_TIMEOUT_MS });
    await broker.kill();
    await expect
      .poll(() => [a, b].map(({ membership }) => membership.current), { timeout: 20_000 })
      .toEqual([null, null]);
    const counts = [a, b].map(({ assignments }) => assignments.length);
    await broker.start();
    await expect
      .poll(() => [a, b].every(({ membership }) => membership.current !== null), { timeout: 30_000 })
      .toBe(true);
    await Promise.all([a, b].map((each, i) => each.until(() => each.assignments.length > counts[i])));
    await agreed([a, b]);
    expect(a.messages.filter((text) => text.includes('cannot be reached'))).toHaveLength(1);
    expect(a.messages.filter((text) => text.includes('answers again'))).toHaveLength(1);
    await allLeave();
  });

  it('leave though it does not answer', async () => {
    const [a, b] = await joined(['mute a', 'mute b']);
    await proxy.refuse();
    await allLeave();
    expect(a.messages.concat(b.messages).join()).toContain('not told that this member leaves');
    await proxy.accept();
  });

  it('are let in over TLS with a password, and told when it is wrong', async () => {
    const { bootstrap, ca, user: username, password } = broker.secured;
    const door = { brokers: [bootstrap], ssl: { ca } };
    const mechanism = 'scram-sha-512';
    await joined(['secret a', 'secret b'], { ...door, sasl: { mechanism, username, password } });
    await allLeave();
    const wrong = { mechanism, username, password: 'wrong' } as const;
    await expect(joined(['stranger'], { ...door, sasl: wrong })).rejects.toMatchObject({ code: 'group_refused' });
  });
});
