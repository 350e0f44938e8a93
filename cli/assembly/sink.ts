import { join } from 'node:path';
import type { Logger } from 'pino';
import { type DuckDbSink, openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../../actors/sinks/runner.ts';
import type { Clock } from '../../runtime/kernel/clock.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { Log } from '../../runtime/log/contract.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import { tablesOf } from '../../runtime/shard/derived.ts';
import type { Config } from '../../runtime/system/config.ts';
import type { TableReader } from '../../runtime/system/engine.ts';
import type { Metrics } from '../../runtime/system/metrics.ts';
import type { RunningSink } from '../../runtime/system/runtime-options.ts';

/** The tables of the data folder; null where this process is to keep none. */
export async function openTables(
  config: Config,
  types: readonly ActorType[],
  clock: Clock,
): Promise<DuckDbSink | null> {
  if (config.tables === 'off') return null;
  return openDuckDbSink({
    file: join(config.dataDir, 'olap.duckdb'),
    types: tablesOf(types),
    timeZones: config.timeZone,
    clock,
  });
}

/** Answers in the place of tables that are not kept here. */
export const noTables: TableReader = {
  query: () => Promise.reject(tablesOff()),
  events: () => Promise.reject(tablesOff()),
};

function tablesOff(): GridfoldError {
  return new GridfoldError(
    'tables_off',
    'fix-configuration',
    'this process keeps no tables (option `tables` is off): ask one that does, or the store that is filled instead',
  );
}

export interface FedSink extends RunningSink {
  stop(): Promise<void>;
}

/** Begins to feed the tables from the log. */
export async function feedTables(
  sink: DuckDbSink,
  parts: { readonly parent: unknown; readonly log: Log; readonly clock: Clock; readonly commitIntervalMs: number },
  log: Logger,
  metrics: Metrics,
): Promise<FedSink> {
  const runner = new SinkRunner({
    ...parts,
    parent: parts.parent as never,
    sink,
    onCommit: ({ durationMs, rowsByType, next }) => {
      metrics.sinkCommit(sink.name, durationMs / 1000, rowsByType);
      for (const [partition, offset] of next) metrics.sinkOffset(sink.name, partition, offset);
    },
    onError: (error, final) => log[final ? 'error' : 'warn']({ err: error, sink: sink.name }, 'sink failed'),
  });
  await runner.start();
  return { ...running(runner, sink), stop: () => runner.stop() };
}

/** The runner of a sink as the runtime sees it. */
export function running(runner: SinkRunner, { name }: DuckDbSink): RunningSink {
  return {
    name,
    status: () => runner.status(),
    drained: () => runner.drained(),
    next: (partition) => runner.next(partition),
  };
}
