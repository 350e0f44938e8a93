import { mkdirSync } from 'node:fs';
import { deviceMachines, deviceType } from '../actors/device/index.ts';
import { siteType } from '../actors/site/index.ts';
import { startServer } from '../api/server.ts';
import { Door } from '../codec/door.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import type { ActorType } from '../runtime/shard/contract.ts';
import type { Config } from '../runtime/system/config.ts';
import type { FleetView } from '../runtime/system/engine.ts';
import { createMetrics } from '../runtime/system/metrics.ts';
import { Runtime } from '../runtime/system/runtime.ts';
import type { App, OpenApp } from './app-contract.ts';
import { audit } from './assembly/audit.ts';
import { deadLetterPage } from './assembly/dead-letters.ts';
import { EnergyToday } from './assembly/energy-today.ts';
import { openLogAndGroup } from './assembly/log.ts';
import { observeShards } from './assembly/observer.ts';
import { type FedSink, feedTables, noTables, openTables } from './assembly/sink.ts';
import { version } from './version.ts';

/** Puts the parts together: log, sink, runtime, doors. The order of closing is the order of opening, backwards. */
export const openApp: OpenApp = async (config, { localToken, log }) => {
  mkdirSync(config.dataDir, { recursive: true });
  const clock = systemClock;
  const message = (level: 'info' | 'warn' | 'error', text: string, fields: object = {}) => log[level](fields, text);
  const type = withDefaults(deviceType, config);
  const types = [type, siteType];
  const metrics = createMetrics({ version });
  for (const kind of types.flatMap((t) => t.kinds)) metrics.machineVersion(kind.name, kind.machine);

  const { log: records, membership, trouble } = await openLogAndGroup(config, clock, message);
  const closers: (() => Promise<unknown>)[] = [() => records.close()];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const tables = await openTables(config, types, clock);
    const { failed, fail } = failure();
    let isLive = false;
    // Once all went well, a partition that fails is one partition: the others go on, and health tells.
    const failPartition = (error: Error) => {
      if (!records.shared || !isLive) fail(error);
    };
    const observer = (of: ActorType) => observeShards(log, metrics, clock, failPartition, of);
    const energy = tables === null ? null : new EnergyToday(tables, clock);
    const withEnergy = (fleet: FleetView) => energy?.addTo(fleet) ?? fleet;
    const runtime = new Runtime({
      ...config,
      types,
      log: records,
      membership,
      handoverTimeoutMs: config['kafka.handoverTimeoutMs'],
      clock,
      observer,
      message,
      withEnergy,
    });
    const sinks: FedSink[] = [];
    if (tables !== null) {
      const parts = { parent: runtime.system, log: records, clock, commitIntervalMs: config.sinkCommitIntervalMs };
      const fed = await feedTables(tables, parts, log, metrics);
      sinks.push(fed);
      closers.push(() => fed.stop());
    }
    let live: Promise<void> = Promise.resolve();
    closers.push(async () => {
      await live.catch(() => {});
      await runtime.stop();
    });

    const door = new Door(type.kinds);
    const server = await startServer({
      engine: runtime,
      tables: tables ?? noTables,
      config: { host: config.host, port: config.port, authToken: config.authToken ?? undefined, localToken },
      classify: (line) => {
        const outcome = door.classify(line, 0, line.length, clock.now());
        return 'topic' in outcome ? { topic: outcome.topic, key: Buffer.from(outcome.key).toString() } : outcome;
      },
      log,
      metrics,
      machines: deviceMachines,
      trouble,
      audit: async () => {
        const report = await audit(records, tables === null ? [] : [tables]);
        const sum = (of: 'doubled' | 'missing') => report.sinks.reduce((n, row) => n + row[of], 0);
        if (tables !== null) metrics.sinkAudit(tables.name, sum('doubled'), sum('missing'));
        return { ...report };
      },
      deadLetters: (options) => deadLetterPage(records, options),
      version,
      clock,
    });
    closers.push(() => server.close());
    live = runtime.start(sinks, { url: config['kafka.advertisedUrl'] ?? server.url, version });
    live.then(
      () => {
        isLive = true;
      },
      (error: Error) => fail(error),
    );
    metrics.observe(runtime);
    let closing: Promise<void> | null = null;
    const app: App = {
      url: server.url,
      engine: runtime,
      live,
      failed,
      close: () => (closing ??= closeAll()),
    };
    return app;
  } catch (error) {
    await closeAll();
    throw error;
  }
};

/** What ends the process when something cannot go on. */
function failure(): { readonly failed: Promise<Error>; readonly fail: (error: Error) => void } {
  const { promise, resolve } = Promise.withResolvers<Error>();
  return { failed: promise, fail: resolve };
}

/** The actor type with the cadences and time zones of the configuration. */
function withDefaults(type: ActorType, config: Config): ActorType {
  const kinds = type.kinds.map((kind) => {
    const cadenceS = (config.cadenceSeconds as Record<string, number>)[kind.name];
    const timeZone = (config.timeZone as Record<string, string>)[kind.name];
    return { ...kind, defaults: { cadenceMs: cadenceS * 1000, timeZone } };
  });
  return { ...type, kinds };
}
