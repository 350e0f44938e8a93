import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tablesOf } from '../../runtime/shard/derived.ts';
import { openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../../actors/sinks/runner.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import type { Log } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { ShardObserver } from '../../runtime/shard/shard.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { types } from './types.ts';

export interface Subject {
  readonly log: Log;
  readonly runtime: Runtime;
  close(): Promise<void>;
}

export const PARTITIONS = 2;

/** The runtime with everything in short intervals, so that a short life passes many commits and snapshots. */
export async function openSubject(dir: string): Promise<Subject> {
  mkdirSync(dir, { recursive: true });
  const clock = systemClock;
  const complain = (level: string, text: string, fields?: object) => {
    if (level === 'error') process.stderr.write(`${text} ${JSON.stringify(fields)}\n`);
  };
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: PARTITIONS, clock });
  const sink = await openDuckDbSink({ file: join(dir, 'olap.duckdb'), types: tablesOf(types), clock });
  const observer: ShardObserver = {
    phase() {},
    committed() {},
    snapshot() {},
    folded() {},
    quarantined: (partition, kind, serial, error) =>
      complain('error', 'quarantined', { partition, kind, serial, error: String(error) }),
    failed: (partition, error) => {
      complain('error', 'failed', { partition, error: String((error as Error).stack) });
      process.exit(3);
    },
  };
  const runtime = new Runtime({
    types,
    log,
    clock,
    dataDir: dir,
    commitIntervalMs: 40,
    snapshotIntervalMs: 150,
    snapshotRecords: 5_000,
    horizonMs: 86_400_000,
    blocksPerKind: 16,
    maxResidentBytes: 1 << 30,
    windowBytesPerBlock: 4 << 20,
    silenceOutageMs: 120_000,
    silenceGraceMs: 1_000,
    retentionMs: 3_650 * 86_400_000,
    retentionBytes: null,
    observer: () => observer,
    message: complain,
  });
  const runner = new SinkRunner({ parent: runtime.system as never, log, sink, clock, commitIntervalMs: 60 });
  await runner.start();
  await runtime.start([
    { name: sink.name, status: () => runner.status(), drained: () => runner.drained(), next: (p) => runner.next(p) },
  ]);
  return {
    log,
    runtime,
    async close() {
      await runtime.stop();
      await runner.stop();
      await log.close();
    },
  };
}
