import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GridfoldError } from '../../runtime/kernel/errors.ts';

const pom = join(import.meta.dirname, 'pom.xml');
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/kafka');

/**
 * Folder with the jars of the broker: where GRIDFOLD_KAFKA_LIBS points, else a cache that Maven fills once per pom.xml.
 *
 * @throws GridfoldError `kafka-jars-missing` with what to install or set.
 */
export function kafkaJars(): string {
  const given = process.env.GRIDFOLD_KAFKA_LIBS;
  if (given !== undefined && given !== '') {
    if (hasBroker(given)) return resolve(given);
    throw missing(`GRIDFOLD_KAFKA_LIBS points at ${given}, where no kafka_2.13-*.jar stands.`);
  }
  const folder = join(cache, createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 16));
  if (!existsSync(folder)) fetchInto(folder);
  return folder;
}

/** Fetches beside the folder and renames, so that a half-filled folder is never taken for a whole one. */
function fetchInto(folder: string): void {
  console.error('gridfold: fetching the jars of Kafka (mvn, 43 MB, once) ...');
  mkdirSync(dirname(folder), { recursive: true });
  const partial = mkdtempSync(`${folder}-`);
  const goal = [
    '-B',
    '-q',
    '-Dstyle.color=never',
    '-f',
    pom,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${partial}`,
  ];
  const done = spawnSync('mvn', goal, { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });
  try {
    if (done.error !== undefined) {
      throw missing(
        `Maven is not there (${done.error.message}). Install it (Debian, Ubuntu: apt-get install maven; macOS: brew install maven), ` +
          'or let GRIDFOLD_KAFKA_LIBS point at a folder that has the jars of Kafka.',
      );
    }
    if (done.status !== 0 || !hasBroker(partial)) {
      console.error(done.stdout);
      throw missing('mvn could not fetch the jars; its message stands above. Is a Maven repository reachable?');
    }
    // Another process may have been first: its folder is as good.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function hasBroker(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => /^kafka_2\.13-.*\.jar$/.test(name));
}

function missing(message: string): GridfoldError {
  return new GridfoldError('kafka-jars-missing', 'fix-configuration', message);
}
