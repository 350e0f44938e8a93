import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../../../scripts/kafka/broker.ts';
import type { Random } from '../../../sim/random.ts';
import { coordinatorOf, ledBy, moveLeaders } from '../leaders.ts';
import type { Cluster } from './cluster.ts';
import { type Fault, pick } from './faults.ts';

/** Longer than a broker may be silent before its partitions are led by others (`broker.session.timeout.ms`), ms. */
const LEFT_BEHIND_MS = 3_500;

/** What is done to one broker of several, while the others go on. */
export const brokerFaults: Readonly<Record<string, Fault>> = {
  async 'kill the broker that leads most'(cluster, random) {
    return killAndStart(await leadingMost(cluster), random);
  },

  async 'kill the coordinator of transactions'(cluster, random) {
    const { bootstrap, prefix } = address(cluster);
    const partition = random.int(0, cluster.options.partitions - 1);
    const id = `${prefix}-${prefix}journal-${partition}`;
    return killAndStart(nodeOf(cluster, await coordinatorOf(bootstrap, id, 'transaction')), random);
  },

  async 'kill the coordinator of the group'(cluster, random) {
    const { bootstrap, prefix } = address(cluster);
    return killAndStart(nodeOf(cluster, await coordinatorOf(bootstrap, prefix, 'group')), random);
  },

  async 'kill a broker and a process'(cluster, random) {
    const victim = pick(random, cluster.processes);
    const broker = await leadingMost(cluster);
    await Promise.all([broker.kill(), victim.kill()]);
    victim.start();
    await pause(random.between(0, 3_000));
    await broker.start();
    return `${nameOf(broker)}, ${victim.name}`;
  },

  async 'restart each broker in turn'({ options: { brokers } }) {
    for (const node of brokers.nodes) {
      await node.stop();
      await node.start();
    }
    return brokers.nodes.map(nameOf).join(' ');
  },

  async 'move the leaders'(cluster, random) {
    const { bootstrap } = address(cluster);
    const moved: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      moved.push(await moveLeaders(bootstrap, isOurs(cluster)));
      await pause(random.between(0, 700));
    }
    return `of ${moved.join(', ')} partitions`;
  },

  async 'move the coordinators'(cluster, random) {
    const { bootstrap } = address(cluster);
    const moved: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      moved.push(await moveLeaders(bootstrap, (topic) => topic.startsWith('__')));
      await pause(random.between(0, 700));
    }
    return `of ${moved.join(', ')} partitions`;
  },

  async 'a broker stands still'(cluster, random) {
    const broker = await leadingMost(cluster);
    return standStill(broker, LEFT_BEHIND_MS + random.between(0, 5_000));
  },

  async 'a broker stands still for a moment'({ options: { brokers } }, random) {
    return standStill(pick(random, brokers.nodes), random.between(200, 1_500));
  },

  async 'a process takes over when a broker wakes'(cluster, random) {
    const broker = await leadingMost(cluster);
    const victim = pick(random, cluster.processes);
    broker.freeze();
    await pause(LEFT_BEHIND_MS + random.between(0, 2_000));
    await victim.kill();
    victim.start();
    await pause(random.between(0, cluster.options.sessionTimeoutMs + 1_000));
    broker.thaw();
    return `${nameOf(broker)}, ${victim.name}`;
  },

  async 'two of three brokers are away'({ options: { brokers } }, random) {
    const stays = pick(random, brokers.nodes);
    const away = brokers.nodes.filter((node) => node !== stays);
    await Promise.all(away.map((node) => node.kill()));
    await pause(random.between(0, 4_000));
    await brokers.start();
    return away.map(nameOf).join(' ');
  },
};

async function killAndStart(broker: Broker, random: Random): Promise<string> {
  await pause(random.between(0, 500));
  await broker.kill();
  await pause(random.between(0, 4_000));
  await broker.start();
  return nameOf(broker);
}

async function standStill(broker: Broker, stillMs: number): Promise<string> {
  broker.freeze();
  await pause(stillMs);
  broker.thaw();
  return `${nameOf(broker)} ${Math.round(stillMs)} ms`;
}

async function leadingMost(cluster: Cluster): Promise<Broker> {
  const led = await ledBy(cluster.options.brokers.bootstrap, isOurs(cluster));
  const [[nodeId]] = [...led].sort(([, a], [, b]) => b - a);
  return nodeOf(cluster, nodeId);
}

function isOurs({ options: { prefix } }: Cluster): (topic: string) => boolean {
  return (topic) => topic.startsWith(prefix);
}

function address({ options: { brokers, prefix } }: Cluster) {
  return { bootstrap: brokers.bootstrap, prefix };
}

function nodeOf({ options: { brokers } }: Cluster, nodeId: number): Broker {
  return brokers.nodes[nodeId - 1];
}

function nameOf({ options: { cluster } }: Broker): string {
  return `node ${cluster?.nodeId}`;
}
