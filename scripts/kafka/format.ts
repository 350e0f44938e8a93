import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { SecuredListener } from './server-properties.ts';

/**
 * Makes an empty data folder one of a cluster, as `kafka-storage.sh format` does.
 *
 * @param jvm Java and its arguments up to the name of the class.
 * @param id of the cluster, the same on all its nodes; default: a new one.
 * @throws the error of the process, with its `stdout` and `stderr`.
 */
export async function formatData(
  jvm: readonly [java: string, ...args: string[]],
  propertiesFile: string,
  secured: SecuredListener | undefined,
  id = newClusterId(),
): Promise<void> {
  const users =
    secured === undefined
      ? []
      : ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
          '--add-scram',
          `${mechanism}=[name=${secured.user},password=${secured.password}]`,
        ]);
  const format = ['format', '--cluster-id', id, '--config', propertiesFile, ...users];
  const [java, ...args] = jvm;
  await promisify(execFile)(java, [...args, 'kafka.tools.StorageTool', ...format]);
}

/** A random id as Kafka writes them; none that starts with a dash, which would be taken for an option. */
export function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] &= 0x7f;
  return bytes.toString('base64url');
}
