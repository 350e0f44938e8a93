/**
 * One contender in a process of its own: reads the input from its beginning to its end, and says what that took. Started
 * by the benchmarks with a {@link Task} as its argument; prints a {@link Result}.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { schemaText } from '../../codec/schema/files.ts';
import { payloadAt } from '../../codec/wire.ts';
import { topics } from '../../runtime/log/contract.ts';
import { kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { benchOptions } from '../runtime.ts';
import { FixedMember } from './fixed-member.ts';
import { connectionTo, type InputFormat } from './input.ts';
import { withInputOf } from './shared-input.ts';

export interface Task {
  /** `consume`: kafkajs, each value decoded and dropped. `fold`: the runtime, exactly once. */
  readonly mode: 'consume' | 'fold';
  readonly bootstrap: string;
  /** Prefix of the input's topic. */
  readonly input: string;
  /** Prefix of the topics that a fold writes; they are there and empty. */
  readonly outputs: string;
  readonly partitions: number;
  /** Those of this process. @default all */
  readonly owned?: readonly number[];
  readonly format: InputFormat;
  readonly commitIntervalMs: number;
  /** Blocks that the assets of a partition are spread over. */
  readonly blocksPerKind: number;
}

export interface Result {
  readonly records: number;
  readonly seconds: number;
  /** Of the whole process, from the connection's being ready to the last record, committed. */
  readonly cpuSeconds: number;
  /** Of it, that of the thread that folds; the rest is garbage collection, LevelDB and compilers. */
  readonly threadSeconds: number;
  /** Time in the folds themselves, decoding included. */
  readonly foldSeconds: number;
  readonly commits: number;
  readonly msPerCommit: number;
  readonly derived: number;
  readonly fetches: number;
  readonly rssMb: number;
}

type Meter = () => Pick<Result, 'seconds' | 'cpuSeconds' | 'threadSeconds' | 'rssMb'>;

function meter(): Meter {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const thread = process.threadCpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const own = process.threadCpuUsage(thread);
    return {
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
      threadSeconds: (own.user + own.system) / 1e6,
      rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  };
}

function dropper(format: InputFormat): (value: Buffer) => number {
  if (format === 'json') return (value) => JSON.parse(value.toString()).deviceTime;
  const message = protobuf.parse(schemaText('telemetry', 'protobuf')).root.lookupType('Telemetry');
  return (value) =>
    (message.decode(value.subarray(payloadAt(format, value, 0, value.length))) as { serial?: string }).serial?.length ??
    0;
}

async function consume({ bootstrap, input, partitions, format, outputs }: Task): Promise<Result> {
  const connection = connectionTo(bootstrap, input);
  const log = await openKafkaLog({ connection, partitions });
  const wanted = sum(partitions, (p) => log.extent(topics.telemetry, p).end);
  await log.close();
  const consumer = kafkaClient(connection).consumer({ groupId: `${outputs}consume`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${input}${topics.telemetry}`, fromBeginning: true });
  const drop = dropper(format);
  let records = 0;
  let checksum = 0;
  const joined = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) done.reject(payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: partitions,
    eachBatch: async ({ batch: { messages } }) => {
      for (const { value } of messages) checksum += value === null ? 0 : drop(value);
      records += messages.length;
      if (records >= wanted) done.resolve();
    },
  });
  await joined.promise;
  const read = meter();
  await done.promise;
  const took = read();
  if (!(checksum > 0)) throw new Error('nothing was decoded');
  return { ...took, foldSeconds: 0, records, commits: 0, msPerCommit: 0, derived: 0, fetches: 0 };
}

async function fold({
  bootstrap,
  input,
  outputs,
  partitions,
  owned,
  commitIntervalMs,
  blocksPerKind,
}: Task): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-bench-'));
  const inputLog = await openKafkaLog({ connection: connectionTo(bootstrap, input), partitions });
  const own = await openKafkaLog({ connection: connectionTo(bootstrap, outputs), partitions });
  const mine = owned ?? Array.from({ length: partitions }, (_, p) => p);
  const options = benchOptions(withInputOf(inputLog, own), dir);
  let foldMs = 0;
  const runtime = new Runtime({
    ...options,
    observer: (type) => ({
      ...options.observer(type),
      folded(_partition, _topic, _records, durationMs) {
        foldMs += durationMs;
      },
    }),
    membership: new FixedMember(mine),
    commitIntervalMs,
    blocksPerKind,
  });
  const read = meter();
  await runtime.start([]);
  await Promise.all(mine.map((p) => runtime.shards[p].reached('telemetry', inputLog.extent(topics.telemetry, p).end)));
  const took = read();
  const { commits, commitMs } = own.stats;
  const records = mine.reduce((n, p) => n + runtime.shards[p].committed.telemetry, 0);
  const { fetches } = inputLog.stats;
  let derived = 0;
  for (const p of mine) derived += (await own.latest(topics.derived, p)).end;
  await runtime.stop();
  await own.close();
  await inputLog.close();
  rmSync(dir, { recursive: true });
  return { ...took, foldSeconds: foldMs / 1000, records, commits, msPerCommit: commitMs / commits, derived, fetches };
}

function sum(count: number, of: (i: number) => number): number {
  return Array.from({ length: count }, (_, i) => of(i)).reduce((a, b) => a + b, 0);
}

const task = JSON.parse(process.argv[2]) as Task;
const result = await (task.mode === 'consume' ? consume(task) : fold(task));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
