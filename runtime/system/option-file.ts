import { readFileSync, statSync } from 'node:fs';
import type { Config } from './options.ts';

/** Certificates and passwords are small; a larger file is some other one. */
const MAX_BYTES = 1_048_576;

type FileOption = 'kafka.sslCa' | 'kafka.sslCert' | 'kafka.sslKey' | 'kafka.saslPasswordFile';

/** Text of the file that an option names, or null when it is not set or cannot be read; then `problems` says why. */
export function readOptionFile(config: Config, name: FileOption, problems: string[]): string | null {
  const path = config[name];
  if (path === null) return null;
  try {
    if (statSync(path).size <= MAX_BYTES) return readFileSync(path, 'utf8');
    problems.push(`${name}: ${path} is larger than ${MAX_BYTES} bytes`);
  } catch (error) {
    problems.push(`${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return null;
}
