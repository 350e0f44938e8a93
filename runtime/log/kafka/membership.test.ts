import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import kafkajs, { type GroupDescription } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import type { Assignment } from '../membership.ts';
import { agreed, Peer, type PeerOptions } from './testing/peer.ts';
import { createLedTopics } from './testing/led-topics.ts';

const PARTITIONS = 12;
/** Long, so that nobody drops out of the group because the machine is busy. */
const SESSION_TIMEOUT_MS = 6_000;
/** Where the end of a session is what a test waits for. */
const SHORT_SESSION_TIMEOUT_MS = 1_500;

describeKafka('members of a group on Kafka', (kafka) => {
  const left: (() => unknown)[] = [];
  let brokers: string[] = [];
  let groupId = '';
  let groups = 0;

  beforeAll(async () => {
    brokers = [await kafka.bootstrap()];
  });

  function newGroup(): void {
    groupId = kafka.unique(`membership-${groups++}`);
  }

  /** Ended after the test, the last first. */
  function ending(end: () => unknown): void {
    left.unshift(end);
  }

  function peer(name: string, options: Partial<PeerOptions> = {}): Peer {
    const made = new Peer(name, {
      brokers,
      groupId,
      partitions: PARTITIONS,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      ...options,
    });
    ending(() => made.membership.leave());
    return made;
  }

  async function joined(...names: string[]): Promise<Peer[]> {
    newGroup();
    const peers = names.map((name) => peer(name));
    await Promise.all(peers.map((each) => each.join()));
    await agreed(peers);
    return peers;
  }

  /** The group as tools see it. */
  async function described(): Promise<GroupDescription> {
    const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return (await admin.describeGroups([groupId])).groups[0];
    } finally {
      await admin.disconnect();
    }
  }

  afterEach(async () => {
    for (const end of left.splice(0)) await end();
  });

  it('share every partition out evenly, and all see the same picture', async () => {
    const peers = await joined('a', 'b', 'c');
    const { owners } = await agreed(peers);
    expect([...owners.keys()].sort((x, y) => x - y)).toEqual([...Array(PARTITIONS).keys()]);
    for (const { membership, newest } of peers) {
      expect(newest!.owners).toEqual(owners);
      expect(newest!.partitions).toHaveLength(4);
      expect(membership.current).toBe(newest);
    }
  });

  it('hand over to one that joins, and keep the rest', async () => {
    const peers = await joined('a', 'b');
    const before = ownersByUrl(await agreed(peers));
    const c = peer('c');
    await c.join();
    const after = await agreed([...peers, c]);
    const moved = [...after.owners.keys()].filter((p) => after.owners.get(p)!.url !== before.get(p));
    expect(c.newest!.partitions).toEqual(moved);
    expect(c.newest!.handedOver).toEqual(new Set(moved));
    expect(peers.map(({ newest }) => newest!.handedOver.size)).toEqual([0, 0]);
  });

  it('are asked for their standing at every sharing-out, whose generations grow', async () => {
    const [a, b] = await joined('a', 'b');
    const { generation } = await agreed([a, b]);
    const asked = [a.asked, b.asked];
    for (const each of [a, b]) {
      const before = each.newest!.generation;
      each.membership.rejoin();
      await each.until((assignment) => assignment.generation > before);
    }
    const after = await agreed([a, b]);
    expect(after.generation).toBeGreaterThan(generation);
    expect(a.asked).toBeGreaterThan(asked[0]);
    expect(b.asked).toBeGreaterThan(asked[1]);
    for (const { assignments } of [a, b]) {
      const generations = assignments.map((assignment) => assignment.generation);
      expect(generations).toEqual([...new Set(generations)].sort((x, y) => x - y));
    }
  });

  it('give a partition that failed to another', async () => {
    const [a, b] = await joined('a', 'b');
    const failed = a.newest!.partitions[0];
    a.unfit = [failed];
    a.membership.rejoin();
    await b.until(({ partitions }) => partitions.includes(failed));
    const { owners } = await agreed([a, b]);
    expect(owners.get(failed)!.url).toBe('http://b');
    expect(b.newest!.handedOver.has(failed)).toBe(false);
  });

  it('take over from one that leaves, without waiting for its session to end', async () => {
    const [a, b, c] = await joined('a', 'b', 'c');
    const had = new Set(c.newest!.partitions);
    await c.membership.leave();
    expect(c.membership.current).toBeNull();
    const kept = [a, b].map(({ newest }) => newest!.partitions);
    await agreed([a, b]);
    [a, b].forEach(({ newest }, i) => {
      expect(newest!.partitions.filter((p) => !had.has(p))).toEqual(kept[i]);
      expect(newest!.handedOver.size).toBe(0);
    });
  });

  it('end balanced after a storm of joins and leaves', async () => {
    const [a] = await joined('a');
    const others = Array.from({ length: 10 }, (_, i) => peer(`m${i}`));
    const joins = others.map((each) => each.join().catch(() => {}));
    await Promise.all(
      others.slice(0, 5).map(async (each) => {
        await each.until(() => true);
        await each.membership.leave();
      }),
    );
    await Promise.all(others.slice(5, 8).map((each) => each.membership.leave()));
    await Promise.all(joins);
    await agreed([a, others[8], others[9]]);
    expect([a, others[8], others[9]].map(({ newest }) => newest!.partitions.length)).toEqual([4, 4, 4]);
  });

  it('are shown by tools with their topics and partitions', async () => {
    const [a, b] = await joined('a', 'b');
    const group = await described();
    expect(group).toMatchObject({ state: 'Stable', protocolType: 'consumer', protocol: 'gridfold' });
    const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol;
    for (const { name, newest } of [a, b]) {
      const member = group.members.find(({ clientId }) => clientId === name)!;
      expect(MemberMetadata.decode(member.memberMetadata)!.topics).toEqual(['fleet-telemetry', 'fleet-lifecycle']);
      const { partitions } = newest!;
      const shown = { 'fleet-telemetry': partitions, 'fleet-lifecycle': partitions };
      expect(MemberAssignment.decode(member.memberAssignment)!.assignment).toEqual(shown);
    }
  });

  it('say so when they run several versions', async () => {
    newGroup();
    const peers = [peer('a'), peer('b', { version: '2' })];
    await Promise.all(peers.map((each) => each.join()));
    await agreed(peers);
    for (const { messages } of peers) expect(messages).toContain(`Group ${groupId} runs several versions at once.`);
  });

  it('refuse a group that other consumers use', async () => {
    newGroup();
    const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
    const [admin, consumer] = [client.admin(), client.consumer({ groupId, maxWaitTimeInMs: 100 })];
    ending(() => Promise.all([admin.disconnect(), consumer.disconnect()]));
    await admin.connect();
    await createLedTopics(admin, [{ topic: groupId, numPartitions: 1 }]);
    await consumer.subscribe({ topic: groupId });
    const foreign = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
    await consumer.run({ eachMessage: async () => {} });
    await foreign;
    await expect(peer('a').join()).rejects.toMatchObject({ code: 'group_refused', reaction: 'fix-configuration' });
  });

  describe('beside a process', () => {
    async function beside(...names: string[]): Promise<{ peers: Peer[]; other: Process }> {
      newGroup();
      const peers = names.map((name) => peer(name, { sessionTimeoutMs: SHORT_SESSION_TIMEOUT_MS }));
      const other = new Process('other', brokers[0], groupId);
      ending(() => other.end());
      await Promise.all([...peers.map((each) => each.join()), other.line(/^joined/)]);
      await Promise.all(peers.map((each) => each.until(({ owners }) => urls(owners).size === names.length + 1)));
      return { peers, other };
    }

    it('take over when it is killed', async () => {
      const { peers, other } = await beside('a', 'b');
      other.child.kill('SIGKILL');
      await agreed(peers);
      expect(peers.map(({ newest }) => newest!.partitions.length)).toEqual([6, 6]);
      expect(peers.map(({ newest }) => newest!.handedOver.size)).toEqual([0, 0]);
    });

    it('take over when it stands still; it notices at once when it goes on, and gets a new share', async () => {
      const { peers, other } = await beside('a');
      other.child.kill('SIGSTOP');
      const { generation } = await agreed(peers);
      other.child.stdin.write('current?\n');
      other.child.kill('SIGCONT');
      expect(await other.line(/^current/)).toBe('current null');
      const { partitions } = await peers[0].until(({ owners }) => urls(owners).size === 2);
      expect(partitions).toHaveLength(PARTITIONS / 2);
      const line = await other.line(/^joined/, (text) => Number(text.split(' ')[1]) > generation);
      expect(line).toBe(`joined ${peers[0].newest!.generation}`);
    });

    it('leave at once while a join waits for it', async () => {
      const { peers, other } = await beside('a');
      other.child.kill('SIGSTOP');
      peers[0].membership.rejoin();
      const late = peer('late');
      const join = late.join();
      await expect.poll(async () => (await described()).members.length, { timeout: 10_000 }).toBe(3);
      await Promise.all([late.membership.leave(), expect(join).rejects.toMatchObject({ code: 'group_left' })]);
      await peers[0].membership.leave();
      expect(peers[0].membership.current).toBeNull();
      other.child.kill('SIGCONT');
    });
  });
});

function urls(owners: Assignment['owners']): Set<string> {
  return new Set([...owners.values()].map(({ url }) => url));
}

function ownersByUrl({ owners }: Assignment): Map<number, string> {
  return new Map([...owners].map(([p, { url }]) => [p, url]));
}

/** A member in a process of its own, which can be killed and stopped. */
class Process {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(name: string, broker: string, groupId: string) {
    const file = new URL('./testing/peer-process.ts', import.meta.url).pathname;
    const args = [file, name, broker, groupId, String(PARTITIONS), String(SHORT_SESSION_TIMEOUT_MS)];
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  async line(pattern: RegExp, isIt: (text: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('The process has ended.');
      if (pattern.test(value) && isIt(value)) return value;
    }
  }

  async end(): Promise<void> {
    const ended = this.child.exitCode === null && this.child.signalCode === null ? once(this.child, 'exit') : null;
    this.child.kill('SIGKILL');
    await ended;
  }
}
