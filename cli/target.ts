import { existsSync } from 'node:fs';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { type Config, loadConfig } from '../runtime/system/config.ts';
import { Client } from './client.ts';
import type { Call } from './command.ts';
import { announce, findInstance, newToken } from './instance.ts';
import { kindDefaults } from './kinds.ts';
import { createLog } from './log.ts';

/** The configuration of a call: defaults, file, environment, flags. */
export function configOf(call: Call): { config: Config; warnings: readonly string[] } {
  const { environment } = call.io;
  const file = call.values.config ?? environment.GRIDFOLD_CONFIG;
  return loadConfig({
    file: file === undefined || file === '' ? undefined : String(file),
    environment,
    flags: call.flags,
    kinds: kindDefaults,
  });
}

export interface TargetOptions {
  /** Whether a data folder that does not exist is made; else that is an error. */
  readonly create: boolean;
}

/**
 * Runs `work` against the instance that the call means: `--url`, else the one that runs on the data folder, else the
 * folder is opened in this process for as long as the work takes. Ctrl-C then closes it in good order.
 */
export async function withInstance(
  call: Call,
  { create }: TargetOptions,
  work: (client: Client) => Promise<number>,
): Promise<number> {
  const { config } = configOf(call);
  const remote = await findRemote(call, config);
  if (remote === null) return openFolder(call, config, create, work);
  try {
    return await work(remote);
  } finally {
    remote.close();
  }
}

/** The running instance that the call means, or null. */
export async function findRemote(call: Call, config: Config): Promise<Client | null> {
  const url = call.values.url ?? call.io.environment.GRIDFOLD_URL;
  if (url !== undefined && url !== '') return new Client(String(url), config.authToken);
  const instance = findInstance(config.dataDir);
  if (instance === null) return null;
  const client = new Client(instance.url, instance.token);
  try {
    await client.get('/healthz');
    return client;
  } catch {
    // Left behind by a process that was killed, and its number has been given to another one since.
    client.close();
    return null;
  }
}

async function openFolder(
  call: Call,
  config: Config,
  create: boolean,
  work: (client: Client) => Promise<number>,
): Promise<number> {
  if (!create && !existsSync(config.dataDir)) {
    throw new GridfoldError(
      'no_data',
      'fix-configuration',
      `There is no data folder ${config.dataDir}. Start "gridfold run" or feed it with "gridfold ingest" first, or name another one with --data-dir.`,
    );
  }
  const level = call.flags.logLevel === undefined ? 'warn' : config.logLevel;
  const localToken = newToken();
  const log = createLog(level, call.io.stderr);
  const app = await call.openApp({ ...config, host: '127.0.0.1', port: 0, sim: 0 }, { localToken, log });
  const startedAt = new Date(call.io.now()).toISOString();
  const withdraw = announce(config.dataDir, { url: app.url, pid: process.pid, startedAt, token: localToken });
  const client = new Client(app.url, localToken);
  const stopped = call.io.stop.first.then((signal) => {
    throw new GridfoldError('interrupted', 'stop', `Stopped by ${signal}.`);
  });
  const failed = app.failed.then((error) => {
    throw error;
  });
  const done = app.live.then(() => work(client));
  // Whoever loses the race may still fail; the winner is what counts.
  for (const promise of [stopped, failed, done]) promise.catch(() => {});
  try {
    return await Promise.race([done, stopped, failed]);
  } finally {
    client.close();
    withdraw();
    await app.close();
  }
}
