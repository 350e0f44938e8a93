import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { KafkaConnection } from './connection.ts';
import './mend-kafkajs.ts';

/** Answer to a join: who leads, and to the leader what each member stated. */
export interface Joined {
  readonly memberId: string;
  readonly generationId: number;
  readonly leaderId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** How long the coordinator waits for a member: for its next heartbeat, and for its join once others have joined. */
export interface GroupTimeouts {
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/**
 * The broker that keeps the group, as one member talks to it. The requests are those of kafkajs, the connection is our
 * own: a join stays unanswered until all members have joined, and the broker answers nothing else on its connection
 * meanwhile. Without a connection the next request looks for the coordinator anew. Errors are those of kafkajs.
 */
export class GroupCoordinator {
  readonly #groupId: string;
  readonly #timeouts: GroupTimeouts;
  readonly #pools: { build(destination?: { host: string; port: number }): Promise<ConnectionPool> };
  readonly #sockets = new Set<Socket>();
  #broker: Promise<Broker> | null = null;
  #line = new AbortController();
  #waiting = 0;

  constructor(connection: KafkaConnection, timeouts: GroupTimeouts) {
    this.#groupId = connection.groupId;
    this.#timeouts = timeouts;
    this.#pools = connectionPoolBuilder({
      brokers: [...connection.brokers],
      clientId: connection.clientId,
      ssl: connection.ssl,
      sasl: connection.sasl ?? undefined,
      connectionTimeout: Math.min(CONNECTION_TIMEOUT_MS, timeouts.sessionTimeoutMs),
      requestTimeout: timeouts.sessionTimeoutMs,
      logger: silent,
      socketFactory: (options: unknown) => this.#remember(openSocket(options)),
    });
  }

  /** Resolves when all members have joined, which takes up to the rebalance timeout. */
  join(memberId: string, protocol: string, metadata: Buffer): Promise<Joined> {
    const { sessionTimeoutMs: sessionTimeout, rebalanceTimeoutMs: rebalanceTimeout } = this.#timeouts;
    const groupProtocols = [{ name: protocol, metadata }];
    const protocolType = 'consumer';
    return this.#ask('JoinGroup', { memberId, sessionTimeout, rebalanceTimeout, protocolType, groupProtocols });
  }

  /** Hands in the assignments, those of the leader only, and resolves with the one of this member. */
  async sync(joined: Joined, groupAssignment: readonly unknown[]): Promise<Buffer> {
    const { memberId, generationId } = joined;
    const { memberAssignment } = await this.#ask<{ memberAssignment: Buffer }>('SyncGroup', {
      memberId,
      generationId,
      groupAssignment,
    });
    return memberAssignment;
  }

  async heartbeat(memberId: string, generation: number): Promise<void> {
    await this.#ask('Heartbeat', { memberId, groupGenerationId: generation });
  }

  async leave(memberId: string): Promise<void> {
    await this.#ask('LeaveGroup', { memberId });
  }

  /** Cuts the connection; a request without an answer fails at once. The next one looks for the coordinator anew. */
  hangUp(reason: string): void {
    this.#broker = null;
    this.#line.abort(new Error(reason));
    this.#line = new AbortController();
    for (const socket of this.#sockets) socket.destroy(new Error(reason));
  }

  /** As hangUp, where somebody waits for an answer; a connection at rest stays. */
  interrupt(reason: string): void {
    if (this.#waiting > 0) this.hangUp(reason);
  }

  async #ask<T>(api: Api, fields: Record<string, unknown>): Promise<T> {
    this.#waiting += 1;
    try {
      const { signal } = this.#line;
      this.#broker ??= this.#find(signal);
      const broker = await this.#broker;
      signal.throwIfAborted();
      const request = broker.lookupRequest(apiKeys[api], requests[api])({ groupId: this.#groupId, ...fields });
      return (await broker.connectionPool.send(request)) as T;
    } catch (error) {
      if (!isAnswer(error)) this.#broker = null;
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #find(signal: AbortSignal): Promise<Broker> {
    const seed = new Broker({ connectionPool: await this.#pools.build(), logger: silent });
    await seed.connect();
    const { coordinator } = await seed.findGroupCoordinator({ groupId: this.#groupId });
    void seed.disconnect();
    signal.throwIfAborted();
    const connectionPool = await this.#pools.build(coordinator);
    const broker = new Broker({ connectionPool, logger: silent, versions: seed.versions });
    await broker.connect();
    return broker;
  }

  #remember(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** Whether the coordinator itself refused: its connection is sound. */
function isAnswer(error: unknown): boolean {
  return (error as Error).name === 'KafkaJSProtocolError' || (error as Error).name === 'KafkaJSMemberIdRequired';
}

const CONNECTION_TIMEOUT_MS = 3_000;

type Api = 'JoinGroup' | 'SyncGroup' | 'Heartbeat' | 'LeaveGroup';

interface ConnectionPool {
  send(request: unknown): Promise<unknown>;
}

interface Broker {
  readonly versions: unknown;
  readonly connectionPool: ConnectionPool;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  lookupRequest(apiKey: number, versions: unknown): (fields: Record<string, unknown>) => unknown;
  findGroupCoordinator(group: { groupId: string }): Promise<{ coordinator: { host: string; port: number } }>;
}

// Below its public door, kafkajs speaks to one broker at a time and retries nothing.
const require = createRequire(import.meta.url);
const Broker = require('kafkajs/src/broker') as new (options: Record<string, unknown>) => Broker;
const connectionPoolBuilder = require('kafkajs/src/cluster/connectionPoolBuilder');
const { requests } = require('kafkajs/src/protocol/requests') as { requests: Record<Api, unknown> };
const apiKeys = require('kafkajs/src/protocol/requests/apiKeys') as Record<Api, number>;
const openSocket = require('kafkajs/src/network/socketFactory')() as (options: unknown) => Socket;
const { createLogger } = require('kafkajs/src/loggers');
/** The membership tells of an outage once, in its own words. */
const silent = createLogger({ level: 0, logCreator: () => () => {} });
