import { deviceType } from '../actors/device/index.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import { letHeapGrow } from '../runtime/kernel/heap.ts';
import type { Log } from '../runtime/log/contract.ts';
import type { ShardObserver } from '../runtime/shard/shard.ts';
import { Runtime } from '../runtime/system/runtime.ts';
import type { RuntimeOptions } from '../runtime/system/runtime-options.ts';

/** The runtime as a benchmark wants it: heap and intervals of `gridfold run`, no retention, and a failure ends the run. */
export function benchRuntime(log: Log, dataDir: string, phase?: ShardObserver['phase']): Runtime {
  return new Runtime(benchOptions(log, dataDir, phase));
}

export function benchOptions(log: Log, dataDir: string, phase: ShardObserver['phase'] = () => {}): RuntimeOptions {
  letHeapGrow();
  return {
    types: [deviceType],
    log,
    clock: systemClock,
    dataDir,
    commitIntervalMs: 500,
    snapshotIntervalMs: 30_000,
    snapshotRecords: 1_000_000,
    horizonMs: 86_400_000,
    blocksPerKind: 1024,
    maxResidentBytes: 2 ** 30,
    windowBytesPerBlock: 4 << 20,
    silenceOutageMs: 900_000,
    silenceGraceMs: 300_000,
    retentionMs: 1e12,
    retentionBytes: null,
    observer: () => ({
      phase,
      committed() {},
      snapshot() {},
      folded() {},
      quarantined(_partition, _kind, _serial, error) {
        throw error;
      },
      failed(_partition, error) {
        throw error;
      },
    }),
    message: () => {},
  };
}
