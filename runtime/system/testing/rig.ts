import { join } from 'node:path';
import type { ManualClock } from '../../kernel/clock.ts';
import { type Log, topics } from '../../log/contract.ts';
import { openEmbeddedLog } from '../../log/embedded/embedded.ts';
import { decodeDeadLetter } from '../../shard/outputs.ts';
import { RecordReader } from '../../shard/record-reader.ts';
import type { Phase } from '../../shard/recovery.ts';
import type { ShardObserver } from '../../shard/shard.ts';
import type { Said } from '../../shard/testing/test-fold.ts';
import { type LampRecord, toyType } from '../../shard/testing/toy.ts';
import { Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';

export const START = Date.UTC(2026, 0, 1);

/** Bounds of a runtime for tests. */
export const smallRuntime = {
  commitIntervalMs: 100,
  snapshotIntervalMs: 30_000,
  snapshotRecords: 1_000_000,
  horizonMs: 86_400_000,
  blocksPerKind: 16,
  maxResidentBytes: 1 << 28,
  windowBytesPerBlock: 1 << 20,
  silenceOutageMs: 3_600_000,
  silenceGraceMs: 0,
  retentionMs: 7 * 86_400_000,
  retentionBytes: null,
};

/** A runtime on an embedded log in `dir`, with a clock of its own. */
export interface Rig {
  readonly runtime: Runtime;
  readonly clock: ManualClock;
  readonly replayed: number[];
  readonly errors: unknown[];
  send(records: readonly LampRecord[]): Promise<void>;
  /** Lifecycle records: id, serial, type, event time, data. */
  tell(records: readonly { serial: string; [name: string]: unknown }[]): Promise<void>;
  append(topic: string, partition: number, value: string): Promise<void>;
  /** Lets the clock run in ticks, giving the shards room to act on each. */
  advance(ms: number): Promise<void>;
  derived(): Promise<Said[]>;
  deadLetters(): Promise<{ reason: string; value: string }[]>;
  stop(): Promise<void>;
  /** The end without a goodbye: everything is let go as it is. */
  drop(): Promise<void>;
}

/** `seen`: the log as this process sees it. */
export async function openRig(
  dir: string,
  clock: ManualClock,
  options: Partial<RuntimeOptions>,
  closers: (() => Promise<unknown>)[],
  seen: (log: Log) => Log = (log) => log,
): Promise<Rig> {
  const log = seen(await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 2, clock }));
  const replayed: number[] = [];
  const errors: unknown[] = [];
  const observer: ShardObserver = {
    phase: (_p, phase: Phase, detail) => void (phase === 'live' && replayed.push(detail.replayed as number)),
    committed() {},
    snapshot() {},
    folded() {},
    quarantined: (_p, _k, _s, error) => void errors.push(error),
    failed: (_p, error) => void errors.push(error),
  };
  const runtime = new Runtime({
    types: [toyType],
    log,
    clock,
    dataDir: dir,
    ...smallRuntime,
    observer: () => observer,
    message() {},
    ...options,
  });
  try {
    await runtime.start([]);
  } catch (error) {
    await runtime.stop();
    await log.close();
    throw error;
  }
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await runtime.stop();
    await log.close();
  };
  closers.push(stop);
  const drop = async () => {
    isStopped = true;
    await Promise.all(runtime.stages.flatMap((stage) => stage.shards.map((shard) => shard.abandon())));
    await log.close();
  };
  const read = async (topic: string): Promise<Uint8Array[]> => {
    const found: Uint8Array[] = [];
    for (let p = 0; p < log.partitions; p++) {
      const reader = new RecordReader(log, topic, p, 0);
      await reader.take(log.extent(topic, p).end, ({ batch, from, to }) => {
        for (let i = from; i < to; i++) found.push(batch.bytes.slice(batch.valueStart[i], batch.valueEnd[i]));
      });
    }
    return found;
  };
  return {
    runtime,
    clock,
    replayed,
    errors,
    async send(records) {
      await runtime.produce(
        'telemetry',
        records.map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) })),
      );
      await runtime.settled();
    },
    async tell(records) {
      await runtime.produce(
        'lifecycle',
        records.map((r) => ({ key: r.serial, value: Buffer.from(JSON.stringify(r)) })),
      );
      await runtime.settled();
    },
    async append(topic, partition, value) {
      await log.append(topic, partition, [{ key: null, value: Buffer.from(value) }]);
      await runtime.settled();
    },
    async advance(ms) {
      for (let left = ms; left > 0; left -= 10_000) {
        clock.advance(Math.min(left, 10_000));
        await runtime.settled();
      }
    },
    derived: async () => (await read(topics.derived)).map((v) => JSON.parse(Buffer.from(v).toString()) as Said),
    deadLetters: async () =>
      (await read(topics.deadLetters)).map((v) => {
        const { reason, value } = decodeDeadLetter(v);
        return { reason, value: Buffer.from(value).toString() };
      }),
    stop,
    drop,
  };
}

export const lamp = (serial: string, minute: number, rest: Partial<LampRecord> = {}): LampRecord => ({
  serial,
  deviceTime: START + minute * 60_000,
  txid: `${serial}-${minute}`,
  level: 1,
  mode: 'dim',
  ...rest,
});
