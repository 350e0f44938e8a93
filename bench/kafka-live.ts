/**
 * `gridfold run` on Kafka under a steady load: from a record's being sent to the state that a live client shows, and to
 * the derived event that a consumer of committed records reads. With `--roll` every process is stopped and started
 * again, one after the other, under the load, and the client connects to another one meanwhile.
 *
 *   node bench/kafka-live.ts [--brokers HOST:PORT] [--processes 1] [--partitions 4] [--assets 10000] [--share 0.5]
 *     [--rate N] [--seconds 30] [--commit-ms 500] [--roll] [--json]
 *
 * `--share` is of the full load, which is measured first: 400,000 records as fast as they are folded. Broker, processes,
 * feed and client share the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { topics } from '../runtime/log/contract.ts';
import { openKafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { ask } from '../test/kafka/faults/doors.ts';
import { GridfoldProcess } from '../test/kafka/faults/process.ts';
import { DerivedWatch } from './kafka/derived-watch.ts';
import { FleetFeed } from './kafka/fleet-feed.ts';
import { connectionTo } from './kafka/input.ts';
import { LiveWatch } from './kafka/live-watch.ts';
import { openBroker } from './kafka/run.ts';
import { referenceLoad, serialOf, setDeviceTime } from './reference-load.ts';
import { homeOf } from '../runtime/system/assets.ts';
import { machine } from './report.ts';

const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string' },
    processes: { type: 'string', default: '1' },
    partitions: { type: 'string', default: '4' },
    assets: { type: 'string', default: '10000' },
    watched: { type: 'string', default: '200' },
    share: { type: 'string', default: '0.5' },
    rate: { type: 'string' },
    seconds: { type: 'string', default: '30' },
    'commit-ms': { type: 'string', default: '500' },
    roll: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const partitions = Number(options.partitions);
const assets = Number(options.assets);
const FULL_RECORDS = 400_000;
const CADENCE_MS = 10_000;
/** A fleet that begins says ten events by asset. */
const WARM_UP_MS = 15_000;
const SETTLE_WITHIN_MS = 120_000;

interface Pipeline {
  readonly partitions: readonly {
    readonly phase: string;
    readonly actor: string;
    readonly lag: { telemetry: number };
  }[];
  readonly incomplete?: unknown;
}

const dir = mkdtempSync(join(tmpdir(), 'gridfold-kafka-live-'));
const broker = await openBroker(options.brokers);
const prefix = `live-${process.pid}.`;
const connection = connectionTo(broker.bootstrap, prefix);
const processes = Array.from({ length: Number(options.processes) }, (_, i) => member(`p${i}`));
for (const one of processes) one.start();
await settled();
const log = await openKafkaLog({ connection, partitions });
const fullPerSecond = options.rate === undefined ? await fullLoad() : null;
const perSecond = Math.round(Number(options.rate ?? (fullPerSecond as number) * Number(options.share)));

const serials = Array.from({ length: Number(options.watched) }, (_, i) =>
  serialOf(Math.floor((i * assets) / Number(options.watched))),
);
let urls = await urlsNow();
const live = new LiveWatch(serials, () => urls);
const feed = new FleetFeed({
  log,
  assets,
  perSecond,
  watched: live.assets,
  sent: (serial, at) => live.sent(serial, at),
});
const derived = new DerivedWatch(connection, (partition, offset) => feed.sentAt(partition, offset));
await live.open();
await derived.open();
const feeding = feed.run(
  options.roll ? SETTLE_WITHIN_MS * processes.length : WARM_UP_MS + Number(options.seconds) * 1000,
);
feeding.catch(() => {});
await pause(WARM_UP_MS);
live.isMeasuring = derived.isMeasuring = true;
const restartMs = options.roll ? await roll() : [];
if (options.roll) feed.stop();
await feeding;
live.isMeasuring = derived.isMeasuring = false;
await settled();
const caughtUpMs = await caughtUp();
live.close();
await derived.close();
await Promise.all(processes.map((one) => one.stop()));
await log.close();
await broker.close();
rmSync(dir, { recursive: true });

const report = {
  machine: machine(),
  processes: processes.length,
  partitions,
  assets,
  commitIntervalMs: Number(options['commit-ms']),
  fullPerSecond,
  perSecond,
  recordToLiveMs: quantiles(live.latencies),
  /** The longest wait of each half second. */
  worstByHalfSecondMs: quantiles(live.halfSeconds.worst),
  stalls: live.halfSeconds.stalls,
  recordToDerivedMs: quantiles(derived.latencies),
  stalenessMs: quantiles(live.staleness),
  restartMs,
  live: { ...live.counts, silent: live.silent, caughtUpMs, behindAtEnd: live.behind },
  surprises: processes.flatMap((one) => one.surprises),
};
console.log(options.json ? JSON.stringify(report) : report);

function member(name: string): GridfoldProcess {
  return new GridfoldProcess(name, dir, {
    GRIDFOLD_KAFKA_BROKERS: broker.bootstrap,
    GRIDFOLD_KAFKA_TOPIC_PREFIX: prefix,
    GRIDFOLD_KAFKA_GROUP_ID: prefix,
    GRIDFOLD_PARTITIONS: String(partitions),
    GRIDFOLD_COMMIT_INTERVAL_MS: options['commit-ms'],
    GRIDFOLD_TABLES: 'off',
    GRIDFOLD_LOG_LEVEL: 'info',
  });
}

/** All partitions of all actor types are live, and nothing waits. */
async function settled(): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  for (let why = 'nothing'; ; await pause(50)) {
    try {
      const door = await processes[0].door();
      if (door === null) why = 'does not serve';
      else {
        const { partitions: held, incomplete } = await ask<Pipeline>({ name: 'p0', ...door }, '/v1/pipeline');
        const live = held.filter(({ phase }) => phase === 'live');
        const lag = held.reduce((sum, one) => sum + one.lag.telemetry, 0);
        why = `${live.length} live, lag ${lag}`;
        if (incomplete === undefined && live.length === 2 * partitions && held.length === live.length && lag === 0)
          return;
      }
    } catch (error) {
      why = String(error);
    }
    if (performance.now() > deadline) throw new Error(`not settled: ${why}`);
  }
}

/** How long it takes until the client shows all that is folded; 30 s is given up. */
async function caughtUp(): Promise<number> {
  const began = performance.now();
  while (live.behind > 0 && performance.now() - began < 30_000) await pause(20);
  return Math.round(performance.now() - began);
}

/** Records per second of a burst, from its first record to the last one's commit. */
async function fullLoad(): Promise<number> {
  const began = performance.now();
  let records = 0;
  let pending: { key: Uint8Array; value: Uint8Array }[][] = [];
  const flush = async () => {
    await Promise.all(pending.map((list, p) => log.append(topics.telemetry, p, list)));
    pending = Array.from({ length: partitions }, () => []);
  };
  await flush();
  const steps = FULL_RECORDS / assets;
  // Of the last minutes: months of silence before the steady load would be the load.
  const first = Date.now() - steps * CADENCE_MS;
  for (const { key: serial, value } of referenceLoad({ assets, steps, late: 0, duplicate: 0 })) {
    const { key, partition } = homeOf(serial, partitions);
    setDeviceTime(value, first + Math.floor(records / assets) * CADENCE_MS);
    pending[partition].push({ key, value });
    if (++records % 4000 === 0) await flush();
  }
  await flush();
  await settled();
  return Math.round((1000 * records) / (performance.now() - began));
}

async function urlsNow(): Promise<string[]> {
  const doors = await Promise.all(processes.map((one) => one.door()));
  return doors.flatMap((door) => (door === null ? [] : [door.url]));
}

/** Stops and starts each process under load; returns how long each was away, until all was settled again. */
async function roll(): Promise<number[]> {
  const took: number[] = [];
  for (const one of processes) {
    const began = performance.now();
    const stopping = one.stop();
    const url = (await one.door())?.url;
    urls = urls.filter((other) => other !== url);
    await stopping;
    one.start();
    await one.serves();
    await allLive();
    took.push(Math.round(performance.now() - began));
    urls = await urlsNow();
    await pause(3_000);
  }
  return took;
}

/** All partitions are live, whatever waits in them. */
async function allLive(): Promise<void> {
  for (const deadline = performance.now() + SETTLE_WITHIN_MS; performance.now() < deadline; await pause(50)) {
    const door = await processes[0].door();
    if (door === null) continue;
    const pipeline = await ask<Pipeline>({ name: 'p0', ...door }, '/v1/pipeline').catch(() => null);
    if (pipeline === null || pipeline.incomplete !== undefined) continue;
    const held = pipeline.partitions;
    if (held.length === 2 * partitions && held.every(({ phase }) => phase === 'live')) return;
  }
  throw new Error('not all partitions are live');
}

function quantiles(values: readonly number[]) {
  const sorted = Float64Array.from(values).sort();
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) ?? null };
}
