import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../scripts/kafka/broker.ts';
import { newClusterId } from '../../scripts/kafka/format.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { onFreePorts, QUICK } from './broker.ts';

/** What a suite may ask of a cluster of its own. */
export interface TestBrokersOptions {
  /** Nodes; each is broker and controller. */
  readonly count: number;
  /** Holds the data and is left there; default: a temporary folder, which `close` deletes. */
  readonly dir?: string;
  /** Lines of server.properties of every node. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * The brokers of one cluster. With three of them everything has three replicas, two of which confirm what is written:
 * any one node may go. `stop`, `kill` and `start` are for all; they keep data and addresses.
 */
export interface TestBrokers {
  /** `host:port` of each, with commas; goes around any proxy. */
  readonly bootstrap: string;
  /** The node with id 1 first. */
  readonly nodes: readonly Broker[];
  /** By node, the two ports between which its proxy stands, if the suite starts one. */
  readonly proxied: readonly { readonly targetPort: number; readonly listenPort: number }[];
  /** Starts those that do not run. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Kills all and deletes the temporary folder. */
  close(): Promise<void>;
}

const HEAP_MB = 384;
/** A node that is alive but answers nothing is left behind after so long by those that it leads and follows, ms. */
const REPLICA_LAG_MS = 3_000;
const PORTS_PER_NODE = 4;

/** Starts a cluster of the suite's own: 10 to 20 s and 300 MB a node. */
export async function startBrokers({ count, ...options }: TestBrokersOptions): Promise<TestBrokers> {
  const temporary = options.dir === undefined ? mkdtempSync(join(tmpdir(), 'gridfold-kafka-')) : null;
  const dir = options.dir ?? (temporary as string);
  return onFreePorts(async () => {
    const nodes = await makeNodes(dir, count, options.settings ?? {});
    const all = (what: 'stop' | 'kill') => async () => void (await Promise.all(nodes.map((node) => node[what]())));
    const kill = all('kill');
    const start = async () => {
      const away = nodes.filter(({ pid }) => pid === null);
      await Promise.all(away.map((node) => node.start()));
    };
    const close = async () => {
      await kill();
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    };
    try {
      await start();
    } catch (error) {
      await kill();
      for (const node of nodes) rmSync(node.options.dir, { recursive: true, force: true });
      throw error;
    }
    const bootstrap = nodes.map((node) => node.bootstrap).join(',');
    const proxied = nodes.map(({ options: { proxied } }) => ({
      targetPort: proxied!.port,
      listenPort: proxied!.advertisedPort,
    }));
    return { bootstrap, nodes, proxied, start, stop: all('stop'), kill, close };
  });
}

async function makeNodes(dir: string, count: number, settings: TestBrokersOptions['settings']): Promise<Broker[]> {
  const ports = await freePorts(PORTS_PER_NODE * count);
  const portsOf = (i: number) => ports.slice(PORTS_PER_NODE * i, PORTS_PER_NODE * (i + 1));
  const controllerPorts = Array.from({ length: count }, (_, i) => portsOf(i)[1]);
  const clusterId = newClusterId();
  return controllerPorts.map((controllerPort, i) => {
    const [port, , proxyTarget, proxyPort] = portsOf(i);
    const own = join(dir, `node-${i + 1}`);
    mkdirSync(own, { recursive: true });
    return new Broker({
      dir: own,
      port,
      controllerPort,
      cluster: { clusterId, nodeId: i + 1, controllerPorts },
      heapMb: HEAP_MB,
      quickStart: true,
      proxied: { port: proxyTarget, advertisedPort: proxyPort },
      settings: { ...QUICK, 'replica.lag.time.max.ms': REPLICA_LAG_MS, ...settings },
    });
  });
}
