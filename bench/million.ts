/**
 * A million Powerwalls through the partition fold: memory per asset, time per event against smaller fleets, and a
 * snapshot of all of them changed.
 *
 *   node bench/million.ts [--sizes 10000,100000,1000000] [--runs 3] [--rounds 16] [--snapshots 5] [--gap-s 15] [--json]
 *
 * Snapshots follow each other after a gap, since the database puts in order what the one before wrote; 0 is the worst case.
 *
 * Every figure comes from a process of its own, sizes in turns. Each asset reports the reference fields every 10 s, all
 * in order, assets in random order within a round; rounds lie within one quarter of an hour, so that fleets of all sizes
 * have the same share of facts. Timed: the fold with its index, window and facts, after JSON (`json`) or after a reading
 * that lies ready (`decoded`); not timed: making records, disk writes of windows beside it. Read the ratios.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { deviceType } from '../actors/device/index.ts';
import { murmur2, partitionOf } from '../runtime/kernel/hash.ts';
import type { RecordBatch } from '../runtime/log/contract.ts';
import type { ActorType, ReadingDecoder } from '../runtime/shard/contract.ts';
import { PartitionFold } from '../runtime/shard/fold.ts';
import { encodePosition, startPosition } from '../runtime/shard/position.ts';
import type { Reading } from '../runtime/shard/reading.ts';
import type { PartitionState } from '../snapshots/contract.ts';
import { openPartitionState } from '../snapshots/open.ts';
import { LOAD_START, serialOf } from './reference-load.ts';
import { machine, spread } from './report.ts';

const { values: args } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000,1000000' },
    runs: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '16' },
    snapshots: { type: 'string', default: '5' },
    'gap-s': { type: 'string', default: '15' },
    child: { type: 'string' },
    root: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(args.rounds);
const PARTITIONS = 4;
const BLOCKS = 1024;
const BATCH = 2000;
const STEP_MS = 10_000;
/** Rounds after which nothing is new to an asset any more. */
const WARM_ROUNDS = 2;
/** Rounds that fit into a quarter of an hour; small fleets take several turns of `ROUNDS` of them. */
const MAX_ROUNDS = 85;

type Mode = 'json' | 'decoded' | 'every-column' | 'restored';

interface Result {
  readonly nsPerEvent: number[];
  readonly factsPerEvent: number;
  readonly bytesPerAsset: Memory;
  readonly snapshots: { ms: number; pauseMs: number; delayMaxMs: number; bytes: number }[];
  /** The same fleet in a process that found it on disk; null where that was not asked for. */
  readonly restored: Result | null;
}

/** Bytes by asset: growth of private memory at three moments, and where it is at the second. */
interface Memory {
  readonly filled: number;
  readonly folded: number;
  readonly snapshots: number;
  /** Columns, serials and indexes, unused room of blocks included. */
  readonly blocks: number;
  /** Buffers beside the blocks: tails of windows, for the most part. */
  readonly otherBuffers: number;
  readonly heap: number;
  /** LevelDB, and what the allocator holds in reserve. */
  readonly native: number;
}

const kind = deviceType.kinds.findIndex((k) => k.name === 'powerwall');
const fieldIndex = (name: string) => deviceType.kinds[kind].fields.findIndex((f) => f.name === name);
const FIELDS = ['powerW', 'soc', 'energyOutWh', 'energyInWh', 'siteW', 'loadW', 'solarW', 'gridStatus'];
const AT = FIELDS.map(fieldIndex);
const PRESENT = AT.reduce((mask, i) => mask | (1 << i), 0);
const WIDTH = FIELDS.length + 1;

/** Readings of a batch that need no decoding: time and fields, one row per record. */
const ready = { rows: new Float64Array(BATCH * WIDTH), next: 0 };

function readyDecoder(): ReadingDecoder {
  const decoder = {
    serialBytes: new Uint8Array(0) as Uint8Array,
    serialStart: 0,
    serialEnd: 0,
    reasons: ['ok'],
    problems: new Map<string, number>(),
    decode(bytes: Uint8Array, start: number, end: number, _timestamp: number, reading: Reading) {
      const at = ready.next++ * WIDTH;
      decoder.serialBytes = bytes;
      decoder.serialStart = start;
      decoder.serialEnd = end;
      reading.kind = kind;
      reading.deviceTime = ready.rows[at];
      reading.receiveTime = reading.deviceTime + 250;
      reading.txid = 0;
      reading.seqNo = -1;
      reading.resend = false;
      reading.present = PRESENT;
      reading.invalid = 0;
      reading.extra = null;
      for (let i = 0; i < AT.length; i++) reading.values[AT[i]] = ready.rows[at + 1 + i];
      return 0;
    },
  };
  return decoder;
}

/** Fleet of `assets` in partitions of their own, with what is needed to make its records. */
class Fleet {
  readonly mode: Mode;
  readonly states: readonly PartitionState[];
  readonly folds: readonly PartitionFold[];
  /** Assets by partition, shuffled. */
  readonly order: readonly Uint32Array[];
  readonly #keys = Buffer.allocUnsafeSlow(BATCH * 16);
  readonly #values = Buffer.allocUnsafeSlow(BATCH * 320);
  facts = 0;

  constructor(mode: Mode, assets: number, states: readonly PartitionState[]) {
    const type: ActorType = mode === 'json' ? deviceType : { ...deviceType, createDecoder: readyDecoder };
    this.mode = mode;
    this.states = states;
    this.folds = states.map(
      (state, partition) =>
        new PartitionFold({
          type,
          partition,
          partitions: PARTITIONS,
          state,
          position: startPosition(),
          horizonMs: 86_400_000,
        }),
    );
    const homes = Uint8Array.from({ length: assets }, (_, a) =>
      partitionOf(murmur2(Buffer.from(serialOf(a))), PARTITIONS),
    );
    this.order = states.map((_, p) => shuffled(Uint32Array.from(homes.keys()).filter((a) => homes[a] === p)));
  }

  /** Every asset reports once. Returns the time of this thread that folding took, ms. */
  async round(r: number): Promise<number> {
    let spent = 0;
    for (const [p, order] of this.order.entries()) {
      for (let from = 0; from < order.length; from += BATCH) {
        const batch = this.#batch(this.folds[p], order.subarray(from, from + BATCH), LOAD_START + 1000 + r * STEP_MS);
        spent += this.#fold(this.folds[p], batch);
        await nextTurn();
      }
    }
    return spent;
  }

  #fold(fold: PartitionFold, batch: RecordBatch): number {
    ready.next = 0;
    const began = process.threadCpuUsage();
    fold.telemetry(batch, 0, batch.count, batch.timestamp);
    this.facts += fold.outputs.take().get('derived')?.length ?? 0;
    const { user, system } = process.threadCpuUsage(began);
    const spent = (user + system) / 1000;
    const { applied } = fold.tally;
    fold.tally.reset();
    if (applied !== batch.count) throw new Error(`${applied} of ${batch.count} readings were folded`);
    return spent;
  }

  #batch(fold: PartitionFold, assets: Uint32Array, time: number): RecordBatch {
    const count = assets.length;
    const [keyStart, keyEnd, valueEnd] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
    const bytes = this.mode === 'json' ? this.#values : this.#keys;
    let end = 0;
    for (let i = 0; i < count; i++) {
      keyStart[i] = keyEnd[i] = end;
      const row = ready.rows.subarray(i * WIDTH, (i + 1) * WIDTH);
      report(row, assets[i], time);
      const serial = serialOf(assets[i]);
      end += bytes.write(this.mode === 'json' ? json(serial, row) : serial, end, 'latin1');
      valueEnd[i] = end;
    }
    const baseOffset = fold.position.telemetry;
    return { baseOffset, count, timestamp: time + 500, bytes, keyStart, keyEnd, valueStart: keyEnd, valueEnd };
  }
}

/** What the asset reports at `time`: a slow wave with a phase of its own, counters that follow it. */
function report(row: Float64Array, asset: number, time: number): void {
  const hours = (time - LOAD_START) / 3_600_000;
  const angle = ((asset * 0.618_034) % 1) * Math.PI * 2 + (hours / 6) * Math.PI * 2;
  const powerW = Math.round(4000 * Math.sin(angle));
  row[0] = time;
  row[1] = powerW;
  row[2] = 0.5 - 0.4 * Math.cos(angle);
  row[3] = asset * 10 + Math.max(0, powerW) * hours;
  row[4] = asset * 9 + Math.max(0, -powerW) * hours;
  row[5] = -1000 - powerW;
  row[6] = 700 + (asset % 900);
  row[7] = 1500;
  row[8] = 0;
}

function json(serial: string, row: Float64Array): string {
  return `{"serial":"${serial}","kind":"powerwall","deviceTime":${row[0]},"txid":"${serial.slice(-4)}${row[0].toString(36)}","fields":{"powerW":${row[1]},"soc":${row[2].toFixed(4)},"energyOutWh":${row[3].toFixed(1)},"energyInWh":${row[4].toFixed(1)},"siteW":${row[5]},"loadW":${row[6]},"solarW":${row[7]},"gridStatus":"SystemGridConnected"}}`;
}

function shuffled(list: Uint32Array): Uint32Array {
  let state = 1;
  for (let i = list.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const k = Math.floor((state / 2 ** 32) * (i + 1));
    [list[i], list[k]] = [list[k], list[i]];
  }
  return list;
}

/** Private memory of the process (what the system counts as anonymous), and what V8 knows of it, in bytes. */
function memory(): { anonymous: number; buffers: number; heap: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const status = readFileSync('/proc/self/status', 'latin1');
  const { arrayBuffers, heapTotal } = process.memoryUsage();
  return {
    anonymous: Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) * 1024,
    buffers: arrayBuffers,
    heap: heapTotal,
  };
}

/** Lets the young generation grow to its full size, so that it is not counted as memory of the assets. */
function warmHeap(): void {
  let kept: object[] = [];
  for (let i = 0; i < 20_000_000; i++) if (kept.push({ i }) === 400_000) kept = [];
}

/** Every block has room for every column of the kind from the start: more an asset cannot need. */
function makeRoomForEveryColumn(states: readonly PartitionState[]): void {
  const schema = deviceType.kinds[kind].state;
  const all = schema.names.map((_, c) => c);
  for (const state of states) {
    for (let place = 0; place < BLOCKS; place++) state.blockOrCreate(kind * BLOCKS + place, schema).prepare(4, all);
  }
}

/** One snapshot of everything changed, with the longest turn of the event loop and the longest delay of a timer. */
async function snapshotAll(states: readonly PartitionState[]): Promise<Result['snapshots'][number]> {
  for (const state of states) for (const id of state.blockIds()) state.change(state.block(id)!);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  await setTimeout(50);
  delays.enable();
  const began = performance.now();
  let running = true;
  const meta = { position: encodePosition(startPosition()), versions: {} };
  const all = Promise.all(states.map((state) => state.snapshot(meta, Promise.resolve()))).finally(() => {
    running = false;
  });
  let pauseMs = 0;
  for (let last = began; running; ) {
    await nextTurn();
    const now = performance.now();
    pauseMs = Math.max(pauseMs, now - last);
    last = now;
  }
  const figures = await all;
  const ms = performance.now() - began;
  delays.disable();
  return { ms, pauseMs, delayMaxMs: delays.max / 1e6, bytes: figures.reduce((sum, f) => sum + f.bytes, 0) };
}

/** Loads what lies in `root` from the start, where there is anything; makes the folder and clears it away where not. */
async function measure(mode: Mode, assets: number): Promise<Result> {
  const root = args.root ?? mkdtempSync(join(tmpdir(), 'gridfold-million-'));
  try {
    const states = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, i) =>
        openPartitionState({
          dir: join(root, `p${i}`),
          schemas: deviceType.kinds.map((k) => k.state),
          blocksPerKind: BLOCKS,
          maxResidentBytes: 4 * 2 ** 30,
          message: (_level, text) => console.error(text),
        }),
      ),
    );
    const fleet = new Fleet(mode, assets, states);
    warmHeap();
    const before = memory();
    const perAsset = () => (memory().anonymous - before.anonymous) / assets;
    if (mode === 'every-column') makeRoomForEveryColumn(states);
    for (const state of states) for (const id of state.blockIds()) state.block(id);
    let r = mode === 'restored' ? MAX_ROUNDS : 0;
    const filledAt = mode === 'restored' ? r : WARM_ROUNDS;
    while (r < filledAt) await fleet.round(r++);
    const filled = perAsset();
    fleet.facts = 0;
    const nsPerEvent: number[] = [];
    do {
      let ms = 0;
      for (let i = 0; i < ROUNDS; i++) ms += await fleet.round(r++);
      nsPerEvent.push((ms * 1e6) / (ROUNDS * assets));
    } while (r * assets < 1_000_000 && r + ROUNDS <= MAX_ROUNDS);
    const factsPerEvent = fleet.facts / ((r - filledAt) * assets);
    const now = memory();
    const folded = (now.anonymous - before.anonymous) / assets;
    const blocks = states.flatMap((s) => s.blockIds().map((id) => s.block(id)!.bytes)).reduce((a, b) => a + b) / assets;
    const buffers = (now.buffers - before.buffers) / assets;
    const heap = (now.heap - before.heap) / assets;
    const otherBuffers = buffers - blocks;
    const snapshots: Result['snapshots'] = [];
    for (let i = 0; i < Number(args.snapshots); i++) {
      if (i > 0) await setTimeout(Number(args['gap-s']) * 1000);
      snapshots.push(await snapshotAll(states));
    }
    const native = folded - buffers - heap;
    const bytesPerAsset = { filled, folded, snapshots: perAsset(), blocks, otherBuffers, heap, native };
    for (const state of states) await state.close();
    const isStored = mode === 'decoded' && snapshots.length > 0;
    const restored = isStored ? inItsOwnProcess('restored', assets, ['--root', root, '--rounds', '2']) : null;
    return { nsPerEvent, factsPerEvent, bytesPerAsset, snapshots, restored };
  } finally {
    if (args.root === undefined) rmSync(root, { recursive: true, force: true });
  }
}

function inItsOwnProcess(mode: Mode, assets: number, others: readonly string[] = []): Result {
  const options = ['--expose-gc', import.meta.filename, '--child', `${mode}:${assets}`];
  const snapshots = mode === 'decoded' && assets >= 1_000_000 ? args.snapshots : '0';
  const passed = ['--rounds', args.rounds, '--snapshots', snapshots, '--gap-s', args['gap-s'], ...others];
  const printed = execFileSync(process.execPath, [...options, ...passed], { maxBuffer: 2 ** 24 }).toString();
  process.stderr.write(`${mode} ${assets} ${printed}`);
  return JSON.parse(printed);
}

function memoryOf(results: readonly Result[]): object | null {
  if (results.length === 0) return null;
  const parts = ['filled', 'folded', 'snapshots', 'blocks', 'otherBuffers', 'heap', 'native'] as const;
  return Object.fromEntries(parts.map((part) => [part, spread(results.map((r) => r.bytesPerAsset[part]))]));
}

if (args.child !== undefined) {
  const [mode, assets] = args.child.split(':');
  console.log(JSON.stringify(await measure(mode as Mode, Number(assets))));
} else {
  const sizes = args.sizes.split(',').map(Number);
  const largest = Math.max(...sizes);
  const results: { mode: Mode; assets: number; run: number; result: Result }[] = [];
  for (let run = 0; run < Number(args.runs); run++) {
    for (const mode of ['decoded', 'json'] as const) {
      for (const assets of sizes) results.push({ mode, assets, run, result: inItsOwnProcess(mode, assets) });
    }
  }
  const of = (mode: Mode, assets: number) => results.filter((r) => r.mode === mode && r.assets === assets);
  const ns = ({ result }: { result: Result }) =>
    result.nsPerEvent.toSorted((a, b) => a - b)[result.nsPerEvent.length >> 1];
  const timeOf = (mode: Mode) => ({
    nsPerEvent: Object.fromEntries(sizes.map((n) => [n, spread(of(mode, n).map(ns))])),
    factsPerEvent: Object.fromEntries(sizes.map((n) => [n, of(mode, n)[0].result.factsPerEvent])),
    ratio: spread(of(mode, largest).map((large, run) => ns(large) / ns(of(mode, Math.min(...sizes))[run]))),
  });
  const large = of('decoded', largest).map((r) => r.result);
  const snapshots = large.flatMap((r) => r.snapshots);
  const every = inItsOwnProcess('every-column', largest);
  const report = {
    machine: machine(),
    load: { sizes, rounds: ROUNDS, partitions: PARTITIONS, blocksPerKind: BLOCKS },
    json: timeOf('json'),
    decoded: timeOf('decoded'),
    bytesPerAsset: memoryOf(large),
    bytesPerAssetRestored: memoryOf(large.flatMap((r) => r.restored ?? [])),
    bytesPerAssetEveryColumn: every.bytesPerAsset,
    snapshot:
      snapshots.length === 0
        ? null
        : {
            ms: spread(snapshots.map((s) => s.ms)),
            longestTurnMs: spread(snapshots.map((s) => s.pauseMs)),
            longestTimerDelayMs: spread(snapshots.map((s) => s.delayMaxMs)),
            bytes: spread(snapshots.map((s) => s.bytes)),
          },
  };
  if (args.json) console.log(JSON.stringify(report));
  else console.dir(report, { depth: null });
}
