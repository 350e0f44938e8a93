/**
 * The log on Kafka: reading against kafkajs's own consumer on the same topic in the same run, and what commits cost.
 *
 *   node bench/kafka-log.ts [--brokers HOST:PORT] [--runs 3] [--records 400000] [--commits 20] [--json]
 *
 * Without --brokers it starts one of its own. Records per second of this process's CPU are given beside those of the
 * clock: the broker shares the machine, and others may.
 */
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Claim } from '../runtime/log/contract.ts';
import { type Compression, type KafkaConnection, kafkaClient } from '../runtime/log/kafka/connection.ts';
import { type KafkaLog, openKafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { registerCodecs } from '../runtime/log/kafka/wire/kafkajs-codecs.ts';
import { makeTopics, testConnection } from '../runtime/log/kafka/testing/test-log.ts';
import { startBroker } from '../test/kafka/broker.ts';
import { machine, type Spread, spread } from './report.ts';

const PARTITIONS = 4;
const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string' },
    runs: { type: 'string', default: '3' },
    records: { type: 'string', default: '400000' },
    commits: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
const records = Number(options.records);

interface Rate {
  readonly records: number;
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

/** Runs `work` over `count` records and says how fast it went. */
async function rate(count: number, work: () => Promise<unknown>): Promise<Rate> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    records: count,
    perSecond: (1000 * count) / (performance.now() - began),
    perCpuSecond: (1e6 * count) / (user + system),
  };
}

/** A reading of about `size` bytes; compressible as readings are. */
function value(size: number, i: number): Buffer {
  const head = `{"serial":"PW-${String(i % 100_000).padStart(7, '0')}","deviceTime":${1.7e12 + i * 1000},"fields":{`;
  const fields: string[] = [];
  for (let f = 0, length = head.length; length < size - 20; f++) {
    fields.push(`"f${f}":${(((i + f) * 2654435761) >>> 0) % 10_000}`);
    length += fields[f].length + 1;
  }
  return Buffer.from(`${head}${fields.join(',')}}}`);
}

async function fill(log: KafkaLog, size: number, count: number): Promise<Rate> {
  const keyed = Array.from({ length: 500 }, (_, i) => ({ key: Buffer.from(`PW-${i}`), value: value(size, i) }));
  const each = Math.ceil(count / PARTITIONS / keyed.length);
  return rate(each * PARTITIONS * keyed.length, async () => {
    for (let i = 0; i < each; i++) {
      await Promise.all(Array.from({ length: PARTITIONS }, (_, p) => log.append('telemetry', p, keyed)));
    }
  });
}

/** Reads everything through the log, touching each record; opening it is not counted. */
async function readAll(connection: KafkaConnection): Promise<Rate> {
  const log = await openKafkaLog({ connection, partitions: PARTITIONS });
  const ends = Array.from({ length: PARTITIONS }, (_, p) => log.extent('telemetry', p).end);
  const count = ends.reduce((sum, end) => sum + end, 0);
  let touched = 0;
  const readPartition = async (p: number) => {
    for (let next = 0; next < ends[p]; ) {
      for (const batch of await log.read('telemetry', p, next, 1 << 20)) {
        for (let i = 0; i < batch.count; i++) touched += batch.valueEnd[i] - batch.valueStart[i];
        next = batch.baseOffset + batch.count;
      }
    }
  };
  const rated = await rate(count, () => Promise.all(ends.map((_, p) => readPartition(p))));
  await log.close();
  if (touched === 0) throw new Error('nothing was read');
  return rated;
}

/** The same with kafkajs's consumer; its group is joined before the clock runs, and left behind it. */
async function consumeAll(connection: KafkaConnection, run: number, wanted: number): Promise<Rate> {
  const groupId = `${connection.groupId}-peer-${run}`;
  const consumer = kafkaClient(connection).consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${connection.topicPrefix}telemetry`, fromBeginning: true });
  let found = 0;
  let touched = 0;
  const joined = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch: { messages } }) => {
      for (const message of messages) touched += message.value?.length ?? 0;
      found += messages.length;
      if (found >= wanted) done.resolve();
    },
  });
  await joined.promise;
  const rated = await rate(wanted, () => done.promise);
  if (touched === 0) throw new Error('nothing was consumed');
  // It does not always come back from this.
  await Promise.race([consumer.disconnect(), delay(2000)]);
  return rated;
}

interface ReadingResult {
  readonly size: number;
  readonly compression: Compression;
  readonly written: Rate;
  readonly log: Spread;
  readonly kafkajs: Spread;
  readonly ratio: Spread;
  readonly cpuRatio: Spread;
}

async function compareReading(bootstrap: string, size: number, compression: Compression): Promise<ReadingResult> {
  const connection = testConnection(bootstrap, { compression });
  await makeTopics(connection, PARTITIONS);
  const log = await openKafkaLog({ connection, partitions: PARTITIONS });
  const written = await fill(log, size, records);
  await log.close();
  const ours: Rate[] = [];
  const theirs: Rate[] = [];
  for (let run = 0; run < runs; run++) {
    const own = await readAll(connection);
    ours.push(own);
    theirs.push(await consumeAll(connection, run, own.records));
  }
  return {
    size,
    compression,
    written,
    log: spread(ours.map((r) => r.perSecond)),
    kafkajs: spread(theirs.map((r) => r.perSecond)),
    ratio: spread(ours.map((r, i) => r.perSecond / theirs[i].perSecond)),
    cpuRatio: spread(ours.map((r, i) => r.perCpuSecond / theirs[i].perCpuSecond)),
  };
}

interface CommitResult {
  readonly partitions: number;
  readonly commitMs: Spread;
  readonly recordsPerCpuSecond: number;
}

/** Commits of 1,000 records of 200 B from each partition, one after the other, partitions side by side. */
async function measureCommits(bootstrap: string, partitions: number): Promise<CommitResult> {
  const connection = testConnection(bootstrap);
  await makeTopics(connection, partitions);
  const log = await openKafkaLog({ connection, partitions });
  const claims: Claim[] = [];
  for (let p = 0; p < partitions; p++) claims.push(await log.claim('journal', p));
  const derived = Array.from({ length: 1000 }, (_, i) => ({ key: Buffer.from(`PW-${i}`), value: value(200, i) }));
  const batch = { outputs: new Map([['derived', derived]]), journal: Buffer.alloc(200), position: Buffer.alloc(20) };
  const inputs = new Map([['telemetry', 1]]);
  const each = Math.max(2, Math.ceil(Number(options.commits) / partitions));
  const took: number[] = [];
  const { perCpuSecond } = await rate(each * partitions * derived.length, () =>
    Promise.all(
      claims.map(async (claim) => {
        for (let i = 0; i < each; i++) {
          const began = performance.now();
          await log.commit(claim, { ...batch, inputs });
          took.push(performance.now() - began);
        }
      }),
    ),
  );
  await log.close();
  return { partitions, commitMs: spread(took), recordsPerCpuSecond: Math.round(perCpuSecond) };
}

registerCodecs();
const broker = options.brokers === undefined ? await startBroker({ heapMb: 768, quickStart: false }) : null;
const bootstrap = options.brokers ?? (broker?.bootstrap as string);
const reading: ReadingResult[] = [];
for (const size of [200, 1000]) {
  for (const compression of ['none', 'lz4'] as const) reading.push(await compareReading(bootstrap, size, compression));
}
const commits: CommitResult[] = [];
for (const partitions of [1, 16]) commits.push(await measureCommits(bootstrap, partitions));
await broker?.close();

if (options.json) console.log(JSON.stringify({ machine: machine(), cpus: cpus().length, reading, commits }));
else {
  console.log(`${machine()}; ${records} records over ${PARTITIONS} partitions, ${runs} runs\n`);
  const k = (n: number) => `${Math.round(n / 1000)} k`;
  for (const { size, compression, written, log, kafkajs, ratio, cpuRatio } of reading) {
    console.log(
      `${String(size).padStart(4)} B ${compression.padEnd(4)}  read ${k(log.median)}/s, kafkajs ${k(kafkajs.median)}/s; ratio ${ratio.median} (${ratio.min}..${ratio.max}), per CPU second ${cpuRatio.median} (${cpuRatio.min}..${cpuRatio.max}); appended ${k(written.perSecond)}/s`,
    );
  }
  for (const { partitions, commitMs, recordsPerCpuSecond } of commits) {
    console.log(
      `${String(partitions).padStart(2)} partitions at once: a commit of 1,000 records takes ${commitMs.median} ms (${commitMs.min}..${commitMs.max}), ${k(recordsPerCpuSecond)} records per CPU second`,
    );
  }
}
