/** A listener whose address in the metadata is another one's: what stands there passes the connections on. */
export interface ProxiedListener {
  readonly port: number;
  readonly advertisedPort: number;
}

/** A listener with TLS, where clients show a name and a password (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). */
export interface SecuredListener {
  readonly port: number;
  readonly keystore: string;
  readonly keystorePassword: string;
  readonly user: string;
  readonly password: string;
}

/** Which node of a cluster a server is. Every node is broker and controller. */
export interface ClusterPlace {
  /** Base64 of 16 bytes, the same on all nodes. */
  readonly clusterId: string;
  /** From 1 on. */
  readonly nodeId: number;
  /** Ports of the controllers on 127.0.0.1, that of node 1 first. */
  readonly controllerPorts: readonly number[];
}

/** Where a broker listens and what differs from the defaults; all listeners are on 127.0.0.1. */
export interface ServerOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Absent: the only node. */
  readonly cluster?: ClusterPlace;
  readonly proxied?: ProxiedListener;
  readonly secured?: SecuredListener;
  /** Lines of server.properties that win over all others. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** A node that is broker and controller, with few internal partitions and little memory for the cleaner. */
const NODE = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SECURED:SASL_SSL',
  'auto.create.topics.enable': false,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.num.partitions': 4,
  'group.initial.rebalance.delay.ms': 0,
  // A broker that was killed may register again only when its old session has run out (9 s by default).
  'broker.session.timeout.ms': 2000,
  'broker.heartbeat.interval.ms': 500,
  'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
};

/** The text of server.properties. */
export function serverProperties(options: ServerOptions): string {
  const { proxied, secured } = options;
  const listeners = [`PLAINTEXT://127.0.0.1:${options.port}`];
  const advertised = [`PLAINTEXT://127.0.0.1:${options.port}`];
  if (proxied !== undefined) {
    listeners.push(`PROXIED://127.0.0.1:${proxied.port}`);
    advertised.push(`PROXIED://127.0.0.1:${proxied.advertisedPort}`);
  }
  if (secured !== undefined) {
    listeners.push(`SECURED://127.0.0.1:${secured.port}`);
    advertised.push(`SECURED://127.0.0.1:${secured.port}`);
  }
  const { nodeId, controllerPorts } = options.cluster ?? { nodeId: 1, controllerPorts: [options.controllerPort] };
  const lines = {
    ...NODE,
    ...replication(controllerPorts.length),
    'node.id': nodeId,
    'controller.quorum.voters': controllerPorts.map((port, i) => `${i + 1}@127.0.0.1:${port}`).join(','),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${options.controllerPort}`].join(','),
    'advertised.listeners': advertised.join(','),
    'log.dirs': options.dataDir,
    ...(secured === undefined ? {} : securityLines(secured)),
    ...options.settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** What was confirmed stands on a majority of the replicas, so that it outlives any one node of three. */
function replication(nodes: number): Record<string, number> {
  const replicas = Math.min(3, nodes);
  const inSync = Math.floor(replicas / 2) + 1;
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
  };
}

function securityLines({ keystore, keystorePassword, user, password }: SecuredListener): Record<string, string> {
  const listener = 'listener.name.secured';
  const kafka = 'org.apache.kafka.common.security';
  const scram = `${kafka}.scram.ScramLoginModule required;`;
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': keystore,
    'ssl.keystore.password': keystorePassword,
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${listener}.plain.sasl.jaas.config`]: `${kafka}.plain.PlainLoginModule required user_${user}="${password}";`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: scram,
  };
}
