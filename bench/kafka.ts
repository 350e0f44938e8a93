/**
 * The whole path on Kafka, exactly once, against who only reads and against Kafka Streams: the same topic, in rounds in
 * which all take turns, each in a process of its own.
 *
 *   node bench/kafka.ts [--brokers HOST:PORT] [--formats json,protobuf] [--partitions 1,4,16,64] [--rounds 3]
 *     [--assets 10000] [--steps 200] [--cadence-s 10] [--late 0.01] [--commit-ms 500] [--blocks 16] [--peer] [--processes 1,2,4]
 *     [--node-flags=--v8-pool-size=1] [--json]
 *
 * Without --brokers it starts one of its own. `--peer` adds the Java peer (Maven); `--node-flags` are those of all but
 * it. What the broker spends is in no figure; it has the second core.
 */
import { parseArgs } from 'node:util';
import { buildPeer, runPeer } from './peers/peers.ts';
import type { Result } from './kafka/contend.ts';
import { connectionTo, type InputFormat, writeInput } from './kafka/input.ts';
import { contend, contendTogether, openBroker } from './kafka/run.ts';
import { machine, type Spread, spread } from './report.ts';

const { values: options } = parseArgs({
  options: {
    brokers: { type: 'string' },
    formats: { type: 'string', default: 'json' },
    partitions: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    assets: { type: 'string', default: '10000' },
    steps: { type: 'string', default: '200' },
    'cadence-s': { type: 'string', default: '10' },
    late: { type: 'string', default: '0.01' },
    'commit-ms': { type: 'string', default: '500' },
    blocks: { type: 'string', default: '16' },
    processes: { type: 'string', default: '1' },
    peer: { type: 'boolean', default: false },
    'node-flags': { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const numbers = (list: string) => list.split(',').map(Number);
const rounds = Number(options.rounds);
const flags = options['node-flags'].split(' ').filter((flag) => flag !== '');
const commitIntervalMs = Number(options['commit-ms']);
const blocksPerKind = Number(options.blocks);
const load = {
  assets: Number(options.assets),
  steps: Number(options.steps),
  cadenceMs: Number(options['cadence-s']) * 1000,
  late: Number(options.late),
};

type Run = Pick<Result, 'records' | 'seconds' | 'cpuSeconds'> & Partial<Result>;
const perSecond = ({ records, seconds }: Run) => records / seconds;
const perCpuSecond = ({ records, cpuSeconds }: Run) => records / cpuSeconds;

/** Runs of several processes side by side, as one. */
function together(results: readonly Result[]): Run {
  const total = (of: (result: Result) => number) => results.reduce((sum, result) => sum + of(result), 0);
  const commits = total((r) => r.commits);
  return {
    records: total((r) => r.records),
    seconds: Math.max(...results.map((r) => r.seconds)),
    cpuSeconds: total((r) => r.cpuSeconds),
    commits,
    msPerCommit: total((r) => r.msPerCommit * r.commits) / commits,
    threadSeconds: total((r) => r.threadSeconds),
    foldSeconds: total((r) => r.foldSeconds),
    derived: total((r) => r.derived),
    rssMb: total((r) => r.rssMb),
  };
}

interface Comparison {
  readonly format: InputFormat;
  readonly partitions: number;
  readonly records: number;
  readonly bytesPerRecord: number;
  readonly eventsPerRecord: number;
  readonly contenders: Record<string, Record<string, Spread>>;
  /** Of the folds' rate by that of who only reads, and of the peer. */
  readonly ratios: Record<string, Record<string, Spread>>;
}

const broker = await openBroker(options.brokers);
if (options.peer) await buildPeer();
const comparisons: Comparison[] = [];
for (const format of options.formats.split(',') as InputFormat[]) {
  for (const partitions of numbers(options.partitions)) comparisons.push(await compare(format, partitions));
}
await broker.close();
console.log(options.json ? JSON.stringify({ machine: machine(), comparisons }) : machine());
if (!options.json) for (const comparison of comparisons) tell(comparison);

async function compare(format: InputFormat, partitions: number): Promise<Comparison> {
  const { bootstrap } = broker;
  const input = `in-${process.pid}-${format}-${partitions}.`;
  const { bytesPerRecord, records } = await writeInput(connectionTo(bootstrap, input), partitions, format, load);
  const task = { bootstrap, input, partitions, format, commitIntervalMs, blocksPerKind };
  const contenders: Record<string, () => Promise<Run>> = {
    'kafkajs, decoded and dropped': () => contend({ ...task, mode: 'consume' }, flags),
  };
  for (const processes of numbers(options.processes)) {
    contenders[`gridfold, ${processes} process${processes === 1 ? '' : 'es'}`] = () =>
      contendTogether({ ...task, mode: 'fold' }, processes, flags).then(together);
  }
  if (options.peer && format === 'json') {
    contenders['Kafka Streams'] = () => runPeer({ brokers: bootstrap, topic: `${input}telemetry`, commitIntervalMs });
  }
  const runs = new Map(Object.keys(contenders).map((name) => [name, [] as Run[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const result = await run();
      runs.get(name)?.push(result);
      process.stderr.write(`${format} ${partitions} ${name} ${JSON.stringify(result)}\n`);
    }
  }
  return { ...summary(runs), format, partitions, records, bytesPerRecord };
}

function summary(runs: ReadonlyMap<string, readonly Run[]>) {
  const [first, ...others] = [...runs.keys()];
  const of = (name: string) => runs.get(name) as readonly Run[];
  const folds = others.filter((name) => name.startsWith('gridfold'));
  const ratio = (a: readonly Run[], b: readonly Run[], rate: (run: Run) => number) =>
    spread(a.map((run, i) => rate(run) / rate(b[i])));
  const ratios: Record<string, Record<string, Spread>> = {};
  for (const fold of folds) {
    for (const base of [first, ...others.filter((name) => !folds.includes(name))]) {
      ratios[`${fold} / ${base}`] = {
        perSecond: ratio(of(fold), of(base), perSecond),
        perCpuSecond: ratio(of(fold), of(base), perCpuSecond),
      };
    }
  }
  const contenders = Object.fromEntries(
    [...runs].map(([name, list]) => [
      name,
      {
        perSecond: spread(list.map(perSecond)),
        perCpuSecond: spread(list.map(perCpuSecond)),
        threadShare: spread(list.map((run) => (run.threadSeconds ?? 0) / run.cpuSeconds)),
        foldShare: spread(list.map((run) => (run.foldSeconds ?? 0) / run.cpuSeconds)),
        msPerCommit: spread(list.map((run) => run.msPerCommit ?? 0)),
        rssMb: spread(list.map((run) => run.rssMb ?? 0)),
      },
    ]),
  );
  const [fold] = of(folds[0]);
  return { contenders, ratios, eventsPerRecord: Number(((fold.derived ?? 0) / fold.records).toPrecision(3)) };
}

function tell({ format, partitions, records, bytesPerRecord, eventsPerRecord, contenders, ratios }: Comparison): void {
  const s = ({ min, median, max }: Spread, scale = 1) =>
    [median, min, max].map((n) => Number((n / scale).toPrecision(3))).join(' ');
  console.log(
    `\n${format}, ${partitions} partitions: ${records} records of ${bytesPerRecord} B, ${eventsPerRecord} events per record; median min max`,
  );
  for (const [name, figures] of Object.entries(contenders)) {
    console.log(
      `  ${name}: ${s(figures.perSecond, 1000)} k/s, ${s(figures.perCpuSecond, 1000)} k per CPU second; folding thread ${s(figures.threadShare)} of it, fold ${s(figures.foldShare)}; commit ${s(figures.msPerCommit)} ms; ${s(figures.rssMb)} MB`,
    );
  }
  for (const [name, figures] of Object.entries(ratios)) {
    console.log(`  ${name}: ${s(figures.perSecond)}; per CPU second ${s(figures.perCpuSecond)}`);
  }
}
