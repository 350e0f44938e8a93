/**
 * The whole path: JSON bytes in the log -> committed state and derived events in the log, one process, against
 * JSON.parse (UTF-8 decoding included) of the same bytes in the same run.
 *
 *   node bench/engine.ts [--assets 10000] [--steps 100] [--runs 5] [--cadence-s 10] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../runtime/kernel/clock.ts';
import { type AppendRecord, type Log, topics } from '../runtime/log/contract.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';
import { homeOf } from '../runtime/system/assets.ts';
import { machine, spread } from './report.ts';
import { benchRuntime } from './runtime.ts';
import { referenceLoad } from './reference-load.ts';

const { values } = parseArgs({
  options: {
    assets: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '100' },
    runs: { type: 'string', default: '5' },
    partitions: { type: 'string', default: '4' },
    'cadence-s': { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const [assets, steps, runs, partitions] = [values.assets, values.steps, values.runs, values.partitions].map(Number);
const cadenceMs = Number(values['cadence-s']) * 1000;

interface Figures {
  readonly records: number;
  readonly bytes: number;
  readonly events: number;
  readonly deadLetters: number;
  readonly engineS: number;
  readonly parseS: number;
}

async function fill(log: Log): Promise<{ records: number; bytes: number }> {
  let pending: AppendRecord[][] = Array.from({ length: partitions }, () => []);
  let records = 0;
  let bytes = 0;
  const flush = async () => {
    await Promise.all(pending.map((list, p) => (list.length > 0 ? log.append(topics.telemetry, p, list) : null)));
    pending = pending.map(() => []);
  };
  for (const { key: serial, value } of referenceLoad({ assets, steps, cadenceMs })) {
    const { key, partition } = homeOf(serial, partitions);
    pending[partition].push({ key, value });
    bytes += value.length;
    if (++records % 4000 === 0) await flush();
  }
  await flush();
  return { records, bytes };
}

/** Reads everything and parses every value: what any consumer in JavaScript has to do at the least. */
async function parseAll(log: Log): Promise<number> {
  let seconds = 0;
  let checksum = 0;
  for (let p = 0; p < partitions; p++) {
    for (let from = 0, end = log.extent(topics.telemetry, p).end; from < end; ) {
      for (const batch of await log.read(topics.telemetry, p, from, 1 << 20)) {
        const buffer = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.length);
        const began = performance.now();
        for (let i = 0; i < batch.count; i++)
          checksum += JSON.parse(buffer.toString('utf8', batch.valueStart[i], batch.valueEnd[i])).deviceTime;
        seconds += (performance.now() - began) / 1000;
        from = batch.baseOffset + batch.count;
      }
    }
  }
  if (checksum === 0) throw new Error('nothing was parsed');
  return seconds;
}

async function runOnce(): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-bench-'));
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions, clock: systemClock });
  const { records, bytes } = await fill(log);
  const parseS = await parseAll(log);
  const runtime = benchRuntime(log, dir);
  const began = performance.now();
  await runtime.start([]);
  await Promise.all(runtime.shards.map((s) => s.reached('telemetry', log.extent(topics.telemetry, s.partition).end)));
  const engineS = (performance.now() - began) / 1000;
  const count = (topic: string) => runtime.shards.reduce((n, s) => n + log.extent(topic, s.partition).end, 0);
  const figures = {
    records,
    bytes,
    events: count(topics.derived),
    deadLetters: count(topics.deadLetters),
    engineS,
    parseS,
  };
  await runtime.stop();
  await log.close();
  rmSync(dir, { recursive: true });
  return figures;
}

const all: Figures[] = [];
for (let i = 0; i <= runs; i++) {
  const figures = await runOnce();
  if (i > 0) all.push(figures);
}
const [{ records, bytes, events, deadLetters }] = all;
const report = {
  machine: machine(),
  load: {
    assets,
    records,
    bytesPerRecord: Math.round(bytes / records),
    eventsPerRecord: events / records,
    deadLetters,
  },
  enginePerS: spread(all.map((f) => f.records / f.engineS)),
  parsePerS: spread(all.map((f) => f.records / f.parseS)),
  ratio: spread(all.map((f) => f.parseS / f.engineS)),
};
console.log(values.json ? JSON.stringify(report) : report);
