import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { deviceMachines, deviceType } from '../actors/device/index.ts';
import { siteType } from '../actors/site/index.ts';
import { openDuckDbSink } from '../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../actors/sinks/runner.ts';
import { startServer } from '../api/server.ts';
import { Door } from '../codec/door.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';
import type { ActorType } from '../runtime/shard/contract.ts';
import { tablesOf } from '../runtime/shard/derived.ts';
import type { Config } from '../runtime/system/config.ts';
import { EMBEDDED_PARTITIONS } from '../runtime/system/options.ts';
import type { FleetView } from '../runtime/system/engine.ts';
import { createMetrics } from '../runtime/system/metrics.ts';
import { Runtime } from '../runtime/system/runtime.ts';
import type { App, OpenApp } from './app-contract.ts';
import { audit } from './assembly/audit.ts';
import { deadLetterPage } from './assembly/dead-letters.ts';
import { EnergyToday } from './assembly/energy-today.ts';
import { observeShards } from './assembly/observer.ts';
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

  const embedded = await openEmbeddedLog({
    dir: join(config.dataDir, 'log'),
    partitions: config.partitions ?? EMBEDDED_PARTITIONS,
    clock,
    onMessage: ({ level, msg, fields }) => message(level, msg, fields),
  });
  const closers: (() => Promise<unknown>)[] = [() => embedded.close()];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const sink = await openDuckDbSink({
      file: join(config.dataDir, 'olap.duckdb'),
      types: tablesOf(types),
      timeZones: config.timeZone,
      clock,
    });
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<Error>((resolve) => {
      fail = resolve;
    });
    const observer = (of: ActorType) => observeShards(log, metrics, clock, (error) => fail(error), of);
    const energy = new EnergyToday(sink, clock);
    const withEnergy = (fleet: FleetView) => energy.addTo(fleet);
    const runtime = new Runtime({ ...config, types, log: embedded, clock, observer, message, withEnergy });
    const runner = new SinkRunner({
      parent: runtime.system as never,
      log: embedded,
      sink,
      clock,
      commitIntervalMs: config.sinkCommitIntervalMs,
      onCommit: ({ durationMs, rowsByType, next }) => {
        metrics.sinkCommit(sink.name, durationMs / 1000, rowsByType);
        for (const [partition, offset] of next) metrics.sinkOffset(sink.name, partition, offset);
      },
      onError: (error, final) => log[final ? 'error' : 'warn']({ err: error, sink: sink.name }, 'sink failed'),
    });
    await runner.start();
    closers.push(() => runner.stop());
    const running = {
      name: sink.name,
      status: () => runner.status(),
      drained: () => runner.drained(),
      next: (p: number) => runner.next(p),
    };
    const live = runtime.start([running]);
    live.catch((error) => fail(error as Error));
    closers.push(async () => {
      await live.catch(() => {});
      await runtime.stop();
    });
    metrics.observe(runtime);

    const door = new Door(type.kinds);
    const server = await startServer({
      engine: runtime,
      tables: sink,
      config: { host: config.host, port: config.port, authToken: config.authToken ?? undefined, localToken },
      classify: (line) => {
        const outcome = door.classify(line, 0, line.length, clock.now());
        return 'topic' in outcome ? { topic: outcome.topic, key: Buffer.from(outcome.key).toString() } : outcome;
      },
      log,
      metrics,
      machines: deviceMachines,
      audit: async () => {
        const report = await audit(embedded, [sink]);
        const sum = (of: 'doubled' | 'missing') => report.sinks.reduce((n, row) => n + row[of], 0);
        metrics.sinkAudit(sink.name, sum('doubled'), sum('missing'));
        return { ...report };
      },
      deadLetters: (options) => deadLetterPage(embedded, options),
      version,
      clock,
    });
    closers.push(() => server.close());
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

/** The actor type with the cadences and time zones of the configuration. */
function withDefaults(type: ActorType, config: Config): ActorType {
  const kinds = type.kinds.map((kind) => {
    const cadenceS = (config.cadenceSeconds as Record<string, number>)[kind.name];
    const timeZone = (config.timeZone as Record<string, string>)[kind.name];
    return { ...kind, defaults: { cadenceMs: cadenceS * 1000, timeZone } };
  });
  return { ...type, kinds };
}
