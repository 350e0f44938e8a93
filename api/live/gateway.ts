import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyBaseLogger } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Clock, systemClock } from '../../runtime/kernel/clock.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import type { LiveMetrics } from '../../runtime/system/metrics.ts';
import type { Guard } from '../http/guard.ts';
import { asProblem } from '../http/problem.ts';
import { type Placement, placementOf } from '../members/placement.ts';
import { Hub } from './hub.ts';
import { closeCodes, defaultLimits, type LiveLimits, subprotocol } from './protocol.ts';
import { Session } from './session.ts';

export type { LiveLimits } from './protocol.ts';

export interface GatewayParts {
  readonly engine: Engine;
  readonly guard: Guard;
  /** Given to the other processes of the group, which share it. */
  readonly authToken?: string;
  readonly log: FastifyBaseLogger;
  readonly metrics: LiveMetrics;
  readonly limits?: Partial<LiveLimits>;
  readonly clock?: Clock;
}

/** A frame that another process passes on has its partitions added. */
const namedPartitionsBytes = 8 * 1024;

/** The live door: takes upgrades of `/v1/live`, keeps the sessions, and flushes them while there are any. */
export class LiveGateway {
  readonly #parts: GatewayParts;
  readonly #limits: LiveLimits;
  readonly #clock: Clock;
  readonly #hub: Hub;
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Map<WebSocket, Session>();
  #cancelFlush: (() => void) | undefined;
  #placement: Placement | undefined;
  #closed = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#limits = { ...defaultLimits, ...parts.limits };
    this.#clock = parts.clock ?? systemClock;
    this.#hub = new Hub(parts.engine, this.#clock, parts.metrics);
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: this.#limits.frameBytes + namedPartitionsBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
  }

  /** Clients; what other processes ask for theirs does not count. */
  counts(): { connections: number; subscriptions: number } {
    const clients = [...this.#sessions.values()].filter((session) => !session.isLocal);
    return {
      connections: clients.length,
      subscriptions: clients.reduce((sum, { subscriptions }) => sum + subscriptions, 0),
    };
  }

  attach(server: HttpServer): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Says goodbye to every session and takes no more. */
  close(): void {
    this.#closed = true;
    for (const session of this.#sessions.values()) session.drain();
    this.#cancelFlush?.();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?', 1)[0] !== '/v1/live') {
      refuse(socket, 404, 'Not Found');
      return;
    }
    if (this.#closed) {
      refuse(socket, 503, 'Service Unavailable');
      return;
    }
    try {
      this.#parts.guard.checkOrigin(request);
    } catch (error) {
      refuse(socket, asProblem(error).status, 'Forbidden');
      return;
    }
    const offered = request.headers['sec-websocket-protocol'];
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === subprotocol)) {
      refuse(socket, 400, `Bad Request: the subprotocol is ${subprotocol}`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket));
  }

  #open(socket: WebSocket): void {
    if (this.counts().connections >= this.#limits.connections) {
      socket.on('error', () => {});
      socket.send(JSON.stringify({ t: 'bye', code: 'full', reconnectMs: 10_000 }));
      socket.close(closeCodes.tryLater.code, closeCodes.tryLater.doc);
      this.#clock.after(1_000, () => socket.terminate());
      return;
    }
    const session = new Session(socket, {
      engine: this.#parts.engine,
      hub: this.#hub,
      clock: this.#clock,
      metrics: this.#parts.metrics,
      limits: this.#limits,
      authToken: this.#parts.authToken,
      placement: () => this.#placementNow(),
      accepts: (token) => this.#parts.guard.accepts(token),
    });
    this.#sessions.set(socket, session);
    socket.on('close', () => {
      session.end();
      this.#sessions.delete(socket);
      this.#report();
    });
    this.#report();
    this.#schedule();
  }

  #placementNow(): Placement {
    this.#placement = placementOf(this.#parts.engine, this.#placement);
    return this.#placement;
  }

  #schedule(): void {
    if (this.#cancelFlush !== undefined || this.#closed || this.#sessions.size === 0) return;
    this.#cancelFlush = this.#clock.after(this.#limits.flushMs, () => {
      this.#cancelFlush = undefined;
      this.#flush();
      this.#schedule();
    });
  }

  #flush(): void {
    try {
      this.#hub.evaluate();
      const placement = this.#placementNow();
      for (const session of this.#sessions.values()) session.tick(placement);
      this.#report();
    } catch (error) {
      this.#parts.log.error({ err: error }, 'live flush failed');
    } finally {
      this.#hub.forget();
    }
  }

  #report(): void {
    const { connections, subscriptions } = this.counts();
    this.#parts.metrics.connections(connections);
    this.#parts.metrics.subscriptions(subscriptions);
  }
}

function refuse(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
