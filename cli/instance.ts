import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What `run` leaves in the data folder so that other commands of the same user find it. */
export interface Instance {
  readonly url: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Opens the privileged doors; the file is readable by its owner only. */
  readonly token: string;
}

const FILE = 'instance.json';

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Writes `DIR/instance.json`, readable by the owner only, in one step. Returns a function that removes it. */
export function announce(dataDir: string, instance: Instance): () => void {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, FILE);
  const draft = `${path}.${instance.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(instance)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
  return () => {
    // Another instance may have taken over since.
    if (findInstance(dataDir)?.token === instance.token) rmSync(path, { force: true });
  };
}

/** The instance that the data folder names and whose process is alive, or null. It may still not answer. */
export function findInstance(dataDir: string): Instance | null {
  let instance: unknown;
  try {
    instance = JSON.parse(readFileSync(join(dataDir, FILE), 'utf8'));
  } catch {
    return null;
  }
  return isInstance(instance) && isAlive(instance.pid) ? instance : null;
}

function isInstance(value: unknown): value is Instance {
  if (value === null || typeof value !== 'object') return false;
  const { url, pid, token } = value as Partial<Instance>;
  return typeof url === 'string' && Number.isSafeInteger(pid) && (pid as number) > 0 && typeof token === 'string';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
