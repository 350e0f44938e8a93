/**
 * Builds and runs the peer: a Java Kafka Streams application that does our fold (`kafka-streams/README.md`).
 *
 *   node bench/peers/peers.ts --brokers localhost:9092 --topic telemetry [--mode fold|consume] [--threads 1]
 *     [--compression none] [--heap-mb 1024]
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs, promisify } from 'node:util';
import kafkajs from 'kafkajs';

const { Kafka, logLevel } = kafkajs;
const PROJECT = join(import.meta.dirname, 'kafka-streams');
const JAR = join(PROJECT, 'target', 'peer.jar');

export interface PeerOptions {
  /** `host:port`, several with commas. */
  readonly brokers: string;
  readonly topic: string;
  /** `fold` reads, folds and writes exactly once; `consume` decodes each value and drops it. @default 'fold' */
  readonly mode?: 'fold' | 'consume';
  /** @default 1 */
  readonly threads?: number;
  /** Of what it writes: derived events and changelog. @default 'none' */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** @default 500 */
  readonly commitIntervalMs?: number;
  /** Cache of the state store, bytes. @default 268435456 */
  readonly cacheBytes?: number;
  /** @default 1024 */
  readonly heapMb?: number;
}

/** What the peer says of a run. Time and processor time begin with the first record and end with the last commit. */
export interface PeerResult {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Derived events, of which so many are transitions. */
  readonly derived: number;
  readonly transitions: number;
  /** Of the whole process, compiler and garbage collector included. */
  readonly cpuSeconds: number;
  readonly duplicates: number;
  readonly late: number;
  readonly rejected: number;
}

/** Packages the peer with Maven; fails with what Maven says. */
export async function buildPeer(): Promise<void> {
  await promisify(execFile)('mvn', ['-q', '-B', 'package'], { cwd: PROJECT });
}

/**
 * Runs the peer over all that stands in the topic, from its beginning, on empty state. A fold writes to a derived
 * topic of its own, with as many partitions as the input; that and its changelog are deleted afterwards.
 */
export async function runPeer(options: PeerOptions): Promise<PeerResult> {
  if (options.mode === 'consume') return await runJar(options, ['--mode', 'consume']);
  const applicationId = `peer-${process.pid}-${Date.now()}`;
  const derived = `${applicationId}-derived`;
  const stateDir = await mkdtemp(join(tmpdir(), 'gridfold-peer-'));
  const kafka = new Kafka({
    brokers: options.brokers.split(','),
    clientId: 'gridfold-bench',
    logLevel: logLevel.ERROR,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [options.topic] });
    await admin.createTopics({ topics: [{ topic: derived, numPartitions: topics[0].partitions.length }] });
    const own = ['--derived', derived, '--application-id', applicationId, '--state-dir', stateDir, '--stop-at-end'];
    return await runJar(options, own);
  } finally {
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(`${applicationId}-`));
    await admin.deleteTopics({ topics: mine });
    await admin.disconnect();
    await rm(stateDir, { recursive: true });
  }
}

async function runJar(options: PeerOptions, own: readonly string[]): Promise<PeerResult> {
  const given = {
    '--brokers': options.brokers,
    '--topic': options.topic,
    '--threads': options.threads,
    '--compression': options.compression,
    '--commit-interval-ms': options.commitIntervalMs,
    '--cache-bytes': options.cacheBytes,
  };
  const named = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  const heap = `${options.heapMb ?? 1024}m`;
  const jvm = [`-Xms${heap}`, `-Xmx${heap}`, '-XX:+UseParallelGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  const java = spawn('java', [...jvm, '-jar', JAR, ...named, ...own], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => java.once('error', reject).once('close', resolve));
  const [code, out, errors] = await Promise.all([ended, text(java.stdout), text(java.stderr)]);
  if (code !== 0) throw new Error(`the peer ended with ${code}: ${errors.trim()}`);
  return JSON.parse(out);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string', default: 'localhost:9092' },
      topic: { type: 'string', default: 'telemetry' },
      mode: { type: 'string', default: 'fold' },
      threads: { type: 'string', default: '1' },
      compression: { type: 'string', default: 'none' },
      'heap-mb': { type: 'string', default: '1024' },
    },
  });
  await buildPeer();
  const result = await runPeer({
    brokers: values.brokers,
    topic: values.topic,
    mode: values.mode as PeerOptions['mode'],
    threads: Number(values.threads),
    compression: values.compression as PeerOptions['compression'],
    heapMb: Number(values['heap-mb']),
  });
  console.log(JSON.stringify(result));
}
