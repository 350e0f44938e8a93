import { isLoopback } from './addresses.ts';
import { kafkaContradictions, kafkaOddities } from './kafka-rules.ts';
import type { Config } from './options.ts';

/** What is wrong with values that are right one by one; a line each. */
export function contradictions(config: Config): string[] {
  const found: string[] = [];
  if (config.snapshotIntervalMs < config.commitIntervalMs) {
    found.push(
      `snapshotIntervalMs (${config.snapshotIntervalMs}) is less than commitIntervalMs (${config.commitIntervalMs}): ` +
        'a snapshot needs a commit of its own',
    );
  }
  if (config.retentionMs < config.snapshotIntervalMs) {
    found.push(
      `retentionMs (${config.retentionMs}) is less than snapshotIntervalMs (${config.snapshotIntervalMs}): ` +
        'the log would lose what no snapshot holds yet',
    );
  }
  return [...found, ...kafkaContradictions(config)];
}

/** What is odd without being wrong; a line each. */
export function oddities(config: Config): string[] {
  const found: string[] = [];
  if (!isLoopback(config.host) && config.authToken === null) {
    found.push(
      `host ${config.host} is reachable from outside and no authToken is set: everybody there may read and write`,
    );
  }
  return [...found, ...kafkaOddities(config)];
}
