import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../../sim/random.ts';
import { startBrokers } from '../brokers.ts';
import { startProxies } from '../proxies.ts';
import { brokerFaults } from './broker-faults.ts';
import { Cluster } from './cluster.ts';
import { type Fault, faults } from './faults.ts';
import type { Surprise } from './process.ts';
import type { Report } from './verify.ts';

export interface FaultRunOptions {
  readonly runs: number;
  readonly seed: number;
  /** Logs, data folders and the brokers' data; deleted when all went well. */
  readonly dir: string;
  /** Runs on one set of topics, before all start anew. @default 10 */
  readonly runsPerCluster?: number;
  /** @default 1 */
  readonly brokers?: number;
  /** Names of {@link faultsOn} so many brokers. @default all */
  readonly only?: readonly string[];
  /** @default 6000 */
  readonly sessionTimeoutMs?: number;
  /** Called after each run. */
  readonly tell?: (run: FaultRun) => void;
}

export interface FaultRun {
  readonly run: number;
  readonly fault: string;
  readonly what: string;
  /** From the fault's end until all is owned, folded, committed and stored again, ms. */
  readonly settledMs: number;
  /** Commits and publications of owners that were fenced: what they would have written counts for nothing. */
  readonly fenced: number;
  readonly report: Report;
}

export interface FaultRunResult {
  readonly seed: number;
  readonly runs: readonly FaultRun[];
  /** Differences that the verifier found, and what else went wrong; empty when all is well. */
  readonly failures: readonly string[];
}

/** What a run feeds at least, ms. */
const FEED_MS = 1_000;
const PROCESSES = 3;
const PARTITIONS = 4;
const ASSETS = 12;

/**
 * Does one fault after the other to three processes under load, lets them settle, and has the verifier look. The seed
 * decides the records, the faults and whom they hit; the moment at which they hit is the machine's.
 */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunResult> {
  const { runs, seed, dir, runsPerCluster = 10, brokers: count = 1 } = options;
  const done: FaultRun[] = [];
  const failures: string[] = [];
  const brokers = await startBrokers({ count, dir: join(dir, 'brokers') });
  const proxy = await startProxies([...brokers.proxied]);
  const names = shuffledNames(options);
  try {
    for (let first = 0; first < runs && failures.length === 0; first += runsPerCluster) {
      const cluster = new Cluster({
        dir: join(dir, `from-${first}`),
        brokers,
        proxy,
        prefix: `faults-${seed}-${first}.`,
        processes: PROCESSES,
        partitions: PARTITIONS,
        assets: ASSETS,
        seed: seed + first,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 6_000,
      });
      const last = Math.min(runs, first + runsPerCluster);
      failures.push(...(await runCluster(cluster, names, first, last, options, done)));
      if (failures.length === 0) rmSync(cluster.options.dir, { recursive: true });
    }
  } finally {
    await proxy.refuse();
    await brokers.close();
  }
  if (failures.length === 0) rmSync(dir, { recursive: true, force: true });
  return { seed, runs: done, failures };
}

/** What can be done where there are so many brokers. */
function faultsOn(brokers: number): Readonly<Record<string, Fault>> {
  return brokers === 1 ? faults : { ...faults, ...brokerFaults };
}

/** Each fault as often as the others, in an order of chance. */
function* shuffledNames({
  seed,
  brokers = 1,
  only = Object.keys(faultsOn(brokers)),
}: FaultRunOptions): Generator<string> {
  const random = Random.of(seed, 'order');
  for (;;) {
    const bag = [...only];
    while (bag.length > 0) yield bag.splice(random.int(0, bag.length - 1), 1)[0];
  }
}

/** Runs `first` to `last` on one cluster; returns what went wrong. At its end all is stopped in good order, and looked at once more. */
async function runCluster(
  cluster: Cluster,
  names: Iterator<string>,
  first: number,
  last: number,
  { seed, tell }: FaultRunOptions,
  done: FaultRun[],
): Promise<string[]> {
  const failures: string[] = [];
  const check = ({ records, differences }: Report, when: string) => {
    failures.push(...differences.map((text) => `${when}: ${text}`));
    if (records < cluster.feed.confirmed)
      failures.push(`${when}: ${cluster.feed.confirmed} were sent, ${records} are there`);
    failures.push(...cluster.surprises().map((surprise) => `${when}: ${describe(surprise)}`));
  };
  try {
    await cluster.open();
    for (let run = first; run < last && failures.length === 0; run++) {
      const fault = names.next().value as string;
      const outcome = await oneRun(cluster, fault, Random.of(seed, run, fault));
      done.push({ run, fault, ...outcome });
      tell?.(done[done.length - 1]);
      check(outcome.report, `run ${run} (${fault}: ${outcome.what})`);
    }
    await cluster.stopAll();
    check(await cluster.verify(true), `after run ${last - 1}, all ended`);
  } catch (error) {
    failures.push(`after ${done.length} runs: ${(error as Error).stack}`, ...cluster.surprises().map(describe));
  } finally {
    await cluster.close();
  }
  return failures;
}

async function oneRun(cluster: Cluster, fault: string, random: Random) {
  const before = cluster.fences;
  cluster.feed.run();
  await pause(random.between(0.3, 1) * FEED_MS);
  const what = await faultsOn(cluster.options.brokers.nodes.length)[fault](cluster, random);
  await pause(random.between(0.3, 1) * FEED_MS);
  await cluster.feed.rest();
  const began = performance.now();
  await cluster.settle();
  const settledMs = Math.round(performance.now() - began);
  return { what, settledMs, fenced: cluster.fences - before, report: await cluster.verify() };
}

function describe({ name, code, signal, stderr }: Surprise): string {
  return `${name} ended by itself (code ${code}, signal ${signal}): ${stderr.slice(-1_500)}`;
}
