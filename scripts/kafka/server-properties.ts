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

/** Where a broker listens and what differs from the defaults; all listeners are on 127.0.0.1. */
export interface ServerOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly proxied?: ProxiedListener;
  readonly secured?: SecuredListener;
  /** Lines of server.properties that win over all others. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** One node that is broker and controller, with few internal partitions and little memory for the cleaner. */
const SINGLE_NODE = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SECURED:SASL_SSL',
  'auto.create.topics.enable': false,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
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
  const lines = {
    ...SINGLE_NODE,
    'controller.quorum.voters': `1@127.0.0.1:${options.controllerPort}`,
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
