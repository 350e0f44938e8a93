import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deviceMachines, deviceType } from '../../actors/device/index.ts';
import type { Sink, SinkBatch } from '../../actors/sinks/contract.ts';
import { openDuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import { SinkRunner } from '../../actors/sinks/runner.ts';
import { startServer } from '../../api/server.ts';
import { audit } from '../../cli/assembly/audit.ts';
import { Client } from '../../cli/client.ts';
import { Delivery } from '../../cli/deliver.ts';
import { createLog } from '../../cli/log.ts';
import { recordsOfSource } from '../../cli/records.ts';
import { Door } from '../../codec/door.ts';
import { systemClock as clock } from '../../runtime/kernel/clock.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import { createMetrics } from '../../runtime/system/metrics.ts';
import { tablesOf } from '../../runtime/shard/derived.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { createFleet } from '../../sim/fleet/index.ts';

export interface SoakOptions {
  readonly dir: string;
  /** How long the sink and the clients stand still under load. */
  readonly seconds: number;
  readonly assets: number;
  readonly recordsPerSecond: number;
  readonly clients: number;
  /** The sink takes its rows all the time: what memory does without a stall. */
  readonly flowing?: boolean;
  readonly sampleMs: number;
  readonly tell?: (sample: Sample) => void;
}

export interface Sample {
  readonly second: number;
  readonly rssMb: number;
  /** After a full collection: what is really held. */
  readonly heapMb: number;
  readonly sinkLag: number;
  /** Of clients that read nothing. */
  readonly subscriptions: number;
  readonly sent: number;
}

export interface SoakReport {
  readonly samples: readonly Sample[];
  readonly sent: number;
  /** Times that a client which never reads was let in again after it had been put out. */
  readonly reconnects: number;
  /** Derived events that waited in the log for the sink. */
  readonly waited: number;
  readonly auditOk: boolean;
  readonly rows: number;
  readonly logEnd: number;
  readonly errors: readonly string[];
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A target that holds every commit back until it is let go, as one does that hangs. */
function stalled(sink: Sink): { sink: Sink; resume(): void } {
  const gate = Promise.withResolvers<void>();
  const held: Sink = {
    name: sink.name,
    open: () => sink.open(),
    ledger: () => sink.ledger(),
    write: async (batches: readonly SinkBatch[]) => {
      await gate.promise;
      await sink.write(batches);
    },
    audit: () => sink.audit(),
    close: () => sink.close(),
  };
  return { sink: held, resume: () => gate.resolve() };
}

/** The whole app under load, with a sink that takes nothing and live clients that read nothing; then the sink goes on. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { dir, seconds, assets, recordsPerSecond, sampleMs } = options;
  const errors: string[] = [];
  const logger = createLog('error', { write: (text) => errors.push(text) });
  const metrics = createMetrics({ version: 'soak' });
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 4, clock });
  const duckDb = await openDuckDbSink({ file: join(dir, 'olap.duckdb'), types: tablesOf([deviceType]), clock });
  const target = stalled(duckDb);
  const runtime = new Runtime({
    types: [deviceType],
    log,
    clock,
    dataDir: dir,
    commitIntervalMs: 500,
    snapshotIntervalMs: 5_000,
    snapshotRecords: 1_000_000,
    horizonMs: 86_400_000,
    blocksPerKind: 64,
    maxResidentBytes: 1 << 30,
    windowBytesPerBlock: 4 << 20,
    silenceOutageMs: 120_000,
    silenceGraceMs: 300_000,
    retentionMs: 7 * 86_400_000,
    retentionBytes: null,
    observer: () => ({
      phase() {},
      committed() {},
      snapshot() {},
      folded() {},
      quarantined: (_p, _k, serial, error) => errors.push(`${serial}: ${error}`),
      failed: (partition, error) => errors.push(`partition ${partition}: ${error}`),
    }),
    message: (level, text) => level === 'error' && errors.push(text),
  });
  if (options.flowing === true) target.resume();
  const runner = new SinkRunner({ parent: runtime.system as never, log, sink: target.sink, clock });
  await runner.start();
  const name = duckDb.name;
  await runtime.start([
    { name, status: () => runner.status(), drained: () => runner.drained(), next: (p) => runner.next(p) },
  ]);
  const door = new Door(deviceType.kinds);
  const server = await startServer({
    engine: runtime,
    tables: duckDb,
    config: { host: '127.0.0.1', port: 0 },
    classify: (line) => {
      const outcome = door.classify(line, 0, line.length, clock.now());
      return 'topic' in outcome ? { topic: outcome.topic, key: Buffer.from(outcome.key).toString() } : outcome;
    },
    log: logger,
    metrics,
    machines: deviceMachines,
    audit: async () => ({ ...(await audit(log, [duckDb])) }),
    deadLetters: async () => ({ items: [], next: null }),
  });

  const client = new Client(server.url, null);
  const deaf = new DeafClients(server.url, options.clients);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1_000;
  const samples: Sample[] = [];
  let sent = 0;
  const sample = async () => {
    const text = await metrics.scrape();
    const subscriptions = Number(/^gridfold_live_subscriptions (\d+)/m.exec(text)?.[1] ?? 0);
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    const one = {
      second: Math.round(elapsed()),
      rssMb: Math.round(rss / 1e6),
      heapMb: Math.round(heapUsed / 1e5) / 10,
      sinkLag: runner.status().lag,
      subscriptions,
      sent,
    };
    samples.push(one);
    options.tell?.(one);
  };
  const sampling = setInterval(() => void sample(), sampleMs);
  for await (const records of load(assets, recordsPerSecond, elapsed)) {
    sent += (await new Delivery(client).run(recordsOfSource(records))).accepted;
    if (elapsed() >= seconds) break;
  }
  clearInterval(sampling);
  await sample();
  const waited = runner.status().lag;
  deaf.close();
  target.resume();
  await runtime.settled();
  const report = await audit(log, [duckDb]);
  const rows = report.sinks.reduce((sum, row) => sum + row.rows, 0);
  client.close();
  await server.close();
  await runtime.stop();
  await runner.stop();
  const logEnd = endOf(log);
  await log.close();
  return { samples, sent, reconnects: deaf.reconnects, waited, auditOk: report.ok, rows, logEnd, errors };
}

/** Growth per minute by least squares over the samples after the first third, when everything is warm. */
export function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const warm = samples.slice(Math.floor(samples.length / 3));
  const mean = (value: (sample: Sample) => number) => warm.reduce((sum, s) => sum + value(s), 0) / warm.length;
  const [t, m] = [mean((s) => s.second), mean(of)];
  const spread = warm.reduce((sum, s) => sum + (s.second - t) ** 2, 0);
  return (60 * warm.reduce((sum, s) => sum + (s.second - t) * (of(s) - m), 0)) / spread;
}

function endOf(log: Log): number {
  let end = 0;
  for (let p = 0; p < log.partitions; p++) end += log.extent(topics.derived, p).end;
  return end;
}

/** A fleet's readings at a steady rate: their time runs faster than ours, and begins days ago. */
async function* load(assets: number, recordsPerSecond: number, elapsed: () => number) {
  const cadenceMs = 60_000;
  const start = Date.now() - 3 * 86_400_000;
  const fleet = createFleet({ seed: 1, assets, cadenceMs, startTime: start });
  yield fleet.lifecycleRecords();
  const stepMs = 5_000;
  const stepSeconds = (assets * stepMs) / cadenceMs / recordsPerSecond;
  for (let step = 1; ; step++) {
    const early = step * stepSeconds - elapsed();
    if (early > 0) await pause(early * 1_000);
    yield fleet.tick(start + step * stepMs);
  }
}

/** Live clients that subscribe to everything and never read a byte. Put out for it, they come again. */
class DeafClients {
  readonly #url: URL;
  readonly #sockets = new Set<Socket>();
  #closed = false;
  reconnects = 0;

  constructor(url: string, count: number) {
    this.#url = new URL(url);
    for (let i = 0; i < count; i++) this.#connect();
  }

  #connect(): void {
    const { hostname, port, host } = this.#url;
    const socket = createConnection({ host: hostname, port: Number(port) });
    this.#sockets.add(socket);
    socket.pause();
    socket.write(
      `GET /v1/live HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: assetlive.v1.json\r\n\r\n',
    );
    socket.write(frame({ t: 'hello', v: 1 }));
    socket.write(frame({ t: 'sub', id: 'all', select: { filter: 'in(kind,(powerwall,inverter))' } }));
    // A peer that is put out without reading: reset or end, whichever comes.
    socket.on('error', () => {});
    // Who does not read learns only by writing that nobody listens any more.
    const knocking = setInterval(() => socket.write(frame({ t: 'pong', n: 0 })), 1_000);
    socket.on('close', () => {
      clearInterval(knocking);
      this.#sockets.delete(socket);
      if (this.#closed) return;
      this.reconnects += 1;
      setTimeout(() => this.#closed || this.#connect(), 200);
    });
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A masked text frame of at most 65,535 bytes. */
function frame(value: unknown): Uint8Array {
  const text = Buffer.from(JSON.stringify(value));
  const head = text.length < 126 ? [0x81, 0x80 | text.length] : [0x81, 0xfe, text.length >> 8, text.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), text]);
}
