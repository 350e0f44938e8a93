import type { RecordBatch } from '../contract.ts';
import { closed, corrupt, isTransient, outOfRange, refused, typeOf } from './failures.ts';
import type { Extents } from './extents.ts';
import { Feed, pushBatch, within } from './feed.ts';
import type { Link } from './link.ts';
import { listExtents } from './list-offsets.ts';
import type { Segment } from './segment.ts';
import { stripFrames } from './journal-frame.ts';
import { type FetchBounds, type Fetched, type FetchFrom, fetch } from './wire/fetch.ts';

export interface FetcherOptions {
  readonly link: Link;
  readonly extents: Extents;
  readonly bounds: FetchBounds;
  /** Bytes fetched ahead of the reader of a partition, and in all. */
  readonly maxFeedBytes: number;
  readonly maxBufferedBytes: number;
  readonly isJournal: (topic: string) => boolean;
}

/** A feed that nobody read for so long is no longer fetched. */
const IDLE_MS = 30_000;
/** A reader elsewhere in the partition may take a feed that was not read for so long. */
const FREE_AFTER_MS = 1_000;
const PAUSE_AFTER_REFUSAL_MS = 500;
/** So often a leader must say that a partition ends before what is to be read. */
const ASKED_FOR_END = 4;
/** After so many empty answers below the known end a read asks where the partition really ends. */
const MAX_EMPTY_ROUNDS = 3;

/**
 * Reads committed records. Per node one long poll runs over all partitions that are read or listened to and whose
 * readers keep up; a reader that is elsewhere in the partition fetches by itself.
 */
export class Fetcher {
  readonly counts = { fetches: 0, records: 0, bytes: 0 };
  readonly #options: FetcherOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #polls = new Map<number, Promise<void>>();
  #finding: Promise<void> | null = null;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  async read(topic: string, partition: number, from: number, maxBytes: number): Promise<RecordBatch[]> {
    const { link, extents } = this.#options;
    await link.know(topic);
    const feed = this.#feed(topic, partition);
    for (let empty = 0; ; ) {
      if (link.isClosed) throw closed();
      if (feed.error !== null) throw takeError(feed);
      const { start, end } = extents.get(topic, partition);
      if (from < start) throw outOfRange(topic, partition, from, start, end);
      if (feed.holds(from)) {
        feed.readAt = performance.now();
        this.#poll();
        return this.#counted(await feed.read(from, maxBytes));
      }
      if (from > end) {
        await this.#refuseBeyond(topic, partition, from);
        continue;
      }
      if (from >= end || (empty >= MAX_EMPTY_ROUNDS && (await this.#endsAt(topic, partition)) <= from)) {
        this.#waitAt(feed, from);
        return [];
      }
      if (empty >= MAX_EMPTY_ROUNDS) {
        // A new leader may know less of what is committed than the one before told, for some moments.
        await link.pause(PAUSE_AFTER_REFUSAL_MS);
        await link.refresh();
        empty = 0;
      }
      if (feed.asked === from && feed.position === from) await feed.nextAnswer();
      else {
        const batches = await this.#readAside(feed, from, maxBytes);
        if (batches.length > 0) return this.#counted(batches);
      }
      if (!feed.holds(from)) empty += 1;
    }
  }

  /** Somebody listens to the partition: its end is watched. */
  watch(topic: string, partition: number): void {
    this.#feed(topic, partition);
    this.#poll();
  }

  /** Fetches once, apart from the feeds. */
  async once(topic: string, partition: number, from: number): Promise<Fetched> {
    const { link, extents, bounds } = this.#options;
    return link.persist(`reading ${topic}/${partition}`, async () => {
      const broker = await link.leader(topic, partition);
      const wanted = [{ topic, partition, offset: from }];
      const [fetched] = await link.on(broker, 'calls', (c) => fetch(c, wanted, { ...bounds, maxWaitMs: 0 }));
      this.counts.fetches += 1;
      if (fetched.error === null) extents.observe(topic, partition, fetched.start, fetched.end);
      else if (typeOf(fetched.error) !== 'OFFSET_OUT_OF_RANGE') throw fetched.error;
      return fetched;
    });
  }

  async #decode(topic: string, partition: number, segment: Segment): Promise<RecordBatch[]> {
    const batches = await nextStored(topic, partition, segment);
    if (this.#options.isJournal(topic)) batches.forEach(stripFrames);
    return batches;
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds.values()) feed.answered();
    await Promise.all(this.#polls.values());
    await this.#finding?.catch(() => {});
  }

  get bufferedBytes(): number {
    let sum = 0;
    for (const feed of this.#feeds.values()) sum += feed.bytes;
    return sum;
  }

  /** Returns where `from` is not beyond the end; asks some times, as whoever led before may not know yet that another does. */
  async #refuseBeyond(topic: string, partition: number, from: number): Promise<void> {
    const { link, extents } = this.#options;
    for (let asked = 1; (await this.#endsAt(topic, partition)) < from; asked++) {
      const { start, end } = extents.get(topic, partition);
      if (from <= end) return;
      if (asked === ASKED_FOR_END) throw outOfRange(topic, partition, from, start, end);
      await link.pause(PAUSE_AFTER_REFUSAL_MS);
      await link.refresh();
    }
  }

  /** The end as the leader says it now; what is known here is put right. */
  async #endsAt(topic: string, partition: number): Promise<number> {
    const { link, extents } = this.#options;
    const version = extents.version(topic, partition);
    const [{ extent }] = await listExtents(link, [{ topic, partition }]);
    extents.correct(topic, partition, version, extent);
    return extent.end;
  }

  /** Nothing to read yet: the poll goes on where this reader stands. */
  #waitAt(feed: Feed, from: number): void {
    if (feed.position !== from && isFree(feed)) feed.moveTo(from);
    if (feed.position === from) feed.readAt = performance.now();
    this.#poll();
  }

  /** Fetches at `from` without waiting for the poll; what came becomes the feed's, where no other reader uses it. */
  async #readAside(feed: Feed, from: number, maxBytes: number): Promise<RecordBatch[]> {
    const { topic, partition } = feed;
    const takesOver = feed.position === from || isFree(feed);
    if (takesOver) feed.isHeld = true;
    try {
      const { segment, start } = await this.once(topic, partition, from);
      if (segment === null) {
        await this.#refuseBeyond(topic, partition, from);
        const { end } = this.#options.extents.get(topic, partition);
        if (from < start || from > end) throw outOfRange(topic, partition, from, start, end);
        return [];
      }
      if (takesOver) {
        feed.moveTo(from, segment);
        feed.readAt = performance.now();
        return [];
      }
      const batches: RecordBatch[] = [];
      while (!segment.isRead && within(batches, maxBytes).length === batches.length) {
        for (const batch of await this.#decode(topic, partition, segment)) {
          if (batch.baseOffset + batch.count > from) pushBatch(batches, batch);
        }
      }
      return within(batches, maxBytes);
    } finally {
      if (takesOver) feed.isHeld = false;
    }
  }

  #counted(batches: RecordBatch[]): RecordBatch[] {
    for (const { count, keyStart, valueEnd } of batches) {
      this.counts.records += count;
      if (count > 0) this.counts.bytes += valueEnd[count - 1] - keyStart[0];
    }
    return batches;
  }

  #feed(topic: string, partition: number): Feed {
    const key = `${topic}/${partition}`;
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    const { end } = this.#options.extents.get(topic, partition);
    const made = new Feed(topic, partition, end, (segment) => this.#decode(topic, partition, segment));
    this.#feeds.set(key, made);
    return made;
  }

  /** Starts the polls that have something to ask for and do not run. */
  #poll(): void {
    const { link } = this.#options;
    if (link.isClosed) return;
    let isLeaderless = false;
    const isFull = this.#isFull;
    for (const feed of this.#feeds.values()) {
      if (!this.#isWanted(feed, isFull)) continue;
      const node = link.leaderOf(feed.topic, feed.partition);
      if (node === null) isLeaderless = true;
      else if (!this.#polls.has(node)) this.#start(node);
    }
    if (isLeaderless) this.#findLeaders();
  }

  #start(node: number): void {
    const running = this.#run(node).finally(() => {
      this.#polls.delete(node);
      // What was refused by this node is asked for again, wherever it is led now.
      this.#poll();
    });
    this.#polls.set(node, running);
  }

  #findLeaders(): void {
    const { link } = this.#options;
    const find = async () => {
      for (const feed of [...this.#feeds.values()]) {
        await link.know(feed.topic).catch((error: unknown) => {
          feed.error = error;
          feed.answered();
        });
      }
      await link.pause(PAUSE_AFTER_REFUSAL_MS);
      await link.refresh();
    };
    this.#finding ??= find().finally(() => {
      this.#finding = null;
      this.#poll();
    });
  }

  get #isFull(): boolean {
    return this.bufferedBytes >= this.#options.maxBufferedBytes;
  }

  /** `isFull`: nothing more is to be fetched ahead, but a reader that has nothing left is fed. */
  #isWanted(feed: Feed, isFull: boolean): boolean {
    const { extents, maxFeedBytes } = this.#options;
    if (feed.isHeld || feed.error !== null || (isFull && feed.bytes > 0)) return false;
    const isUsed =
      feed.isAwaited || performance.now() - feed.readAt < IDLE_MS || extents.isHeard(feed.topic, feed.partition);
    return isUsed && feed.bytes < maxFeedBytes;
  }

  #wantedOf(node: number): Feed[] {
    const { link } = this.#options;
    const isFull = this.#isFull;
    const wanted: Feed[] = [];
    for (const feed of this.#feeds.values()) {
      if (!this.#isWanted(feed, isFull)) continue;
      if (link.leaderOf(feed.topic, feed.partition) === node) wanted.push(feed);
    }
    return wanted;
  }

  /** Polls a node until there is nothing to ask it for. */
  async #run(node: number): Promise<void> {
    const { link } = this.#options;
    while (!link.isClosed) {
      let asked: Feed[] = [];
      try {
        const fetched = await link.persist(`fetching from node ${node}`, async () => {
          asked = this.#wantedOf(node);
          return asked.length === 0 ? [] : this.#ask(node, asked);
        });
        if (asked.length === 0) return;
        await this.#take(fetched);
      } catch (error) {
        for (const feed of asked) feed.error = link.isClosed ? closed() : refused('to be read', error);
        return;
      } finally {
        for (const feed of asked) {
          feed.asked = null;
          feed.answered();
        }
      }
    }
  }

  async #ask(node: number, feeds: readonly Feed[]): Promise<Fetched[]> {
    const { link, bounds } = this.#options;
    const broker = await link.broker(node);
    // In another order each time: the answer is filled from the front.
    const first = Math.floor(Math.random() * feeds.length);
    const inTurn = [...feeds.slice(first), ...feeds.slice(0, first)];
    const wanted: FetchFrom[] = inTurn.map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position,
    }));
    for (const feed of feeds) feed.asked = feed.position;
    this.counts.fetches += 1;
    return link.on(broker, 'polls', (connection) => fetch(connection, wanted, bounds));
  }

  async #take(fetched: readonly Fetched[]): Promise<void> {
    const { link, extents } = this.#options;
    let isStale = false;
    for (const { topic, partition, error, segment, start, end } of fetched) {
      const feed = this.#feeds.get(`${topic}/${partition}`);
      if (feed === undefined || feed.asked !== feed.position || feed.isHeld) continue;
      if (segment !== null) {
        const hasData = segment.nextOffset > feed.position;
        if (hasData) feed.add(segment);
        extents.observe(topic, partition, start, end);
        if (hasData) extents.notify(topic, partition);
      } else if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') await this.#backInRange(feed);
      else if (isTransient(error)) isStale = true;
      else feed.error = unreadable(feed, error as Error);
    }
    if (!isStale) return;
    await link.pause(PAUSE_AFTER_REFUSAL_MS);
    await link.refresh();
  }

  /** The poll stands where nothing is any more. Its reader is told the range when it asks; until then only the end is watched. */
  async #backInRange(feed: Feed): Promise<void> {
    feed.moveTo(await this.#endsAt(feed.topic, feed.partition));
  }
}

/** The next stored batch of a segment, as it was written. Throws `log_corrupt`. */
export async function nextStored(topic: string, partition: number, segment: Segment): Promise<RecordBatch[]> {
  const { offset } = segment;
  try {
    return await segment.next();
  } catch (error) {
    throw corrupt(topic, partition, offset, (error as Error).message, error);
  }
}

function isFree(feed: Feed): boolean {
  return performance.now() - feed.readAt > FREE_AFTER_MS;
}

function unreadable({ topic, partition, position }: Feed, error: Error): Error {
  if (typeOf(error) === undefined) return corrupt(topic, partition, position, error.message, error);
  return refused(`to let ${topic}/${partition} be read`, error);
}

function takeError(feed: Feed): unknown {
  const { error } = feed;
  feed.error = null;
  return error;
}
