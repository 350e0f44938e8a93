/**
 * Recovery: a process under full load is killed with SIGKILL after more than one default snapshot interval; how long
 * does the next one take from its start to the first replayed record, and to live?
 *
 *   node bench/recovery.ts [--assets 100000] [--seconds 45] [--json]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../runtime/kernel/clock.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';
import { referenceLoad } from './reference-load.ts';
import { machine } from './report.ts';
import { benchRuntime } from './runtime.ts';

const { values } = parseArgs({
  options: {
    assets: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '45' },
    child: { type: 'string' },
    load: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const began = performance.timeOrigin;

/** Runs the engine on `dir`; prints when it replays, when it is live, and how many records that were. */
async function subject(dir: string): Promise<void> {
  const log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions: 4, clock: systemClock });
  let firstReplay = 0;
  let replayed = 0;
  const runtime = benchRuntime(log, dir, (_partition, phase, detail) => {
    if (phase === 'replaying' && firstReplay === 0) firstReplay = Date.now() - began;
    if (phase === 'live') replayed += Number(detail.replayed);
  });
  await runtime.start([]);
  console.log(
    JSON.stringify({ firstReplayMs: Math.round(firstReplay), liveMs: Math.round(Date.now() - began), replayed }),
  );
  if (!values.load) return void process.exit(0);
  const batch: { key: string; value: Uint8Array }[] = [];
  for (const record of referenceLoad({ assets: Number(values.assets), steps: 1_000_000 })) {
    if (batch.push(record) < 4000) continue;
    await runtime.produce('telemetry', batch.splice(0));
    // Full load: the producer keeps a second of work ahead of the fold, no more.
    while (runtime.shards.reduce((sum, shard) => sum + shard.lag('telemetry'), 0) > 100_000) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function run(dir: string, load: boolean, killAfterMs: number | null): Promise<string> {
  const args = [import.meta.filename, '--child', dir, '--assets', values.assets, ...(load ? ['--load'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  if (killAfterMs !== null) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  return new Promise((resolve) => child.on('close', () => resolve(out.trim())));
}

if (values.child !== undefined) {
  await subject(values.child);
} else {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-recovery-'));
  await run(dir, true, Number(values.seconds) * 1000);
  const recovery = JSON.parse(await run(dir, false, null));
  const report = {
    machine: machine(),
    assets: Number(values.assets),
    loadedSeconds: Number(values.seconds),
    ...recovery,
  };
  console.log(values.json ? JSON.stringify(report) : report);
  rmSync(dir, { recursive: true });
}
