import type { Clock } from '../../kernel/clock.ts';
import { crashPoint } from '../../kernel/crash.ts';
import { closed, writeFailed } from './failures.ts';
import { commitKey } from './keys.ts';
import type { Partition } from './partition.ts';
import { type CommitRow, type Db, type Op, sealRow } from './rows.ts';

/**
 * Steps at which the fault tests end the process (kernel/crash.ts); a group that holds both an append and a commit
 * passes the points of both.
 *
 * | step           | what has happened                                                                    |
 * |----------------|--------------------------------------------------------------------------------------|
 * | `log.append.1` | appended records have offsets and are encoded; nothing is in LevelDB                 |
 * | `log.append.2` | they are durable; no caller has been told                                            |
 * | `log.commit.1` | outputs, journal record and commit entry are encoded; nothing is in LevelDB          |
 * | `log.commit.2` | they are durable; the shard has not been told                                        |
 */
export type LogCrashPoint = 'log.append.1' | 'log.append.2' | 'log.commit.1' | 'log.commit.2';

/** Who may commit for a partition of a journal, and what the newest commit said. `newest` runs ahead of `durable`. */
export interface Owner {
  readonly journal: string;
  readonly partition: number;
  newest: CommitRow;
  durable: CommitRow;
}

/** What the next LevelDB batch will hold; it is written whole or not at all. */
export class Group {
  readonly partitions = new Set<Partition>();
  readonly owners = new Set<Owner>();
  readonly rows: Op[] = [];
  /** Calls in it, and the bytes of their records. */
  calls = 0;
  bytes = 0;
  appends = false;
  commits = false;
  readonly done: Promise<void>;
  settle!: { resolve: () => void; reject: (error: Error) => void };

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    // Each caller has its own handle on `done`; a group nobody waits for must not count as unhandled.
    this.done.catch(() => {});
  }
}

export interface WriterStats {
  /** Records and their bytes (keys and values) that are durable, commits' outputs and journal included. */
  appendedRecords: number;
  appendedBytes: number;
  fsyncs: number;
}

interface Waiting {
  readonly bytes: number;
  readonly run: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit. What arrives while a write runs, or within one turn of the event loop, goes into one LevelDB batch
 * with one fsync. At most `maxQueueBytes` wait to be written; further callers wait in line.
 *
 * After a failed write nothing is known about the disk, so the writer refuses everything from then on.
 */
export class GroupWriter {
  readonly stats: WriterStats = { appendedRecords: 0, appendedBytes: 0, fsyncs: 0 };
  /** Bytes of values ever written. */
  logBytes: number;
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #maxQueueBytes: number;
  readonly #notify: (partition: Partition) => void;
  #open = new Group();
  #queuedBytes = 0;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #refusal: Error | null = null;

  constructor(db: Db, clock: Clock, maxQueueBytes: number, logBytes: number, notify: (partition: Partition) => void) {
    this.#db = db;
    this.#clock = clock;
    this.#maxQueueBytes = maxQueueBytes;
    this.logBytes = logBytes;
    this.#notify = notify;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Why nothing is taken any more, or null. */
  get refusal(): Error | null {
    return this.#refusal;
  }

  get waitingCallers(): number {
    return this.#waiting.length;
  }

  /**
   * Takes `bytes` of room, in order of the calls, then runs `fill` on the open group and returns when that group is
   * durable. What `fill` throws is the caller's answer; nothing of it may have entered the group then.
   */
  enter<T>(bytes: number, fill: (group: Group) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== null) return reject(this.#refusal);
      const run = () => {
        try {
          this.#take(bytes, fill).then(resolve, reject);
        } catch (error) {
          reject(error);
        }
      };
      if (this.#waiting.length === 0 && this.#hasRoom(bytes)) run();
      else this.#waiting.push({ bytes, run, reject });
    });
  }

  /** Writes what has been accepted, then refuses. */
  async close(): Promise<void> {
    this.#refusal ??= closed();
    while (this.#running !== null) await this.#running;
  }

  #take<T>(bytes: number, fill: (group: Group) => T): Promise<T> {
    const group = this.#open;
    const result = fill(group);
    group.calls += 1;
    group.bytes += bytes;
    this.#queuedBytes += bytes;
    this.#running ??= this.#run();
    return group.done.then(() => result);
  }

  #hasRoom(bytes: number): boolean {
    return this.#queuedBytes === 0 || this.#queuedBytes + bytes <= this.#maxQueueBytes;
  }

  #admitWaiting(): void {
    let admitted = 0;
    for (const { bytes, run } of this.#waiting) {
      if (!this.#hasRoom(bytes)) break;
      run();
      admitted += 1;
    }
    this.#waiting.splice(0, admitted);
  }

  async #run(): Promise<void> {
    for (;;) {
      // One turn of the loop, so that whoever was just answered can join the next group.
      await new Promise(setImmediate);
      const group = this.#open;
      if (group.calls === 0) break;
      this.#open = new Group();
      try {
        await this.#write(group);
      } catch (error) {
        this.#fail(group, writeFailed(error));
        break;
      }
      this.#queuedBytes -= group.bytes;
      group.settle.resolve();
      this.#admitWaiting();
    }
    this.#running = null;
  }

  async #write(group: Group): Promise<void> {
    const ops = group.rows;
    const now = this.#clock.now();
    for (const partition of group.partitions) this.logBytes = partition.seal(now, this.logBytes, ops);
    const commits = [...group.owners].map((owner) => ({ owner, row: owner.newest }));
    for (const { owner, row } of commits) ops.push(sealRow(commitKey(owner.journal, owner.partition), row));
    if (group.appends) crashPoint('log.append.1' satisfies LogCrashPoint);
    if (group.commits) crashPoint('log.commit.1' satisfies LogCrashPoint);
    await this.#db.batch(ops, { sync: true });
    if (group.appends) crashPoint('log.append.2' satisfies LogCrashPoint);
    if (group.commits) crashPoint('log.commit.2' satisfies LogCrashPoint);
    this.stats.fsyncs += 1;
    for (const { owner, row } of commits) owner.durable = row;
    for (const partition of group.partitions) {
      this.stats.appendedRecords += partition.sealedEnd - partition.end;
      partition.end = partition.sealedEnd;
    }
    this.stats.appendedBytes += group.bytes;
    for (const partition of group.partitions) this.#notify(partition);
  }

  #fail(group: Group, error: Error): void {
    this.#refusal = error;
    group.settle.reject(error);
    this.#open.settle.reject(error);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
