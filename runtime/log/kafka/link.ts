import { GridfoldError } from '../../kernel/errors.ts';
import { badArgument, closed, isTransient, reasonOf, refused, topicMissing, typeOf } from './failures.ts';
import type { Health } from './health.ts';
import type { KafkajsBroker, KafkajsCluster, KafkajsConnection, KafkajsMetadata } from './wire/kafkajs.ts';

/** The connection of a broker that long polls use, so that nothing else waits behind them. */
export type Lane = 'calls' | 'polls';

export const coordinators = { group: 0, transaction: 1 } as const;

/** Retries forever would hide that the coordinator's answer has a cause: waiting is bounded by these, ms. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1000;
const DISCONNECT_WITHIN_MS = 3_000;
/** A transaction that is being finished takes some milliseconds; it is no outage. */
const SAY_AFTER_ATTEMPTS = 8;
/** Who is in charge is asked again after so many failures of any kind, and as often as no answer comes for so long. */
const ASK_AGAIN_AFTER_ATTEMPTS = 4;
const ASK_AGAIN_AFTER_MS = 2_500;

/**
 * One connection per broker for calls and one for long polls, with who leads which partition. Calls repeat while the
 * trouble is of a kind that passes, and end with `log_closed` once the link is closed.
 */
export class Link {
  readonly #cluster: KafkajsCluster;
  readonly #health: Health;
  readonly #topics = new Set<string>();
  /** By kind and id, the node that coordinates it; forgotten when a call fails in a way that passes. */
  readonly #coordinators = new Map<string, number>();
  #metadata: KafkajsMetadata | null = null;
  #leaders = new Map<string, number>();
  #connected: Promise<void> | null = null;
  #refreshing: Promise<void> | null = null;
  #wakers = new Set<() => void>();
  #isClosed = false;

  constructor(cluster: KafkajsCluster, health: Health) {
    this.#cluster = cluster;
    this.#health = health;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Learns who leads the topic's partitions. Throws `log_topic_missing` where there is no such topic. */
  async know(topic: string): Promise<void> {
    if (this.#topics.has(topic)) return;
    await this.persist('metadata', async () => {
      await this.#connect();
      try {
        await this.#cluster.addMultipleTargetTopics([topic]);
      } catch (error) {
        if (isMissing(error)) throw topicMissing(topic);
        throw error;
      }
    });
    this.#topics.add(topic);
  }

  /** Node that leads the partition, as known here; null while nobody does. */
  leaderOf(topic: string, partition: number): number | null {
    this.#readMetadata();
    return this.#leaders.get(`${topic}/${partition}`) ?? null;
  }

  /** How many partitions a known topic has. */
  partitionsOf(topic: string): number {
    return this.#metadataOf(topic)?.partitionMetadata.length ?? 0;
  }

  async leader(topic: string, partition: number): Promise<KafkajsBroker> {
    await this.know(topic);
    const node = this.leaderOf(topic, partition);
    if (node === null && partition >= this.partitionsOf(topic)) {
      throw badArgument(`Topic "${topic}" has ${this.partitionsOf(topic)} partitions: there is no ${partition}.`);
    }
    if (node === null) throw passing(`nobody leads ${topic}/${partition}`);
    return this.broker(node);
  }

  async broker(nodeId: number): Promise<KafkajsBroker> {
    await this.#connect();
    return this.#cluster.findBroker({ nodeId });
  }

  /** Who coordinates a group or a transactional id; the answer is kept until a call fails in a way that passes. */
  async coordinator(id: string, coordinatorType: number): Promise<KafkajsBroker> {
    const key = `${coordinatorType}/${id}`;
    const node = this.#coordinators.get(key);
    if (node !== undefined) return this.broker(node);
    await this.#connect();
    if (this.#cluster.getNodeIds().length === 0) await this.#cluster.refreshMetadata();
    const anyone = await this.#cluster.brokerPool.findConnectedBroker();
    const { coordinator } = await anyone.findGroupCoordinator({ groupId: id, coordinatorType });
    const broker = await this.broker(coordinator.nodeId);
    this.#coordinators.set(key, coordinator.nodeId);
    return broker;
  }

  async connection(broker: KafkajsBroker, lane: Lane): Promise<KafkajsConnection> {
    return broker.connectionPool.getConnection(lane === 'polls' ? 1 : 0);
  }

  /** Calls on a raw connection; one that was closed under them is given up, so that the next call opens another. */
  async on<T>(broker: KafkajsBroker, lane: Lane, call: (connection: KafkajsConnection) => Promise<T>): Promise<T> {
    try {
      return await call(await this.connection(broker, lane));
    } catch (error) {
      if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect();
      throw error;
    }
  }

  /**
   * Repeats `attempt` while it fails with what passes by itself; any other failure is a GridfoldError with the broker's
   * error as its cause. `part` names what is attempted in the log's health.
   */
  async persist<T>(part: string, attempt: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      if (this.#isClosed) throw closed();
      try {
        const result = await this.#watched(part, attempt);
        this.#health.worked(part);
        return result;
      } catch (error) {
        if (this.#isClosed) throw closed();
        if (error instanceof GridfoldError || !isTransient(error)) {
          // An answer, though not the one that was wanted.
          this.#health.worked(part);
          throw error instanceof GridfoldError ? error : refused(part, error);
        }
        // Whoever asks us to wait is in charge; with any other failure that may have changed.
        if (typeOf(error) !== 'CONCURRENT_TRANSACTIONS') this.#coordinators.clear();
        if (tries >= SAY_AFTER_ATTEMPTS || isDisconnect(error)) this.#health.failed(part, reasonOf(error));
        await this.pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)));
        if (isDisconnect(error) || isStale(error) || (tries + 1) % ASK_AGAIN_AFTER_ATTEMPTS === 0)
          await this.#refresh();
      }
    }
  }

  /**
   * Says so while no answer comes, and asks who is in charge now: the connections of a broker that the others have left
   * behind are given up with the answer, and what was asked there fails and is repeated.
   */
  async #watched<T>(part: string, attempt: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const timer = setInterval(() => {
      const seconds = Math.round((performance.now() - began) / 1000);
      this.#health.waits(part, `no answer for ${seconds} s`);
      void this.#refresh().catch(() => {});
    }, ASK_AGAIN_AFTER_MS);
    try {
      return await attempt();
    } finally {
      clearInterval(timer);
    }
  }

  /** Resolves after `ms`, or at once when the link closes. */
  pause(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wakers.add(done);
    });
  }

  async refresh(): Promise<void> {
    await this.#refresh();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wake of [...this.#wakers]) wake();
    await this.#connected?.catch(() => {});
    if (this.#connected === null) return;
    // A broker that stands still answers nothing: what is asked of it is not waited for.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, DISCONNECT_WITHIN_MS);
    });
    await Promise.race([this.#cluster.disconnect(), late]);
    clearTimeout(timer);
  }

  #connect(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed());
    this.#connected ??= this.#cluster.connect().catch((error: unknown) => {
      this.#connected = null;
      throw error;
    });
    return this.#connected;
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#connect();
      await this.#cluster.refreshMetadata();
      this.#health.worked('metadata');
    } catch (error) {
      if (this.#isClosed) return;
      if (!isTransient(error) && !isMissing(error)) throw error;
      this.#health.failed('metadata', reasonOf(error));
      this.#refreshLater();
    }
  }

  /** Who asked may need no answer any more: until there is one, what is known may be old, and the health says so. */
  #refreshLater(): void {
    this.#refreshing ??= this.pause(LONGEST_PAUSE_MS).then(() => {
      this.#refreshing = null;
      return this.#refresh().catch(() => {});
    });
  }

  #metadataOf(topic: string) {
    return this.#cluster.brokerPool.metadata?.topicMetadata.find((t) => t.topic === topic);
  }

  #readMetadata(): void {
    const { metadata } = this.#cluster.brokerPool;
    if (metadata === this.#metadata || metadata === null) return;
    this.#metadata = metadata;
    this.#leaders = new Map();
    for (const { topic, partitionMetadata } of metadata.topicMetadata) {
      for (const { partitionId, leader } of partitionMetadata) {
        if (leader >= 0) this.#leaders.set(`${topic}/${partitionId}`, leader);
      }
    }
  }
}

/** An error that passes by itself, for what the protocol has no code of its own. */
export function passing(reason: string): Error {
  return Object.assign(new Error(reason), { name: 'KafkaJSMetadataNotLoaded' });
}

/** A leader's answer that lags behind what was committed: it catches up, or another one leads. */
export function notYet(reason: string): Error {
  return Object.assign(new Error(reason), {
    name: 'KafkaJSProtocolError',
    type: 'OFFSET_NOT_AVAILABLE',
    retriable: true,
  });
}

const isMissing = (error: unknown) =>
  ['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'].includes(typeOf(error) ?? '');

/** Whoever answered so is not in charge, or no more. */
const staleTypes = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_LEADER_FOR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'REPLICA_NOT_AVAILABLE',
  'BROKER_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]);
const isStale = (error: unknown) => staleTypes.has(typeOf(error) ?? '');

const isDisconnect = (error: unknown) => (error as Error).name.startsWith('KafkaJS') && typeOf(error) === undefined;
