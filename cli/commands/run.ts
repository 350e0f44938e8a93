import { demoMix } from '../../sim/fleet/mix.ts';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Config, printable } from '../../runtime/system/config.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { App } from '../app-contract.ts';
import { Client } from '../client.ts';
import type { Call, Command } from '../command.ts';
import { type RunningFleet, startFleet } from '../fleet.ts';
import { announce, findInstance, newToken } from '../instance.ts';
import { createLog } from '../log.ts';
import { writeJson } from '../output.ts';
import { configOf } from '../target.ts';

/** Often enough to see something move. */
const DEMO_CADENCE_MS = 10_000;

export const run: Command = {
  name: 'run',
  summary: 'Runs everything in one process: log, runtime, tables, HTTP, WebSocket, page, and a simulated fleet.',
  positionals: [],
  runtimeOptions: [],
  allOptions: true,
  options: {},
  details: [
    'Prints one line on stdout when it can serve; with --json it is {"event":"ready","url":"..."}. Ctrl-C or SIGTERM ends it in good order: the next start replays nothing.',
  ],
  examples: [
    { line: 'gridfold run', doc: 'With a demo fleet, data in .gridfold, on http://127.0.0.1:4343.' },
    { line: 'gridfold run --no-sim --data-dir /var/lib/gridfold --config gridfold.yaml', doc: 'For real records.' },
    { line: 'gridfold run --port 0 --json', doc: 'On a free port, for programs.' },
  ],
  async run(call) {
    const { config, warnings } = configOf(call);
    const { io } = call;
    const { first, again } = io.stop;
    const log = createLog(config.logLevel, io.stderr);
    for (const warning of warnings) log.warn(warning);
    log.debug({ config: printable(config) }, 'configuration');
    await refuseSecond(config);

    const localToken = newToken();
    const app = await call.openApp(config, { localToken, log });
    const startedAt = new Date(io.now()).toISOString();
    const withdraw = announce(config.dataDir, { url: app.url, pid: process.pid, startedAt, token: localToken });
    tellReady(call, app.url);
    const fleet = config.sim > 0 ? demoFleet(config, app.url, localToken, log) : null;

    const failure = await Promise.race([first.then(() => null), app.failed]);
    if (failure !== null) log.fatal({ err: failure }, failure.message);
    withdraw();
    await fleet?.stop();
    const isClosed = await closeInTime(app, config, again);
    if (!isClosed)
      log.error(`not closed in good order after ${config.shutdownTimeoutMs} ms; the next start will replay`);
    return failure === null && isClosed ? 0 : 1;
  },
};

/** Two processes cannot share a data folder; the message says where the other one is. */
async function refuseSecond(config: Config): Promise<void> {
  const other = findInstance(config.dataDir);
  if (other === null || other.pid === process.pid) return;
  const client = new Client(other.url, other.token);
  const isThere = await client.get('/healthz').then(
    () => true,
    () => false,
  );
  client.close();
  if (!isThere) return;
  throw new GridfoldError(
    'data_dir_in_use',
    'stop',
    `Gridfold already runs on ${config.dataDir}: ${other.url} (process ${other.pid}). Stop it first, or use another --data-dir.`,
  );
}

function demoFleet(config: Config, url: string, token: string, log: Logger): RunningFleet {
  return startFleet({
    url,
    token,
    ...demoMix(config.sim),
    seed: 1,
    cadenceMs: DEMO_CADENCE_MS,
    file: join(config.dataDir, 'fleet.json'),
    warn: (message) => log.warn(message),
  });
}

function tellReady({ json, io }: Call, url: string): void {
  if (json) writeJson(io.stdout, { event: 'ready', url });
  else io.stdout.write(`Gridfold is running: open ${url} (Ctrl-C ends it)\n`);
}

/** False when closing takes longer than allowed, or somebody asks a second time. */
async function closeInTime(app: App, config: Config, again: Promise<string>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), config.shutdownTimeoutMs);
  });
  const closed = app.close().then(() => true);
  return Promise.race([closed, timeout, again.then(() => false)]).finally(() => clearTimeout(timer));
}
