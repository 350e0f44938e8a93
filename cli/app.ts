import { mkdirSync } from 'node:fs';
import type { Logger } from 'pino';
import { deviceMachines, kinds } from '../actors/device/index.ts';
import type { DuckDbSink } from '../actors/sinks/duckdb/sink.ts';
import { type Classify, type Server, startServer } from '../api/server.ts';
import { Door } from '../codec/door.ts';
import { type Clock, systemClock } from '../runtime/kernel/clock.ts';
import { letHeapGrow } from '../runtime/kernel/heap.ts';
import type { ActorType } from '../runtime/shard/contract.ts';
import type { Config } from '../runtime/system/config.ts';
import type { FleetView } from '../runtime/system/engine.ts';
import { kafkaConnection } from '../runtime/system/kafka-connection.ts';
import { createMetrics, type Metrics } from '../runtime/system/metrics.ts';
import { Runtime } from '../runtime/system/runtime.ts';
import type { App, OpenApp } from './app-contract.ts';
import { audit, joinAudits } from './assembly/audit.ts';
import { Closers } from './assembly/closers.ts';
import { deadLetterPage } from './assembly/dead-letters.ts';
import { EnergyToday } from './assembly/energy-today.ts';
import { type LogAndGroup, openLogAndGroup } from './assembly/log.ts';
import { observeShards } from './assembly/observer.ts';
import { openReprocessing } from './assembly/reprocess-open.ts';
import type { ReprocessedSets } from './assembly/reprocess.ts';
import { feedTables, noTables, openTables } from './assembly/sink.ts';
import { teslaDoorOf } from './assembly/tesla.ts';
import { openTypes, type Types } from './assembly/types.ts';
import { version } from './version.ts';

type Message = (level: 'info' | 'warn' | 'error', text: string, fields?: object) => void;

/** What is open, for the parts that are opened after it. */
interface Parts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly message: Message;
  readonly metrics: Metrics;
  readonly types: Types;
  readonly opened: LogAndGroup;
  readonly tables: DuckDbSink | null;
  /** Ends the process: something cannot go on. */
  readonly fail: (error: Error) => void;
}

/** Puts the parts together: log, sink, runtime, doors. The order of closing is the order of opening, backwards. */
export const openApp: OpenApp = async (config, { localToken, log }) => {
  letHeapGrow();
  mkdirSync(config.dataDir, { recursive: true });
  const closers = new Closers();
  try {
    return await open(config, localToken, log, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
};

async function open(config: Config, localToken: string, log: Logger, closers: Closers): Promise<App> {
  const clock = systemClock;
  const message: Message = (level, text, fields = {}) => log[level](fields, text);
  const metrics = createMetrics({ version });
  const types = await openTypes(config, clock, message);
  for (const kind of types.all.flatMap((t) => t.kinds)) metrics.machineVersion(kind.name, kind.machine);
  metrics.observeSchemas(() => types.schemas.status());
  const opened = await openLogAndGroup(config, clock, message);
  closers.add(() => opened.log.close());
  if (opened.status !== null) metrics.observeLog(opened.status);
  closers.add(async () => types.schemas.close());
  const tables = await openTables(config, types.all, clock);
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const parts: Parts = { config, clock, log, message, metrics, types, opened, tables, fail };

  const started = { isLive: false };
  const runtime = createRuntime(parts, started);
  const feed = { parent: runtime.system, log: opened.log, clock, commitIntervalMs: config.sinkCommitIntervalMs };
  closers.add(() => runtime.stop());
  const sink = tables === null ? null : await feedTables(tables, feed, log, metrics);
  if (sink !== null) closers.add(() => sink.stop());
  let live: Promise<void> = Promise.resolve();
  // At once, also where it is not live yet: what cannot start is tried until it is told to end. The system goes on, with
  // the sink, which takes what is committed last.
  closers.add(async () => {
    await Promise.all([runtime.release(), live.catch(() => {})]);
  });
  const source = opened.log;
  const sets = openReprocessing({ config, types: types.all, clock, message, tables, source, engine: runtime });
  closers.add(async () => sets?.close());
  const classify = classifier(types.devices, clock);
  const server = await openDoors(parts, runtime, sets, classify, localToken);
  closers.add(() => server.close());
  live = runtime.start(sink === null ? [] : [sink], { url: config['kafka.advertisedUrl'] ?? server.url, version });
  live.then(() => {
    started.isLive = true;
    void sets?.resume();
  }, fail);
  metrics.observe(runtime);
  if (config['kafka.brokers'] !== null) {
    const connection = kafkaConnection(config, message);
    const tesla = await teslaDoorOf(config, kinds, { connection, classify, engine: runtime, fail });
    if (tesla !== null) closers.add(() => tesla.stop());
  }
  return { url: server.url, engine: runtime, live, failed, close: () => closers.close() };
}

function createRuntime(parts: Parts, started: { readonly isLive: boolean }): Runtime {
  const { config, clock, log, message, metrics, types, opened, tables, fail } = parts;
  // Once all went well, a partition that fails is one partition: the others go on, and health tells.
  const failPartition = (error: Error) => {
    if (!opened.log.shared || !started.isLive) fail(error);
  };
  const energy = tables === null ? null : new EnergyToday(tables, clock);
  return new Runtime({
    ...config,
    types: types.all,
    log: opened.log,
    membership: opened.membership,
    handoverTimeoutMs: config['kafka.handoverTimeoutMs'],
    clock,
    observer: (of) => observeShards(log, metrics, clock, failPartition, of),
    message,
    withEnergy: (fleet: FleetView) => energy?.addTo(fleet) ?? fleet,
  });
}

function openDoors(
  parts: Parts,
  engine: Runtime,
  sets: ReprocessedSets | undefined,
  classify: Classify,
  localToken: string,
): Promise<Server> {
  const { config, clock, log, metrics, types, opened, tables } = parts;
  return startServer({
    engine,
    tables: tables ?? noTables,
    config: { host: config.host, port: config.port, authToken: config.authToken ?? undefined, localToken },
    classify,
    registry: types.schemas.registry,
    log,
    metrics,
    machines: deviceMachines,
    trouble: opened.trouble,
    audit: async () => {
      const own = await audit(opened.log, tables === null ? [] : [tables]);
      const sum = (of: 'doubled' | 'missing') => own.sinks.reduce((n, row) => n + row[of], 0);
      if (tables !== null) metrics.sinkAudit(tables.name, sum('doubled'), sum('missing'));
      return { ...joinAudits([own, ...((await sets?.audit()) ?? [])]) };
    },
    deadLetters: (options) => deadLetterPage(opened.log, options),
    reprocess: sets,
    version,
    clock,
  });
}

/** Tells telemetry from lifecycle at the doors where both come mixed. */
function classifier(devices: ActorType, clock: Clock): Classify {
  const door = new Door(devices.kinds);
  return (line) => {
    const outcome = door.classify(line, 0, line.length, clock.now());
    return 'topic' in outcome ? { topic: outcome.topic, key: Buffer.from(outcome.key).toString() } : outcome;
  };
}
