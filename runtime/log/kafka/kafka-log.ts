import { type Clock, systemClock } from '../../kernel/clock.ts';
import {
  type AppendRecord,
  type Claim,
  type CommitBatch,
  type Committed,
  type Extent,
  isJournal,
  type KeyedRecord,
  type Log,
  type RecordBatch,
  type Retention,
  topics,
} from '../contract.ts';
import { Appender } from './appender.ts';
import { type NewestFrame, newestFrame } from './committed.ts';
import type { KafkaConnection } from './connection.ts';
import { Extents } from './extents.ts';
import { badArgument, closed, fenced, isFence } from './failures.ts';
import { Fetcher } from './fetcher.ts';
import { groupLag } from './group-offsets.ts';
import { Health, type KafkaHealth } from './health.ts';
import { Link, notYet } from './link.ts';
import { listExtents } from './list-offsets.ts';
import { Owner } from './owner.ts';
import { generationOf, initTransactional } from './producer-id.ts';
import { TransactionalProducer } from './transaction.ts';
import { trimTo } from './trim.ts';
import { openCluster } from './wire/kafkajs.ts';

export interface KafkaLogOptions {
  readonly connection: KafkaConnection;
  /** How many partitions each topic has. */
  readonly partitions: number;
  /** Gives records their timestamps. @default systemClock */
  readonly clock?: Clock;
  /** How long the broker may wait before it answers a fetch with nothing, ms. @default 100 */
  readonly fetchMaxWaitMs?: number;
  /** Of one answer to a fetch; one batch comes in any case. @default 16 MiB */
  readonly fetchMaxBytes?: number;
  /** Of one partition in one answer. @default 1 MiB */
  readonly fetchPartitionBytes?: number;
  /** Bytes fetched ahead of the readers, in all. @default 64 MiB */
  readonly maxBufferedBytes?: number;
  /** Bytes of records that may wait to be written; further callers wait. @default 8 MiB */
  readonly maxQueueBytes?: number;
  /** The broker aborts a transaction that takes longer, ms. @default 60,000 */
  readonly transactionTimeoutMs?: number;
}

export interface KafkaLogStats {
  readonly appendedRecords: number;
  readonly appendedBytes: number;
  readonly commits: number;
  /** Time that commits took in all, ms. */
  readonly commitMs: number;
  readonly readRecords: number;
  readonly readBytes: number;
  readonly fetches: number;
  /** Calls to the cluster that were repeated. */
  readonly retries: number;
  readonly queuedBytes: number;
  readonly waitingCallers: number;
  /** Bytes fetched ahead of the readers. */
  readonly bufferedBytes: number;
}

const MiB = 1 << 20;
/** Connections that transactions are spread over: a broker answers the calls of one connection one after the other. */
const LANES = 4;
const SWEEP_MS = 1_000;
const ASKED_WITHIN_MS = 10_000;
/** How long `close` waits for what was accepted while the cluster does not answer. */
const CLOSE_WITHIN_MS = 10_000;
const NO_MARK = -1;
const known = [...Object.values(topics), 'site-journal', 'site-snapshots'];

/**
 * The log on Kafka. Positions are read from the journal, committed with its outputs in one transaction; the offsets of
 * the consumer group are written along for people and tools. What passes by itself (a broker away, a leader moved) is
 * waited for; {@link KafkaLog.health} tells.
 *
 * Records handed to `append` and `commit` must not change until the promise settles.
 */
export class KafkaLog implements Log {
  readonly partitions: number;
  readonly shared = true;
  readonly #connection: KafkaConnection;
  readonly #clock: Clock;
  readonly #options: KafkaLogOptions;
  readonly #health: Health;
  readonly #extents: Extents;
  readonly #link: Link;
  readonly #lanes: Link[];
  readonly #fetcher: Fetcher;
  readonly #appender: Appender;
  readonly #owners = new Map<string, Owner>();
  readonly #counts = { commits: 0, commitMs: 0 };
  #sweep: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: KafkaLogOptions) {
    const { connection, partitions, clock = systemClock } = options;
    this.partitions = partitions;
    this.#connection = connection;
    this.#options = options;
    this.#clock = clock;
    this.#health = new Health(connection.message, () => clock.now());
    this.#extents = new Extents((topic, error) =>
      connection.message('error', 'A listener of the log failed', { topic, error: String(error) }),
    );
    const link = () => new Link(openCluster(connection), this.#health);
    this.#link = link();
    this.#lanes = Array.from({ length: Math.min(LANES, partitions) }, link);
    this.#fetcher = new Fetcher({
      link: this.#link,
      extents: this.#extents,
      bounds: {
        maxWaitMs: options.fetchMaxWaitMs ?? 100,
        maxBytes: options.fetchMaxBytes ?? 16 * MiB,
        maxPartitionBytes: options.fetchPartitionBytes ?? MiB,
      },
      maxFeedBytes: 2 * (options.fetchPartitionBytes ?? MiB),
      maxBufferedBytes: options.maxBufferedBytes ?? 64 * MiB,
      isJournal: (topic) => isJournal(topic.slice(connection.topicPrefix.length)),
    });
    this.#appender = new Appender({
      link: this.#link,
      extents: this.#extents,
      compression: connection.compression ?? 'none',
      maxQueueBytes: options.maxQueueBytes ?? 8 * MiB,
      now: () => clock.now(),
    });
  }

  /** Learns the extents of every topic that exists. */
  async start(): Promise<void> {
    const there: string[] = [];
    for (const name of known) {
      const topic = this.#fullName(name);
      const isThere = await this.#link.know(topic).then(
        () => true,
        (error) => {
          if (error.code === 'log_topic_missing') return false;
          throw error;
        },
      );
      if (isThere) there.push(topic);
    }
    await this.#refresh(there.flatMap((topic) => this.#all(topic)));
    this.#scheduleSweep();
  }

  async append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Extent> {
    if (isJournal(topic)) throw badArgument('A journal is written by commits only.');
    this.#checkIndex(partition);
    this.#refuseClosed();
    const name = this.#fullName(topic);
    if (records.length > 0) return this.#appender.append(name, partition, records);
    const { end } = this.#extents.get(name, partition);
    return { start: end, end };
  }

  async read(topic: string, partition: number, from: number, maxBytes: number): Promise<RecordBatch[]> {
    this.#checkIndex(partition);
    this.#refuseClosed();
    return this.#fetcher.read(this.#fullName(topic), partition, from, maxBytes);
  }

  extent(topic: string, partition: number): Extent {
    this.#checkIndex(partition);
    return this.#extents.get(this.#fullName(topic), partition);
  }

  async latest(topic: string, partition: number): Promise<Extent> {
    this.#checkIndex(partition);
    this.#refuseClosed();
    const name = this.#fullName(topic);
    await this.#link.know(name);
    await this.#refresh([{ topic: name, partition }]);
    const { start, end } = this.#extents.get(name, partition);
    if (isJournal(topic)) return { start, end };
    // What we committed counts, although readers may see the end of the transaction some moments later.
    return { start, end: Math.max(end, ...[...this.#owners.values()].map((owner) => owner.endOf(name, partition))) };
  }

  onAppend(topic: string, partition: number, listener: () => void): () => void {
    this.#checkIndex(partition);
    const name = this.#fullName(topic);
    const unsubscribe = this.#extents.listen(name, partition, listener);
    if (this.#closing === null) this.#fetcher.watch(name, partition);
    return unsubscribe;
  }

  async claim(journal: string, partition: number): Promise<Claim> {
    this.#checkJournal(journal, partition);
    this.#refuseClosed();
    const link = this.#lanes[partition % this.#lanes.length];
    const { groupId, topicPrefix, compression = 'none' } = this.#connection;
    const transactionalId = `${groupId}-${topicPrefix}${journal}-${partition}`;
    const key = `${journal}/${partition}`;
    this.#owners.get(key)?.fence();
    const producer = await initTransactional(link, transactionalId, this.#options.transactionTimeoutMs ?? 60_000);
    const now = () => this.#clock.now();
    const transactions = new TransactionalProducer({ link, compression, transactionalId, producer, now });
    // Behind the fence: nothing that the old owner wrote can become visible after this. Who leads the journal gives it all.
    const mark = await transactions.mark(this.#fullName(journal), partition).catch(unlessFenced);
    const newest = await this.#newest(journal, partition, mark);
    const generation = Math.max(generationOf(producer), (newest?.generation ?? 0) + 1);
    const before = this.#owners.get(key);
    const claim = { journal, partition, generation };
    if (before !== undefined && before.claim.generation > generation) return claim;
    before?.fence();
    this.#owners.set(key, new Owner(claim, mark, transactions, (topic) => this.#fullName(topic)));
    await this.#compareGroup(partition, newest);
    await this.#refresh(this.#knownTopics().map((topic) => ({ topic, partition })));
    return claim;
  }

  async commit(claim: Claim, batch: CommitBatch): Promise<number> {
    this.#refuseJournals(batch.outputs);
    const owner = this.#ownerOf(claim);
    const began = performance.now();
    const next = await owner.commit(batch, this.#connection.groupId);
    this.#counts.commits += 1;
    this.#counts.commitMs += performance.now() - began;
    return next;
  }

  async publish(claim: Claim, records: ReadonlyMap<string, readonly KeyedRecord[]>): Promise<void> {
    this.#refuseJournals(records);
    await this.#ownerOf(claim).publish(records);
  }

  async committed(journal: string, partition: number): Promise<Committed> {
    this.#checkJournal(journal, partition);
    this.#refuseClosed();
    const owner = this.#owners.get(`${journal}/${partition}`);
    const newest = await this.#newest(journal, partition, owner?.mark ?? NO_MARK);
    const generation = Math.max(owner?.claim.generation ?? 0, newest?.generation ?? 0);
    const own = owner?.newest ?? null;
    // The end of a transaction becomes visible some moments after it was confirmed.
    if (own !== null && own.journalNext > (newest?.next ?? 0)) return { ...own, generation };
    return { position: newest?.position ?? null, generation, journalNext: newest?.next ?? 0 };
  }

  async trim(topic: string, partition: number, retention: Retention, notPast: number): Promise<Extent> {
    this.#checkIndex(partition);
    this.#refuseClosed();
    const name = this.#fullName(topic);
    await this.#link.know(name);
    const start = await trimTo(this.#link, { topic: name, partition }, retention, notPast, this.#clock.now());
    if (start !== null) this.#extents.observe(name, partition, start, start);
    return this.latest(topic, partition);
  }

  /** Whether the cluster answers; for readiness and metrics. */
  get health(): KafkaHealth {
    return this.#health.state;
  }

  get stats(): KafkaLogStats {
    const { records, bytes, fetches } = this.#fetcher.counts;
    return {
      ...this.#appender.counts,
      ...this.#counts,
      readRecords: records,
      readBytes: bytes,
      fetches,
      retries: this.#health.retries,
      queuedBytes: this.#appender.queuedBytes,
      waitingCallers: this.#appender.waitingCallers,
      bufferedBytes: this.#fetcher.bufferedBytes,
    };
  }

  /** Writes what was accepted, then ends; where the cluster does not answer it ends after 10 s. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#sweep !== null) clearTimeout(this.#sweep);
    const accepted = Promise.all([this.#appender.close(), ...[...this.#owners.values()].map((owner) => owner.idle())]);
    await Promise.race([accepted, this.#link.pause(CLOSE_WITHIN_MS)]);
    await Promise.all([this.#link, ...this.#lanes].map((link) => link.close()));
    await this.#fetcher.close();
    await accepted;
  }

  /** Of a journal that ends behind `mark`: whoever led it before may not know yet that another does. */
  async #newest(journal: string, partition: number, mark: number): Promise<NewestFrame | null> {
    const name = this.#fullName(journal);
    return this.#link.persist(`the end of ${name}/${partition}`, async () => {
      const extent = await this.latest(journal, partition);
      if (extent.end <= mark)
        throw notYet(`${name}/${partition} is said to end at ${extent.end}, and ${mark} is there`);
      return newestFrame(this.#fetcher, name, partition, extent);
    });
  }

  /** The group's offsets are for people; where they say another thing than the journal, the journal is right. */
  async #compareGroup(partition: number, newest: NewestFrame | null): Promise<void> {
    if (newest === null || newest.inputs.size === 0) return;
    const { groupId, message } = this.#connection;
    const committed = new Map([...newest.inputs].map(([topic, offset]) => [this.#fullName(topic), offset]));
    for (const { topic, journal, group } of await groupLag(this.#link, groupId, partition, committed)) {
      message('warn', 'The offset of the consumer group is not what the journal says; the journal counts', {
        topic,
        partition,
        journal,
        group,
      });
    }
  }

  async #refresh(of: readonly { topic: string; partition: number }[]): Promise<void> {
    const versions = of.map(({ topic, partition }) => this.#extents.version(topic, partition));
    const version = new Map(of.map(({ topic, partition }, i) => [`${topic}/${partition}`, versions[i]]));
    for (const { topic, partition, extent } of await listExtents(this.#link, of)) {
      this.#extents.correct(topic, partition, version.get(`${topic}/${partition}`) ?? 0, extent);
    }
  }

  #scheduleSweep(): void {
    if (this.#closing !== null) return;
    this.#sweep = setTimeout(() => {
      const stale = this.#extents
        .stale(ASKED_WITHIN_MS, SWEEP_MS)
        .filter(({ topic, partition }) => this.#link.leaderOf(topic, partition) !== null);
      this.#refresh(stale)
        // Closed meanwhile, or refused: the next reader is told.
        .catch(() => {})
        .finally(() => this.#scheduleSweep());
    }, SWEEP_MS).unref();
  }

  #knownTopics(): string[] {
    return known.map((name) => this.#fullName(name)).filter((topic) => this.#link.partitionsOf(topic) > 0);
  }

  #all(topic: string): { topic: string; partition: number }[] {
    return Array.from({ length: this.partitions }, (_, partition) => ({ topic, partition }));
  }

  #fullName(topic: string): string {
    return this.#connection.topicPrefix + topic;
  }

  #ownerOf(claim: Claim): Owner {
    this.#checkJournal(claim.journal, claim.partition);
    this.#refuseClosed();
    const owner = this.#owners.get(`${claim.journal}/${claim.partition}`);
    if (owner === undefined || owner.claim.generation !== claim.generation) {
      throw fenced(claim.journal, claim.partition, claim.generation);
    }
    return owner;
  }

  #refuseJournals(outputs: ReadonlyMap<string, unknown>): void {
    for (const topic of outputs.keys()) {
      if (isJournal(topic)) throw badArgument('The journal is no output of its own.');
    }
  }

  #checkJournal(journal: string, partition: number): void {
    this.#checkIndex(partition);
    if (isJournal(journal)) return;
    throw badArgument(`"${journal}" is no journal: "journal", or a name that ends in "-journal".`);
  }

  #checkIndex(partition: number): void {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.partitions) return;
    throw badArgument(`There is no partition ${partition}; the log has 0..${this.partitions - 1}.`);
  }

  #refuseClosed(): void {
    if (this.#closing !== null) throw closed();
  }
}

/** Connects and learns what the topics hold; waits while the cluster does not answer. */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const log = new KafkaLog(options);
  try {
    await log.start();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** Whoever claimed meanwhile is told by its own mark; here the first commit is refused. */
function unlessFenced(error: unknown): number {
  if (isFence(error)) return NO_MARK;
  throw error;
}
