import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestBrokers } from '../brokers.ts';
import type { FaultProxies } from '../proxies.ts';
import { ask, type DoorAddress } from './doors.ts';
import { Feed } from './feed.ts';
import { GridfoldProcess, type Surprise } from './process.ts';
import type { Report, Task } from './verify.ts';

export interface ClusterOptions {
  /** Logs and data folders. */
  readonly dir: string;
  readonly brokers: TestBrokers;
  /** One before each broker. */
  readonly proxy: FaultProxies;
  /** Of topics; the name of the group as well. */
  readonly prefix: string;
  readonly processes: number;
  readonly partitions: number;
  readonly assets: number;
  readonly seed: number;
  readonly sessionTimeoutMs: number;
}

/** Short intervals: a short life passes many commits and snapshots. Nothing is trimmed: the verifier wants all of it. */
const SETTINGS = {
  GRIDFOLD_KAFKA_HANDOVER_TIMEOUT_MS: '2000',
  GRIDFOLD_COMMIT_INTERVAL_MS: '100',
  GRIDFOLD_SNAPSHOT_INTERVAL_MS: '1000',
  GRIDFOLD_SINK_COMMIT_INTERVAL_MS: '250',
  GRIDFOLD_BLOCKS_PER_KIND: '16',
  GRIDFOLD_SILENCE_OUTAGE_MS: '120000',
  GRIDFOLD_SILENCE_GRACE_MS: '1000',
  GRIDFOLD_RETENTION_MS: String(3_650 * 86_400_000),
  GRIDFOLD_SHUTDOWN_TIMEOUT_MS: '30000',
  GRIDFOLD_LOG_LEVEL: 'debug',
};
const POLL_MS = 200;
const SETTLE_WITHIN_MS = 120_000;
const SETTLE_ONCE_MS = 15_000;
/** What is folded while the others are asked is settled with the next pass. */
const PASSES = 2;
const ATTEMPTS = 5;

interface Pipeline {
  readonly partitions: readonly { readonly actor: string; readonly partition: number; readonly phase: string }[];
  /** Who could not be asked. */
  readonly incomplete?: unknown;
}

/** Processes of one group, and who feeds them. The first process goes through the proxies. */
export class Cluster {
  readonly options: ClusterOptions;
  readonly processes: readonly GridfoldProcess[];
  /** Those, and guests. */
  readonly #members: GridfoldProcess[] = [];
  readonly feed: Feed;
  #verified = 0;

  constructor(options: ClusterOptions) {
    const { dir, brokers, proxy, prefix, partitions, assets, seed, processes } = options;
    this.options = options;
    mkdirSync(dir, { recursive: true });
    this.processes = Array.from({ length: processes }, (_, i) =>
      this.member(`p${i}`, i === 0 ? proxy.bootstrap : undefined),
    );
    this.feed = new Feed({ bootstrap: brokers.bootstrap, prefix, partitions, seed, assets });
  }

  /** A process of the group that is not started yet; beside {@link Cluster.processes} it is a guest. */
  member(name: string, bootstrap = this.options.brokers.bootstrap): GridfoldProcess {
    const { dir, prefix, partitions, sessionTimeoutMs } = this.options;
    const member = new GridfoldProcess(name, dir, {
      ...SETTINGS,
      GRIDFOLD_KAFKA_BROKERS: bootstrap,
      GRIDFOLD_KAFKA_TOPIC_PREFIX: prefix,
      GRIDFOLD_KAFKA_GROUP_ID: prefix,
      GRIDFOLD_KAFKA_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
      GRIDFOLD_PARTITIONS: String(partitions),
    });
    this.#members.push(member);
    return member;
  }

  async open(): Promise<void> {
    this.startAll();
    const serve = await Promise.all(this.processes.map((one) => one.serves()));
    if (serve.includes(false)) throw new Error('a process ended before it served');
    await this.feed.open();
    await this.settle();
  }

  startAll(): void {
    for (const one of this.processes) one.start();
  }

  /** Every process ends in good order. */
  async stopAll(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.stop()));
  }

  async close(): Promise<void> {
    await this.feed.close().catch(() => {});
    await Promise.all(this.#members.map((one) => one.kill()));
  }

  /** Resolves when all processes run, own everything between them, and have folded, committed and stored it. */
  async settle(): Promise<void> {
    const deadline = performance.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const why = await this.#trySettle().catch((error: Error) => error.message);
      if (why === null) return;
      if (performance.now() > deadline) throw new Error(`not settled after ${SETTLE_WITHIN_MS} ms: ${why}`);
      await pause(POLL_MS);
    }
  }

  /** What keeps it from being settled, or null. */
  async #trySettle(): Promise<string | null> {
    this.startAll();
    const doors = await this.doors();
    if (doors.length < this.processes.length) return 'not every process serves';
    for (const door of doors) await ask(door, '/readyz');
    const { partitions: held, incomplete } = await ask<Pipeline>(doors[0], '/v1/pipeline');
    if (incomplete !== undefined) return `not all is known: ${JSON.stringify(incomplete)}`;
    const places = new Set(held.map(({ actor, partition }) => `${actor}-${partition}`));
    if (places.size < 2 * this.options.partitions) return `only ${[...places]} are owned`;
    if (places.size < held.length) return `a partition is owned twice: ${JSON.stringify(held)}`;
    const waits = held.find(({ phase }) => phase !== 'live');
    if (waits !== undefined) return `${waits.actor}-${waits.partition} is ${waits.phase}`;
    for (let pass = 0; pass < PASSES; pass++) await ask(doors[0], `/v1/settle?timeoutMs=${SETTLE_ONCE_MS}`, {});
    return null;
  }

  /** Lives that ended by themselves so far. */
  surprises(): Surprise[] {
    return this.#members.flatMap((one) => one.surprises);
  }

  /** Commits and publications of owners that were fenced, so far: refused, each of them. */
  get fences(): number {
    const logs = new Map(this.#members.map((one) => [one.dir, one.fences]));
    return [...logs.values()].reduce((sum, fences) => sum + fences, 0);
  }

  async doors(): Promise<DoorAddress[]> {
    const found = await Promise.all(this.processes.map(async (one) => ({ name: one.name, door: await one.door() })));
    return found.flatMap(({ name, door }) => (door === null ? [] : [{ name, ...door }]));
  }

  /** Runs the verifier, again where somebody committed while it read. `ended`: looks into the folders, not at the doors. */
  async verify(ended = false): Promise<Report> {
    const { brokers, prefix, partitions } = this.options;
    for (let attempt = 1; ; attempt++) {
      // The views come from the first: from another process each time.
      const doors = ended ? [] : rotate(await this.doors(), this.#verified++);
      const dataDirs = ended ? this.processes.map(({ dir }) => dir) : [];
      const report = await runVerifier({ bootstrap: brokers.bootstrap, prefix, partitions, doors, dataDirs });
      if (report.still || attempt === ATTEMPTS) return report;
      await this.settle();
    }
  }
}

function rotate<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length]);
}

function runVerifier(task: Task): Promise<Report> {
  const program = join(import.meta.dirname, 'verify.ts');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, JSON.stringify(task)], { maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (stdout.startsWith('{')) resolve(JSON.parse(stdout));
      else reject(new Error(`the verifier failed: ${stderr.slice(-2_000) || error}`));
    });
  });
}
