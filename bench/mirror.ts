/**
 * A partition that moves to a process without its directory: how long does the snapshots topic take to be written and
 * to be restored from, up to live, and how large is it? One partition on the embedded log.
 *
 *   node bench/mirror.ts [--assets 100000] [--steps 10] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deviceType } from '../actors/device/index.ts';
import { systemClock } from '../runtime/kernel/clock.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';
import type { MirrorFigures } from '../runtime/shard/mirror.ts';
import { Runtime } from '../runtime/system/runtime.ts';
import { referenceLoad } from './reference-load.ts';
import { machine } from './report.ts';
import { benchOptions } from './runtime.ts';

const { values } = parseArgs({
  options: {
    assets: { type: 'string', default: '100000' },
    steps: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});

const dir = mkdtempSync(join(tmpdir(), 'gridfold-mirror-'));
const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 1, clock: systemClock });
const published: MirrorFigures[] = [];
const phases: { phase: string; at: number }[] = [];

function open(process: string): Runtime {
  const options = benchOptions(log, join(dir, process), (_partition, phase) => {
    phases.push({ phase, at: performance.now() });
  });
  return new Runtime({
    ...options,
    mirror: true,
    observer: (type) => ({
      ...options.observer(type),
      mirrored: (_partition, figures) => void published.push(figures),
    }),
  });
}

async function load(runtime: Runtime, seed: number): Promise<void> {
  const batch: { key: string; value: Uint8Array }[] = [];
  for (const record of referenceLoad({ assets: Number(values.assets), steps: Number(values.steps), seed })) {
    if (batch.push(record) < 4000) continue;
    await runtime.produce(deviceType.topics.readings as 'telemetry', batch.splice(0));
    while (runtime.shards[0].lag('telemetry') > 100_000) await new Promise((resolve) => setImmediate(resolve));
  }
  await runtime.produce('telemetry', batch);
  await runtime.settled();
}

const first = open('A');
await first.start([]);
await load(first, 1);
await first.stop();
phases.length = 0;
const began = performance.now();
const cpu = process.cpuUsage();
const second = open('B');
await second.start([]);
const liveMs = performance.now() - began;
const { user, system } = process.cpuUsage(cpu);
const assets = second.shards[0].fold.state.assets;
await second.stop();
const extent = log.extent(deviceType.topics.snapshots, 0);
await log.close();
rmSync(dir, { recursive: true });
const report = {
  machine: machine(),
  assets,
  records: Number(values.assets) * Number(values.steps),
  published: published.map((f) => ({ ...f, durationMs: Math.round(f.durationMs) })),
  topicRecords: extent.end - extent.start,
  liveMs: Math.round(liveMs),
  liveCpuMs: Math.round((user + system) / 1000),
  phases: phases.map(({ phase, at }) => `${phase} ${Math.round(at - began)}`),
};
console.log(values.json ? JSON.stringify(report) : report);
