/**
 * A partition that moves on Kafka: from its assignment to its first fold, in a new process that has the snapshot in its
 * folder (warm), and in one that has nothing and takes it from the snapshots topic; and until its windows are there.
 * With `--window-readings 288` each asset has a full window: a day of readings, one in five minutes.
 *
 *   node bench/kafka-move.ts [--brokers HOST:PORT] [--assets 100000] [--steps 5 | --window-readings N] [--rounds 5] [--json]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { topics } from '../runtime/log/contract.ts';
import { openKafkaLog } from '../runtime/log/kafka/kafka-log.ts';
import { connectionTo, writeInput } from './kafka/input.ts';
import type { MoveResult, MoveTask } from './kafka/move.ts';
import { openBroker } from './kafka/run.ts';
import { LOAD_START, referenceLoad, setDeviceTime } from './reference-load.ts';
import { machine, spread } from './report.ts';

const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string' },
    assets: { type: 'string', default: '100000' },
    steps: { type: 'string', default: '5' },
    'window-readings': { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const perWindow = options['window-readings'];
const [assets, steps, rounds] = [options.assets, perWindow ?? options.steps, options.rounds].map(Number);
const cadenceMs = perWindow === undefined ? 10_000 : 300_000;

const dir = mkdtempSync(join(tmpdir(), 'gridfold-kafka-move-'));
const { bootstrap, close } = await openBroker(options.brokers);
const prefix = `move-${process.pid}.`;
const connection = connectionTo(bootstrap, prefix);
await writeInput(connection, 1, 'json', { assets, steps, cadenceMs });
const log = await openKafkaLog({ connection, partitions: 1 });
const warm = join(dir, 'warm');
await own(warm, true);
const runs: Record<'warm' | 'from the topic', MoveResult[]> = { warm: [], 'from the topic': [] };
for (let round = 0; round < rounds; round++) {
  await writeSome(steps + 2 * round);
  runs.warm.push(await own(warm, true));
  await writeSome(steps + 2 * round + 1);
  const cold = join(dir, `cold-${round}`);
  runs['from the topic'].push(await own(cold, true));
  rmSync(cold, { recursive: true });
}
const [snapshots, windows] = [topics.snapshots, topics.snapshotWindows].map((topic) => log.extent(topic, 0));
await log.close();
await close();
rmSync(dir, { recursive: true });

const report = {
  machine: machine(),
  assets: runs.warm[0].assets,
  snapshotRecords: snapshots.end - snapshots.start,
  windowRecords: windows.end - windows.start,
  moves: Object.fromEntries(
    Object.entries(runs).map(([name, list]) => [
      name,
      {
        firstFoldMs: spread(list.map((run) => run.firstFoldMs)),
        liveMs: spread(list.map((run) => run.liveMs)),
        cpuMs: spread(list.map((run) => run.cpuMs)),
        ...filling(list),
        phases: list.at(-1)?.phases,
        mirrored: list.at(-1)?.mirrored.at(-1),
      },
    ]),
  ),
};
console.log(options.json ? JSON.stringify(report) : JSON.stringify(report, null, 1));

/** When windows that followed were there; nothing where none were missing. */
function filling(runs: readonly MoveResult[]) {
  const filled = runs.flatMap((run) => run.filled ?? []);
  return filled.length === 0 ? {} : { filledMs: spread(filled.map(({ ms }) => ms)), filledBytes: filled[0].bytes };
}

/** Readings of a thousand assets, which the next owner finds as its first. */
async function writeSome(step: number): Promise<void> {
  const time = LOAD_START + step * cadenceMs;
  const records = [...referenceLoad({ assets: 1000, steps: 1, late: 0, duplicate: 0 })].map(({ key, value }) => {
    setDeviceTime(value, time);
    return { key: Buffer.from(key), value };
  });
  await log.append(topics.telemetry, 0, records);
}

async function own(folder: string, untilEnd: boolean): Promise<MoveResult> {
  const task: MoveTask = { bootstrap, prefix, dir: folder, untilEnd };
  const program = join(import.meta.dirname, 'kafka', 'move.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(task)]);
  return JSON.parse(stdout) as MoveResult;
}
