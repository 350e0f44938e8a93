/**
 * Embedded log: append with fsync, and replay, against LevelDB alone and against the disk, in the same run.
 *
 *   node bench/log.ts [--runs 5] [--seconds 1] [--dir DIR] [--json]
 *
 * Every run measures all contenders one after another on the same bytes, so that ratios hold on a busy machine.
 * Replay reads from the page cache: it measures the log, not the disk.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClassicLevel } from 'classic-level';
import { type AppendRecord, topics } from '../runtime/log/contract.ts';
import { openEmbeddedLog } from '../runtime/log/embedded/embedded.ts';

const RECORD_BYTES = 250;
const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(options.runs);
const budgetMs = 1000 * Number(options.seconds);

/** Readings like those of a Powerwall, so that LevelDB's compression has what it would have. */
function readings(count: number): AppendRecord[] {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, i) => {
    const serial = `PW-${String(Math.floor(random() * 1e6)).padStart(7, '0')}`;
    const fields = {
      powerW: Math.round(random() * 10000 - 5000),
      soc: Number(random().toFixed(4)),
      energyOutWh: Number((random() * 1e7).toFixed(1)),
      energyInWh: Number((random() * 1e7).toFixed(1)),
      tempC: Number((random() * 40).toFixed(1)),
      gridStatus: 'SystemGridConnected',
      siteW: Math.round(random() * 9000),
    };
    const reading = { serial, kind: 'powerwall', deviceTime: 1.7e12 + 10_000 * i, txid: state.toString(16), fields };
    return {
      key: Buffer.from(serial),
      value: Buffer.from(JSON.stringify(reading).padEnd(RECORD_BYTES - serial.length)),
    };
  });
}

interface Appended {
  readonly recordsPerSecond: number;
  readonly records: number;
}

/** Calls `write` with one batch after another for the time budget. */
async function forAWhile(
  batch: number,
  write: (i: number) => Promise<unknown> | unknown,
  lanes = 1,
): Promise<Appended> {
  const began = performance.now();
  let batches = 0;
  const lane = async () => {
    while (performance.now() - began < budgetMs) await write(batches++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const records = batches * batch;
  return { records, recordsPerSecond: records / ((performance.now() - began) / 1000) };
}

const perSecond = (records: number, began: number) => records / ((performance.now() - began) / 1000);

async function measureLog(home: string, batch: number, lanes: number) {
  const dir = mkdtempSync(join(home, 'log-'));
  const log = await openEmbeddedLog({ dir, partitions: 1 });
  const records = readings(batch);
  const append = await forAWhile(batch, () => log.append(topics.telemetry, 0, records), lanes);
  const { fsyncs } = log.stats;
  const began = performance.now();
  let next = 0;
  let touched = 0;
  while (next < append.records) {
    for (const found of await log.read(topics.telemetry, 0, next, 1 << 20)) {
      for (let i = 0; i < found.count; i++) touched += found.valueEnd[i] - found.valueStart[i];
      next = found.baseOffset + found.count;
    }
  }
  const replay = perSecond(append.records, began);
  if (touched === 0) throw new Error('nothing was read');
  await log.close();
  return { append: append.recordsPerSecond, replay, perFsync: append.records / fsyncs };
}

async function measureLevelDb(home: string, batch: number) {
  const db = new ClassicLevel<string, Uint8Array>(mkdtempSync(join(home, 'level-')), { valueEncoding: 'view' });
  await db.open();
  const bytes = Buffer.concat(readings(batch).map(({ key, value }) => Buffer.concat([key ?? Buffer.alloc(0), value])));
  const put = (i: number) => db.put(String(i).padStart(9, '0'), bytes, { sync: true });
  const append = await forAWhile(batch, put);
  const began = performance.now();
  let touched = 0;
  for await (const value of db.values({ highWaterMarkBytes: 1 << 20 })) touched += value.length;
  const replay = perSecond(touched / RECORD_BYTES, began);
  await db.close();
  return { append: append.recordsPerSecond, replay };
}

async function measureDisk(home: string, batch: number) {
  const path = join(home, `disk-${batch}`);
  const bytes = Buffer.concat(readings(batch).map(({ key, value }) => Buffer.concat([key ?? Buffer.alloc(0), value])));
  const file = openSync(path, 'w');
  const append = await forAWhile(batch, () => {
    writeSync(file, bytes);
    fdatasyncSync(file);
  });
  closeSync(file);
  const again = openSync(path, 'r');
  const chunk = Buffer.alloc(256 * 1024);
  const began = performance.now();
  let read = 0;
  for (let got = readSync(again, chunk); got > 0; got = readSync(again, chunk)) read += got;
  const replay = perSecond(read / RECORD_BYTES, began);
  closeSync(again);
  return { append: append.recordsPerSecond, replay };
}

interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted[sorted.length - 1] };
}

async function measure(batch: number) {
  const samples: Record<string, number[]> = {};
  const note = (name: string, value: number) => {
    samples[name] ??= [];
    samples[name].push(value);
  };
  for (let run = 0; run < runs; run++) {
    const home = mkdtempSync(join(options.dir, 'gridfold-bench-'));
    const log = await measureLog(home, batch, 1);
    const together = await measureLog(home, batch, 8);
    const level = await measureLevelDb(home, batch);
    const disk = await measureDisk(home, batch);
    rmSync(home, { recursive: true });
    note('log append, records/s', log.append);
    note('log append by 8 callers, records/s', together.append);
    note('log append by 8 callers, records per fsync', together.perFsync);
    note('LevelDB put with sync, records/s', level.append);
    note('disk write + fdatasync, records/s', disk.append);
    note('log append : LevelDB', log.append / level.append);
    note('log append : disk', log.append / disk.append);
    note('log append by 8 callers : disk', together.append / disk.append);
    note('log replay, records/s', log.replay);
    note('LevelDB iteration, records/s', level.replay);
    note('file read, records/s', disk.replay);
    note('log replay : LevelDB', log.replay / level.replay);
    note('log replay : file read', log.replay / disk.replay);
  }
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, spread(values)]));
}

const machine = `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const results: Record<string, Record<string, Spread>> = {};
for (const batch of [100, 1000]) results[`batches of ${batch} x ${RECORD_BYTES} B`] = await measure(batch);

if (options.json) {
  console.log(JSON.stringify({ bench: 'log', machine, runs, secondsEach: budgetMs / 1000, results }));
} else {
  console.log(`${machine}\n${runs} runs, ${budgetMs / 1000} s for each contender`);
  const show = (value: number) => (value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en'));
  for (const [name, rows] of Object.entries(results)) {
    console.log(`\n${name}${' '.repeat(24)}min        median           max`);
    for (const [what, { min, median, max }] of Object.entries(rows)) {
      console.log(`  ${what.padEnd(44)}${show(min).padStart(10)}${show(median).padStart(14)}${show(max).padStart(14)}`);
    }
  }
}
