/**
 * State of a large fleet: bytes per asset in the process, snapshot of all assets changed (duration, longest pause of
 * the event loop), time to open again and to load a block.
 *
 *   node --expose-gc bench/snapshot.ts [--assets 1000000] [--partitions 4] [--blocks 1024] [--rounds 5] [--json]
 *
 * Columns: those every asset has, and eight numbers, as the reference Powerwall reading of eight fields writes them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { arch, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { murmur2, partitionOf } from '../runtime/kernel/hash.ts';
import { assetColumns } from '../runtime/shard/columns.ts';
import type { Block } from '../snapshots/block.ts';
import type { PartitionState } from '../snapshots/contract.ts';
import { type Cursor, cursorFactory } from '../snapshots/cursor.ts';
import { defineState, type StateSchema } from '../snapshots/schema.ts';
import { openPartitionState } from '../snapshots/open.ts';

const { values: args } = parseArgs({
  options: {
    assets: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '4' },
    blocks: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    reopen: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [assets, partitions, blocks, rounds] = [args.assets, args.partitions, args.blocks, args.rounds].map(Number);

const FIELDS = ['soc', 'battery', 'solar', 'load', 'site', 'volts', 'hertz', 'energy'] as const;
const number = { type: 'f64', doc: 'A number of the reference reading' } as const;
const reference = defineState('reference', 1, {
  ...assetColumns,
  soc: number,
  battery: number,
  solar: number,
  load: number,
  site: number,
  volts: number,
  hertz: number,
  energy: number,
});
type Reference = (typeof reference)['columns'];
const schema = reference as unknown as StateSchema;

function memory(): { rss: number; anonymous: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const status = readFileSync('/proc/self/status', 'latin1');
  const anonymous = Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  return { rss: process.memoryUsage.rss(), anonymous };
}

/** Lets the young generation grow to its full size, so that it is not counted as memory of the assets. */
function warmUp(): void {
  let kept: object[] = [];
  for (let i = 0; i < 20_000_000; i++) {
    kept.push({ i });
    if (kept.length === 400_000) kept = [];
  }
}

function fill(states: PartitionState[]): void {
  const cursor = cursorFactory<Reference>(reference)();
  for (let i = 0; i < assets; i++) {
    const serial = Buffer.from(`TG121${String(i).padStart(9, '0')}`);
    const hash = murmur2(serial);
    const state = states[partitionOf(hash, partitions)];
    const block = state.blockOrCreate((Math.imul(hash, 0x9e3779b1) >>> 8) % state.blocksPerKind, schema);
    state.change(block);
    cursor.attach(block, block.add(serial, 0, serial.length, hash));
    write(cursor, i);
  }
}

function write(cursor: Cursor<Reference>, i: number): void {
  cursor.lastDeviceTime = 1.9e12 + i;
  cursor.lastReceiveTime = 1.9e12 + i + 250;
  cursor.heardAt = 1.9e12 + i + 300;
  cursor.due = 1.9e12 + i + 900_000;
  cursor.fresh = 255;
  cursor.revision = 1 + (i % 1000);
  cursor.applied = 1 + (i % 1000);
  cursor.duplicates = i % 100 === 0 ? 1 : 0;
  cursor.late = i % 100 === 1 ? 1 : 0;
  for (const [k, field] of FIELDS.entries()) cursor[field] = Math.sin(i + k) * 5000;
}

/** Runs `work` and returns its duration and the longest time between two turns of the loop meanwhile. */
async function watched(work: () => Promise<unknown>): Promise<{ ms: number; pauseMs: number }> {
  let running = true;
  const started = performance.now();
  const done = work().finally(() => {
    running = false;
  });
  let last = started;
  let pauseMs = 0;
  while (running) {
    await nextTurn();
    const now = performance.now();
    pauseMs = Math.max(pauseMs, now - last);
    last = now;
  }
  await done;
  return { ms: performance.now() - started, pauseMs };
}

function residents(state: PartitionState): Block[] {
  return state.blockIds().map((id) => state.block(id)!);
}

const resolved = Promise.resolve();
const meta = (round: number) => ({ position: Uint8Array.of(round), versions: { reference: 'reference@1' } });

/** Snapshot of everything changed; with `busy`, every block is changed again in one turn just after the cut. */
async function snapshotAll(states: PartitionState[], round: number, busy: boolean) {
  for (const state of states) for (const block of residents(state)) state.change(block);
  let bytes = 0;
  let cutMs = 0;
  let copyMs = 0;
  const { ms, pauseMs } = await watched(async () => {
    const cutStarted = performance.now();
    const running = states.map((state) => state.snapshot(meta(round), resolved));
    cutMs = performance.now() - cutStarted;
    if (busy) {
      for (const state of states) {
        await nextTurn();
        const copyStarted = performance.now();
        for (const block of residents(state)) state.change(block);
        copyMs = Math.max(copyMs, performance.now() - copyStarted);
      }
    }
    for (const figures of await Promise.all(running)) bytes += figures.bytes;
  });
  return { ms, pauseMs, cutMs, copyMs, bytes };
}

const root = args.reopen ?? mkdtempSync(join(tmpdir(), 'gridfold-bench-'));
const open = (i: number, startEmpty = false) =>
  openPartitionState({
    dir: join(root, `p${i}`),
    schemas: [schema],
    blocksPerKind: blocks,
    startEmpty,
    message: console.error,
  });

interface Reopened {
  bytesPerAsset: number;
  openMs: number[];
  verifyMs: number[];
  loadUs: number[];
}

/** Opens what was written in a process of its own, which prints a Reopened. */
function reopen(): Reopened {
  const own = fileURLToPath(import.meta.url);
  const options = ['--assets', `${assets}`, '--partitions', `${partitions}`, '--blocks', `${blocks}`, '--reopen', root];
  return JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', own, ...options], { maxBuffer: 2 ** 26 }).toString(),
  );
}

async function reopenHere(): Promise<Reopened> {
  warmUp();
  const before = memory();
  const [openMs, verifyMs, loadUs]: number[][] = [[], [], []];
  const states: PartitionState[] = [];
  for (let i = 0; i < partitions; i++) {
    let started = performance.now();
    const state = await open(i);
    openMs.push(performance.now() - started);
    for (const id of state.blockIds()) {
      started = performance.now();
      state.block(id);
      loadUs.push((performance.now() - started) * 1000);
    }
    states.push(state);
  }
  const bytesPerAsset = (memory().anonymous - before.anonymous) / assets;
  for (const state of states) {
    const started = performance.now();
    const { corrupt } = await state.verify();
    verifyMs.push(performance.now() - started);
    if (corrupt.length > 0) throw new Error(`${corrupt.length} damaged blocks`);
  }
  const loaded = states.reduce((sum, state) => sum + state.assets, 0);
  if (loaded !== assets) throw new Error(`${loaded} assets came back`);
  for (const state of states) await state.close();
  return { bytesPerAsset, openMs, verifyMs, loadUs };
}

const spread = (values: number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
};
const show = ({ median, min, max }: ReturnType<typeof spread>, digits = 0) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)} .. ${max.toFixed(digits)})`;

if (args.reopen) {
  process.stdout.write(JSON.stringify(await reopenHere()));
  process.exit(0);
}

try {
  let states: PartitionState[] = [];
  for (let i = 0; i < partitions; i++) states.push(await open(i));
  warmUp();
  const before = memory();
  fill(states);
  const after = memory();
  const perAsset = {
    rss: (after.rss - before.rss) / assets,
    anonymous: (after.anonymous - before.anonymous) / assets,
    columns: states.reduce((sum, state) => sum + state.residentBytes, 0) / assets,
  };
  const quiet = [];
  for (let round = 0; round < rounds; round++) quiet.push(await snapshotAll(states, round, false));
  const afterSnapshots = memory();
  const busy = [];
  for (let round = 0; round < rounds; round++) busy.push(await snapshotAll(states, round, true));
  for (const state of states) await state.close();
  states = [];

  const reopened = reopen();

  const result = {
    machine: {
      cpu: cpus()[0].model,
      cores: cpus().length,
      arch: arch(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    input: { assets, partitions, blocks, rounds },
    bytesPerAsset: {
      ...perAsset,
      withSnapshotsWritten: (afterSnapshots.anonymous - before.anonymous) / assets,
      restored: reopened.bytesPerAsset,
    },
    snapshot: {
      bytes: quiet[0].bytes,
      ms: spread(quiet.map((r) => r.ms)),
      longestPauseMs: spread(quiet.map((r) => r.pauseMs)),
      cutMs: spread(quiet.map((r) => r.cutMs)),
    },
    snapshotWhileAllIsChanged: {
      ms: spread(busy.map((r) => r.ms)),
      longestPauseMs: spread(busy.map((r) => r.pauseMs)),
      copyOnePartitionMs: spread(busy.map((r) => r.copyMs)),
    },
    reopen: {
      msPerPartition: spread(reopened.openMs),
      verifyMsPerPartition: spread(reopened.verifyMs),
      blockLoadUs: spread(reopened.loadUs),
    },
  };
  if (args.json) console.log(JSON.stringify(result, null, 2));
  else {
    const { machine } = result;
    console.log(
      `${machine.cpu}, ${machine.cores} cores ${machine.arch}, ${machine.memoryGiB} GiB, Node ${machine.node}`,
    );
    console.log(`${assets} assets, ${partitions} partitions x ${blocks} blocks, ${rounds} rounds; median (min .. max)`);
    console.log(
      `bytes per asset: blocks ${perAsset.columns.toFixed(0)}, process ${perAsset.anonymous.toFixed(0)} (rss ${perAsset.rss.toFixed(0)}), after snapshots ${result.bytesPerAsset.withSnapshotsWritten.toFixed(0)}, restored and all loaded ${reopened.bytesPerAsset.toFixed(0)}`,
    );
    console.log(
      `snapshot of all changed: ${(result.snapshot.bytes / 1e6).toFixed(0)} MB in ${show(result.snapshot.ms)} ms, longest pause ${show(result.snapshot.longestPauseMs, 1)} ms, cut ${show(result.snapshot.cutMs, 1)} ms`,
    );
    console.log(
      `  while all is changed again: ${show(result.snapshotWhileAllIsChanged.ms)} ms, longest pause ${show(result.snapshotWhileAllIsChanged.longestPauseMs, 1)} ms, copy of one partition ${show(result.snapshotWhileAllIsChanged.copyOnePartitionMs, 1)} ms`,
    );
    console.log(
      `open a partition ${show(result.reopen.msPerPartition, 1)} ms, verify it ${show(result.reopen.verifyMsPerPartition)} ms, load a block ${show(result.reopen.blockLoadUs)} us`,
    );
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
