import { systemClock, type Clock } from '../../kernel/clock.ts';
import {
  type AppendRecord,
  type Claim,
  type CommitBatch,
  type Committed,
  type Extent,
  isJournal,
  type KeyedRecord,
  type Log,
  type OutputRecord,
  type RecordBatch,
  type Retention,
} from '../contract.ts';
import { badArgument, fenced } from './failures.ts';
import { type Group, GroupWriter, type Owner } from './group.ts';
import { isTopicName, partitionRange, recordsKey } from './keys.ts';
import type { Cut } from './mend.ts';
import { type LogMessage, type Opened, openVerified } from './open.ts';
import { Partition, recordSize } from './partition.ts';
import { readFrom } from './reader.ts';
import type { Db } from './rows.ts';
import { planTrim } from './trim.ts';

/** Trimmed bytes of a partition after which LevelDB is asked to give their room back to the disk. */
const COMPACT_AFTER_BYTES = 64 * 1024 * 1024;
const MAX_PARTITIONS = 1024;
const NOTHING = new Uint8Array(0);

export interface EmbeddedLogOptions {
  /** Directory of its LevelDB; made when missing. One process at a time. */
  readonly dir: string;
  /** 1 to 1024; fixed when the directory is made. */
  readonly partitions: number;
  /** Gives batches their timestamps. @default systemClock */
  readonly clock?: Clock;
  /** Told what a person should know: cuts, repairs, failed listeners. */
  readonly onMessage?: (message: LogMessage) => void;
  /** Starts although acknowledged records are lost, and gives up what stands before the damage. @default false */
  readonly acceptLoss?: boolean;
  /** Bytes of records that may wait to be written; further callers wait. @default 8 MiB */
  readonly maxQueueBytes?: number;
}

export interface EmbeddedLogStats {
  /** Durable since the start: records of appends and commits, their keys and values in bytes. */
  readonly appendedRecords: number;
  readonly appendedBytes: number;
  readonly commits: number;
  readonly fsyncs: number;
  readonly readRecords: number;
  readonly readBytes: number;
  /** Bytes of records that wait to be written, and callers that wait for room. */
  readonly queuedBytes: number;
  readonly waitingCallers: number;
}

/**
 * The log of the embedded defaults: every partition of every topic in one LevelDB, records packed many to a value,
 * one fsync for all that arrives together. Values are read only while whole and in their place; damage is an error.
 *
 * Records handed to `append` and `commit` must not change until the promise settles.
 */
export class EmbeddedLog implements Log {
  readonly partitions: number;
  readonly shared = false;
  /** What was cut from the ends of partitions when the log was opened. */
  readonly cuts: readonly Cut[];
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #say: (message: LogMessage) => void;
  readonly #writer: GroupWriter;
  readonly #open: Map<string, Partition>;
  readonly #owners: Map<string, Owner>;
  readonly #counts = { commits: 0, readRecords: 0, readBytes: 0 };
  readonly #uncompacted = new Map<Partition, number>();
  #closing: Promise<void> | null = null;

  constructor(opened: Opened, options: EmbeddedLogOptions) {
    this.partitions = options.partitions;
    this.cuts = opened.cuts;
    this.#db = opened.db;
    this.#clock = options.clock ?? systemClock;
    this.#say = options.onMessage ?? (() => {});
    this.#open = opened.partitions;
    this.#owners = opened.owners;
    const maxQueueBytes = options.maxQueueBytes ?? 8 * 1024 * 1024;
    this.#writer = new GroupWriter(this.#db, this.#clock, maxQueueBytes, opened.logBytes, (p) => this.#notify(p));
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Extent> {
    if (isJournal(topic)) throw badArgument('A journal is written by commits only.');
    const into = this.#partition(topic, partition);
    this.#refuseClosed();
    if (records.length === 0) return { start: into.end, end: into.end };
    const bytes = sizeOf(records);
    return this.#writer.enter(bytes, (group) => {
      group.appends = true;
      group.partitions.add(into);
      return into.pack(records, bytes);
    });
  }

  async read(topic: string, partition: number, from: number, maxBytes: number): Promise<RecordBatch[]> {
    this.#refuseClosed();
    const batches = await readFrom(this.#db, this.#partition(topic, partition), from, maxBytes);
    for (const { count, bytes } of batches) {
      this.#counts.readRecords += count;
      this.#counts.readBytes += bytes.length;
    }
    return batches;
  }

  extent(topic: string, partition: number): Extent {
    const { start, end } = this.#partition(topic, partition);
    return { start, end };
  }

  async latest(topic: string, partition: number): Promise<Extent> {
    this.#refuseClosed();
    return this.extent(topic, partition);
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    const { listeners } = this.#partition(topic, partition);
    // Wrapped, so that the same function can be registered twice and each unsubscribe ends its own.
    const own = () => listener();
    listeners.add(own);
    return () => listeners.delete(own);
  }

  async claim(journal: string, partition: number): Promise<Claim> {
    const owner = this.#owner(journal, partition);
    return this.#writer.enter(0, (group) => {
      owner.newest = { ...owner.newest, generation: owner.newest.generation + 1 };
      group.owners.add(owner);
      return { journal, partition, generation: owner.newest.generation };
    });
  }

  async commit(claim: Claim, batch: CommitBatch): Promise<number> {
    const owner = this.#owner(claim.journal, claim.partition);
    const parts = this.#partsOf(claim, batch.outputs);
    const journal = [{ key: null, value: batch.journal }];
    const into = this.#partition(claim.journal, claim.partition);
    parts.push({ into, records: journal, bytes: batch.journal.length });
    const position = Uint8Array.from(batch.position);
    const journalNext = await this.#writer.enter(sum(parts), (group) => {
      const generation = refuseFenced(owner, claim);
      const ends = packAll(group, parts, claim.partition);
      owner.newest = { generation, position, ends: { ...owner.newest.ends, ...ends } };
      group.owners.add(owner);
      group.commits = true;
      return into.next;
    });
    this.#counts.commits += 1;
    return journalNext;
  }

  async publish(claim: Claim, records: ReadonlyMap<string, readonly KeyedRecord[]>): Promise<void> {
    const owner = this.#owner(claim.journal, claim.partition);
    const parts = this.#partsOf(claim, new Map([...records].map(([topic, list]) => [topic, list.map(untombed)])));
    await this.#writer.enter(sum(parts), (group) => {
      refuseFenced(owner, claim);
      packAll(group, parts, claim.partition);
      group.appends = true;
    });
  }

  async committed(journal: string, partition: number): Promise<Committed> {
    this.#refuseClosed();
    const { generation, position, ends } = this.#owner(journal, partition).durable;
    return { generation, position, journalNext: ends[journal] ?? 0 };
  }

  async trim(topic: string, partition: number, retention: Retention, notPast: number): Promise<Extent> {
    const from = this.#partition(topic, partition);
    for (;;) {
      this.#refuseClosed();
      const step = planTrim(this.#db, from, retention, notPast, this.#clock.now());
      if (step === null) return { start: from.start, end: from.end };
      const bytes = step.bytesBeforeStart - from.bytesBeforeStart;
      // At once, so that a second trim goes on from here and no reader meets a value half gone.
      from.start = step.start;
      from.bytesBeforeStart = step.bytesBeforeStart;
      await this.#writer.enter(0, (group) => group.rows.push(...step.ops));
      this.#giveRoomBack(from, bytes);
    }
  }

  get stats(): EmbeddedLogStats {
    const { queuedBytes, waitingCallers, stats } = this.#writer;
    return { ...stats, ...this.#counts, queuedBytes, waitingCallers };
  }

  /** Writes what was accepted, then ends. Every later call fails with `log_closed`. */
  close(): Promise<void> {
    this.#closing ??= this.#writer.close().then(() => this.#db.close());
    return this.#closing;
  }

  #partsOf(claim: Claim, outputs: CommitBatch['outputs']): Part[] {
    const parts: Part[] = [];
    for (const [topic, records] of outputs) {
      if (isJournal(topic)) throw badArgument('The journal is no output of its own.');
      for (const [partition, list] of byPartition(records, claim.partition)) {
        parts.push({ into: this.#partition(topic, partition), records: list, bytes: sizeOf(list) });
      }
    }
    return parts;
  }

  #partition(topic: string, index: number): Partition {
    const known = this.#open.get(`${topic}/${index}`);
    if (known !== undefined) return known;
    this.#checkIndex(index);
    if (!isTopicName(topic)) throw badArgument(`"${topic}" is no topic name: letters, digits, dot, dash, underscore.`);
    const made = new Partition(topic, index, { start: 0, end: 0, crc: 0, bytes: 0, bytesBeforeStart: 0 });
    this.#open.set(`${topic}/${index}`, made);
    return made;
  }

  #owner(journal: string, partition: number): Owner {
    const known = this.#owners.get(`${journal}/${partition}`);
    if (known !== undefined) return known;
    this.#checkIndex(partition);
    if (!isJournal(journal))
      throw badArgument(`"${journal}" is no journal: "journal", or a name that ends in "-journal".`);
    const none = { generation: 0, position: null, ends: {} };
    const made: Owner = { journal, partition, newest: none, durable: none };
    this.#owners.set(`${journal}/${partition}`, made);
    return made;
  }

  #checkIndex(partition: number): void {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.partitions) return;
    throw badArgument(`There is no partition ${partition}; the log has 0..${this.partitions - 1}.`);
  }

  #refuseClosed(): void {
    if (this.#writer.refusal !== null) throw this.#writer.refusal;
  }

  #notify(partition: Partition): void {
    for (const listener of partition.listeners) {
      try {
        listener();
      } catch (error) {
        this.#say({ level: 'error', msg: 'A listener of the log failed', fields: { topic: partition.topic, error } });
      }
    }
  }

  #giveRoomBack(partition: Partition, bytes: number): void {
    const sum = (this.#uncompacted.get(partition) ?? 0) + bytes;
    this.#uncompacted.set(partition, sum < COMPACT_AFTER_BYTES ? sum : 0);
    if (sum < COMPACT_AFTER_BYTES || this.#closing !== null) return;
    const { topic, index, start } = partition;
    const { gte } = partitionRange(topic, index);
    this.#db.compactRange(gte, recordsKey(topic, index, start)).catch((error: unknown) => {
      this.#say({
        level: 'warn',
        msg: 'Room of trimmed records could not be given back yet',
        fields: { topic, error },
      });
    });
  }
}

/** Opens the log in `options.dir`, verified. Throws `log_locked`, `log_partitions_changed` or `log_corrupt`. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { dir, partitions, acceptLoss = false, onMessage = () => {} } = options;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
    throw badArgument(`A log has 1 to ${MAX_PARTITIONS} partitions, not ${partitions}.`);
  }
  return new EmbeddedLog(await openVerified({ dir, partitions, acceptLoss, onMessage }), options);
}

function sizeOf(records: readonly AppendRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += recordSize(record);
  return bytes;
}

interface Part {
  readonly into: Partition;
  readonly records: readonly AppendRecord[];
  readonly bytes: number;
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((bytes, part) => bytes + part.bytes, 0);
}

/** The generation of the claim, if it is the newest. */
function refuseFenced(owner: Owner, claim: Claim): number {
  const { generation } = owner.newest;
  if (claim.generation !== generation) throw fenced(claim.partition, claim.generation, generation);
  return generation;
}

/** Nothing is compacted here: a tombstone is a record with an empty value, and stays. */
function untombed({ key, value }: KeyedRecord): AppendRecord {
  return { key, value: value ?? NOTHING };
}

/** Records of one topic by the partition they go to, each list in order. */
function byPartition(records: readonly OutputRecord[], own: number): Map<number, readonly AppendRecord[]> {
  if (records.every((r) => r.partition === undefined)) return new Map([[own, records]]);
  const lists = new Map<number, AppendRecord[]>();
  for (const record of records) {
    const partition = record.partition ?? own;
    const list = lists.get(partition);
    if (list === undefined) lists.set(partition, [record]);
    else list.push(record);
  }
  return lists;
}

/** Packs every part and returns where each topic of the committing partition ends then. */
function packAll(group: Group, parts: readonly Part[], own: number): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const { into, records, bytes } of parts) {
    if (records.length === 0) continue;
    group.partitions.add(into);
    const { end } = into.pack(records, bytes);
    if (into.index === own) ends[into.topic] = end;
  }
  return ends;
}
