import type { SASLOptions } from 'kafkajs';
import type { KafkaConnection } from '../log/kafka/connection.ts';
import { listOf } from './addresses.ts';
import { ConfigError } from './config-error.ts';
import { readTls } from './kafka-tls.ts';
import { readSasl } from './kafka-sasl.ts';
import type { Config } from './options.ts';
import { readOptionFile } from './option-file.ts';

/**
 * How the configured Kafka is reached; reads the files that it names. `config` has `kafka.brokers` and was checked.
 * Throws {@link ConfigError} with every file that cannot be used, by option and path.
 */
export function kafkaConnection(config: Config, message: KafkaConnection['message']): KafkaConnection {
  const problems: string[] = [];
  const ssl = config['kafka.ssl'] ? readTls(config, problems) : false;
  const sasl = login(config, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    brokers: listOf(config['kafka.brokers'] ?? ''),
    clientId: config['kafka.clientId'],
    topicPrefix: config['kafka.topicPrefix'],
    groupId: config['kafka.groupId'],
    compression: config['kafka.compression'],
    ssl,
    sasl,
    message,
  };
}

function login(config: Config, problems: string[]): SASLOptions | null {
  if (config['kafka.sasl'] === null) return null;
  const isInFile = config['kafka.saslPasswordFile'] !== null;
  const read = readSasl(config['kafka.sasl'], isInFile);
  if ('problem' in read) {
    problems.push(`kafka.sasl ${read.problem}`);
    return null;
  }
  const { mechanism, username } = read;
  const password = read.password ?? passwordFile(config, problems);
  return { mechanism, username, password } as SASLOptions;
}

function passwordFile(config: Config, problems: string[]): string {
  const text = readOptionFile(config, 'kafka.saslPasswordFile', problems)?.replace(/\r?\n$/, '');
  if (text === '') problems.push(`kafka.saslPasswordFile: ${config['kafka.saslPasswordFile']} is empty`);
  return text ?? '';
}
