import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../scripts/kafka/broker.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { makeSecured, type Secured } from './secured.ts';

/** What a suite may ask of a broker of its own. */
export interface TestBrokerOptions {
  /** Port of 127.0.0.1; default: a free one. */
  readonly port?: number;
  /** Holds the data and is left there; default: a temporary folder, which `close` deletes. */
  readonly dir?: string;
  /** Java heap in MB, default 384. */
  readonly heapMb?: number;
  /** Default true; false for a broker that carries a lasting load. */
  readonly quickStart?: boolean;
  /** Lines of server.properties. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Also listens on SASL_SSL, see {@link TestBroker.secured}. */
  readonly saslAndTls?: boolean;
}

/** A broker for tests. `stop`, `kill` and `start` keep its data and its addresses. */
export interface TestBroker {
  /** Host and port; goes around any proxy. */
  readonly bootstrap: string;
  /** Between these two ports stands the proxy, if the suite starts one. */
  readonly proxied: { readonly targetPort: number; readonly listenPort: number };
  /** @throws when the broker was started without `saslAndTls`. */
  readonly secured: Secured;
  readonly dir: string;
  /** Process id, or null while it does not run. */
  readonly pid: number | null;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Kills it and deletes its temporary folder. */
  close(): Promise<void>;
}

/** Short waits, and few threads on small machines. */
export const QUICK = {
  'group.min.session.timeout.ms': 500,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
  'num.network.threads': 2,
  'num.io.threads': 4,
};

/** What the broker's log says when somebody else has taken a port since it was found free. */
const PORT_TAKEN = /Unable to start acceptor|Address already in use/;
const ATTEMPTS = 3;

/** Starts a broker of the suite's own: 3 to 9 s and about 300 MB, so take the shared one where it will do. */
export async function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const start = () => startOnFreePorts(options);
  return options.port === undefined && options.dir === undefined ? onFreePorts(start) : start();
}

/** Has `start` look for other ports, some times, where one was taken before it could listen there. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!PORT_TAKEN.test(String(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function startOnFreePorts(options: TestBrokerOptions): Promise<TestBroker> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'gridfold-kafka-'));
  const [port, controllerPort, proxyTarget, proxyPort, securedPort] = await freePorts(5);
  const secured = options.saslAndTls ? makeSecured(dir, securedPort) : undefined;
  const proxied = { port: proxyTarget, advertisedPort: proxyPort };
  const broker = new Broker({
    dir,
    port: options.port ?? port,
    controllerPort,
    heapMb: options.heapMb ?? 384,
    quickStart: options.quickStart ?? true,
    proxied,
    secured: secured?.listener,
    settings: { ...QUICK, ...options.settings },
  });
  const close = async () => {
    await broker.kill();
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  };
  try {
    await broker.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    bootstrap: broker.bootstrap,
    proxied: { targetPort: proxied.port, listenPort: proxied.advertisedPort },
    get secured() {
      if (secured === undefined) throw new Error('start the broker with { saslAndTls: true }');
      return secured;
    },
    dir,
    get pid() {
      return broker.pid;
    },
    start: () => broker.start(),
    stop: () => broker.stop(),
    kill: () => broker.kill(),
    close,
  };
}
