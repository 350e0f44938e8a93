/**
 * One owner of one partition in a process of its own, for `kafka-move.ts`: takes the partition up, and says when it was
 * assigned, when it was live, when it folded its first record, and when its windows were there. With `untilEnd` it goes
 * on to the end of the input.
 */
import { topics } from '../../runtime/log/contract.ts';
import { openKafkaLog } from '../../runtime/log/kafka/kafka-log.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { benchOptions } from '../runtime.ts';
import { connectionTo } from './input.ts';

export interface MoveTask {
  readonly bootstrap: string;
  readonly prefix: string;
  readonly dir: string;
  readonly untilEnd: boolean;
}

export interface MoveResult {
  readonly liveMs: number;
  /** From the assignment to the first record's being folded. */
  readonly firstFoldMs: number;
  readonly cpuMs: number;
  /** Windows that followed from the snapshots topic, and when they were there; null where they were not missing. */
  readonly filled: { readonly ms: number; readonly bytes: number } | null;
  readonly assets: number;
  readonly phases: readonly string[];
  /** Of a snapshot in the snapshots topic, newest last. */
  readonly mirrored: readonly string[];
}

const { bootstrap, prefix, dir, untilEnd } = JSON.parse(process.argv[2]) as MoveTask;
const log = await openKafkaLog({ connection: connectionTo(bootstrap, prefix), partitions: 1 });
const phases: string[] = [];
const mirrored: string[] = [];
const folded = Promise.withResolvers<number>();
let filled: MoveResult['filled'] = null;
let began = 0;
const since = () => Math.round(performance.now() - began);
const options = benchOptions(log, dir, (_partition, phase) => phases.push(`${phase} ${since()}`));
const runtime = new Runtime({
  ...options,
  observer: (type) => ({
    ...options.observer(type),
    folded: () => folded.resolve(since()),
    filled: (_partition, { bytes }) => {
      filled = { ms: since(), bytes };
    },
    mirrored: (_partition, figures) => void mirrored.push(JSON.stringify(figures)),
  }),
});
began = performance.now();
const cpu = process.cpuUsage();
await runtime.start([]);
const liveMs = since();
const firstFoldMs = await folded.promise;
const { user, system } = process.cpuUsage(cpu);
const { assets } = runtime.shards[0].fold.state;
await runtime.shards[0].fold.state.filling?.done;
if (untilEnd) await runtime.shards[0].reached('telemetry', log.extent(topics.telemetry, 0).end);
await runtime.stop();
await log.close();
const cpuMs = (user + system) / 1000;
const result: MoveResult = { liveMs, firstFoldMs, cpuMs, filled, assets, phases, mirrored };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
