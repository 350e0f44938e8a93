import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../../sim/random.ts';
import { startBroker, type TestBroker } from '../../../test/kafka/broker.ts';
import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { FaultProxy } from '../../../test/kafka/proxy.ts';
import { agreed, Peer } from './testing/peer.ts';

const PARTITIONS = 16;
const STEPS = 30;
const MOST_MEMBERS = 6;
/** Join, heartbeat, sync. */
const APIS = [11, 12, 14];

describeKafka('members of a group in a storm of joins, leaves and broken connections', (kafka) => {
  let broker: TestBroker;
  let proxy: FaultProxy;

  beforeAll(async () => {
    broker = await startBroker();
    proxy = new FaultProxy(broker.proxied);
    await proxy.accept();
  });

  afterAll(async () => {
    await proxy?.refuse();
    await broker?.close();
  });

  it.each([7, 20, 26, 11])('end balanced (seed %i)', async (seed) => {
    const random = new Random(seed);
    const storm = new Storm(random, proxy, kafka.unique(`storm-${seed}`));
    const cuts = APIS.map((api) => {
      const lose = random.chance(0.5) ? 'answer' : 'request';
      return proxy.cut({ api, lose, chance: 0.08, random: () => random.next() });
    });
    for (let i = 0; i < STEPS; i++) await storm.step();
    for (const cut of cuts) cut.disarm();
    await agreed(storm.members);
    const sizes = storm.members.map(({ newest }) => newest!.partitions.length);
    expect(sizes.reduce((a, b) => a + b)).toBe(PARTITIONS);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    await Promise.all(storm.members.map(({ membership }) => membership.leave()));
  });
});

class Storm {
  readonly members: Peer[] = [];
  readonly #random: Random;
  readonly #proxy: FaultProxy;
  readonly #groupId: string;
  #made = 0;

  constructor(random: Random, proxy: FaultProxy, groupId: string) {
    this.#random = random;
    this.#proxy = proxy;
    this.#groupId = groupId;
  }

  /** Something happens, and then the group is given time for an answer, or not. */
  async step(): Promise<void> {
    const what = this.#random.next();
    if (this.members.length < 2 || (what < 0.4 && this.members.length < MOST_MEMBERS)) this.#join();
    else if (what < 0.6) await this.#leave();
    else if (what < 0.8) this.#random.pick(this.members).membership.rejoin();
    else this.#proxy.cutAll();
    if (this.#random.chance(0.3)) await this.#random.pick(this.members).until(() => true);
  }

  #join(): void {
    const peer = new Peer(`${this.#groupId}-${this.#made++}`, {
      brokers: [this.#proxy.bootstrap],
      groupId: this.#groupId,
      partitions: PARTITIONS,
      sessionTimeoutMs: 3_000,
    });
    this.members.push(peer);
    // A member may be told to leave before it has joined.
    peer.join().catch(() => {});
  }

  async #leave(): Promise<void> {
    const [peer] = this.members.splice(this.#random.int(0, this.members.length - 1), 1);
    await peer.membership.leave();
    expect(peer.membership.current).toBeNull();
  }
}
