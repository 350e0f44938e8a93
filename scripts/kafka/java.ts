import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** Kafka 4 does not run on an older one. */
const NEEDED_MAJOR = 17;

/** A tool of the JDK: where JAVA_HOME points, else on the PATH. */
export function javaTool(name: 'java' | 'keytool'): string {
  const home = process.env.JAVA_HOME;
  return home === undefined || home === '' ? name : join(home, 'bin', name);
}

/** Why no broker can run here, or null when the Java at hand is new enough. */
export function whyNoJava(): string | null {
  const done = spawnSync(javaTool('java'), ['-version'], { encoding: 'utf8' });
  if (done.error !== undefined || done.status !== 0) return `needs Java ${NEEDED_MAJOR} or newer, and there is none`;
  const major = majorVersion(done.stderr);
  if (major === null || major >= NEEDED_MAJOR) return null;
  return `needs Java ${NEEDED_MAJOR} or newer, and this is Java ${major}`;
}

/**
 * Path of a Java that runs Kafka.
 *
 * @throws GridfoldError `java-missing` with how to get one.
 */
export function requireJava(): string {
  const missing = whyNoJava();
  if (missing === null) return javaTool('java');
  throw new GridfoldError(
    'java-missing',
    'fix-configuration',
    `A Kafka broker ${missing}. Install one and try again (Debian, Ubuntu: apt-get install openjdk-17-jre-headless maven; ` +
      'macOS: brew install openjdk@17 maven), or let JAVA_HOME point at it.',
  );
}

/** Major version out of what `java -version` prints; null when it has another form. */
export function majorVersion(printed: string): number | null {
  const version = /version "(?:1\.)?(\d+)/.exec(printed);
  return version === null ? null : Number(version[1]);
}
