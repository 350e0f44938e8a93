import { listOf, hostOf, isLoopback } from './addresses.ts';
import { readSasl } from './kafka-sasl.ts';
import type { Config, OptionName } from './options.ts';

/** What contradicts itself in how Kafka is reached. */
export function kafkaContradictions(config: Config): string[] {
  const found: string[] = [];
  const given = (...names: OptionName[]) => names.filter((name) => config[name] !== null).join(', ');
  const files = given('kafka.sslCa', 'kafka.sslCert', 'kafka.sslKey');
  if (files !== '' && !config['kafka.ssl']) found.push(`${files} without kafka.ssl: nothing would be encrypted`);
  if ((config['kafka.sslCert'] === null) !== (config['kafka.sslKey'] === null)) {
    found.push(
      `${given('kafka.sslCert', 'kafka.sslKey')} is set alone: kafka.sslCert and kafka.sslKey belong together`,
    );
  }
  return [...found, ...saslContradictions(config)];
}

function saslContradictions(config: Config): string[] {
  const passwordFile = config['kafka.saslPasswordFile'];
  if (config['kafka.sasl'] === null) {
    return passwordFile === null ? [] : ['kafka.saslPasswordFile without kafka.sasl: set kafka.sasl to mechanism:user'];
  }
  const login = readSasl(config['kafka.sasl'], passwordFile !== null);
  if ('problem' in login) return [`kafka.sasl ${login.problem}`];
  if (login.mechanism !== 'plain' || config['kafka.ssl'] || areAllHere(config)) return [];
  return ['kafka.sasl with plain sends the password as it is: set kafka.ssl, or use scram-sha-512'];
}

/** What is odd in it. */
export function kafkaOddities(config: Config): string[] {
  if (config['kafka.brokers'] === null) return withoutBrokers(config);
  const found: string[] = [];
  const login = config['kafka.sasl'] === null ? null : readSasl(config['kafka.sasl'], true);
  if (!config['kafka.ssl'] && !areAllHere(config)) {
    found.push(
      'kafka.ssl is not set: records go over the network as they are' +
        (login === null ? '' : '; the password does not, but who listens can try passwords against what it sees'),
    );
  }
  if (config['kafka.advertisedUrl'] === null && (config.host === '0.0.0.0' || config.host === '::')) {
    found.push(
      `host ${config.host} is no address that other processes can call: set kafka.advertisedUrl, or they cannot forward to this one`,
    );
  }
  return found;
}

function withoutBrokers(config: Config): string[] {
  const given = (['kafka.sasl', 'kafka.sslCa', 'kafka.advertisedUrl', 'tesla.namespace'] as const).filter(
    (name) => config[name] !== null,
  );
  const names = [...given, ...(config['kafka.ssl'] ? ['kafka.ssl'] : [])];
  if (names.length === 0) return [];
  return [`${names.join(', ')} without kafka.brokers has no effect: the log is the embedded one in ${config.dataDir}`];
}

function areAllHere(config: Config): boolean {
  const brokers = listOf(config['kafka.brokers'] ?? '');
  return brokers.every((broker) => isLoopback(hostOf(broker)));
}
