import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answerCorrelation, frames, requestApi, requestCorrelation } from './frames.ts';

/** Which requests are hit, and what is lost before both sockets are cut. */
export interface Cut {
  /** One of {@link ApiKey}. */
  readonly api: number;
  /** The answer: the broker has done what it was asked to. The request: it has not. */
  readonly lose: 'answer' | 'request';
  /** Hits only the n-th such request from now on; 1 is the next. */
  readonly nth?: number;
  /** Otherwise: hits each with this probability, drawn from `random`. Default 1. */
  readonly chance?: number;
  /** Numbers in [0, 1) from a seeded generator. */
  readonly random?: () => number;
}

/** A cut that is armed. */
export interface ArmedCut {
  /** Connections cut so far. */
  readonly hits: number;
  disarm(): void;
}

interface Armed extends Cut {
  seen: number;
  hits: number;
}

/** Stands in front of a broker's proxied listener and loses, delays and refuses what it is told to. */
export class FaultProxy {
  readonly #ports: { readonly listenPort: number; readonly targetPort: number };
  readonly #armed = new Set<Armed>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  /** Time in ms for which each answer is held back. */
  delayMs = 0;

  constructor(ports: { readonly listenPort: number; readonly targetPort: number }) {
    this.#ports = ports;
  }

  /** Host and port for clients. */
  get bootstrap(): string {
    return `127.0.0.1:${this.#ports.listenPort}`;
  }

  /** Takes connections, from the start or again after `refuse`. */
  async accept(): Promise<void> {
    if (this.#server !== null) return;
    this.#server = createServer({ noDelay: true }, (client) => this.#connect(client));
    this.#server.listen(this.#ports.listenPort, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Cuts all connections and refuses new ones until `accept`. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.close();
    this.cutAll();
    await once(server, 'close');
  }

  /** Cuts all connections; new ones are taken. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Arms a cut. A request that one of several hits is not counted by those armed later. */
  cut(cut: Cut): ArmedCut {
    const armed: Armed = { ...cut, seen: 0, hits: 0 };
    this.#armed.add(armed);
    return {
      get hits() {
        return armed.hits;
      },
      disarm: () => void this.#armed.delete(armed),
    };
  }

  #connect(client: Socket): void {
    const broker = connect({ port: this.#ports.targetPort, host: '127.0.0.1', noDelay: true });
    const cutBoth = () => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', cutBoth);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        cutBoth();
      });
    }
    /** Cuts that wait for an answer, by its number. */
    const doomed = new Map<number, Armed>();
    this.#passRequests(client, broker, doomed).catch(cutBoth);
    this.#passAnswers(broker, client, doomed).catch(cutBoth);
  }

  async #passRequests(client: Socket, broker: Socket, doomed: Map<number, Armed>): Promise<void> {
    for await (const frame of frames(client)) {
      const hit = [...this.#armed].find((cut) => takes(cut, requestApi(frame)));
      if (hit?.lose === 'request') return void cutBy(hit, client);
      if (hit !== undefined) doomed.set(requestCorrelation(frame), hit);
      await send(broker, frame);
    }
  }

  async #passAnswers(broker: Socket, client: Socket, doomed: ReadonlyMap<number, Armed>): Promise<void> {
    for await (const frame of frames(broker)) {
      const hit = doomed.get(answerCorrelation(frame));
      if (hit !== undefined) return void cutBy(hit, client);
      if (this.delayMs > 0) await delay(this.delayMs);
      await send(client, frame);
    }
  }
}

/** Starts a proxy between the two ports. */
export async function startProxy(ports: { listenPort: number; targetPort: number }): Promise<FaultProxy> {
  const proxy = new FaultProxy(ports);
  await proxy.accept();
  return proxy;
}

/** Counts the request; true when the cut hits it. */
function takes(cut: Armed, api: number): boolean {
  if (cut.api !== api) return false;
  cut.seen++;
  if (cut.nth !== undefined) return cut.seen === cut.nth;
  const { chance = 1, random } = cut;
  return chance >= 1 || (random !== undefined && random() < chance);
}

function cutBy(cut: Armed, client: Socket): void {
  cut.hits++;
  client.destroy();
}

async function send(socket: Socket, frame: Buffer): Promise<void> {
  if (!socket.write(frame)) await once(socket, 'drain');
}
