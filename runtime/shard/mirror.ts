import type { PartitionState } from '../../snapshots/contract.ts';
import { segmentPlaceOf } from '../../snapshots/keys.ts';
import {
  type ExportedSnapshot,
  type MirroredSnapshot,
  nameOf,
  type SnapshotName,
  type StateRow,
} from '../../snapshots/mirrored.ts';
import { crashPoint } from '../kernel/crash.ts';
import type { Claim, KeyedRecord, Log } from '../log/contract.ts';
import type { ActorTopics } from './contract.ts';
import { encodeHead, encodeMark, type Head, headKey, markKey } from './mirror-head.ts';
import { type Relation, relationOf } from './mirror-start.ts';
import { type MirrorTail, readRows, readRowsBack, readTail } from './mirror-topic.ts';
import type { ShardPosition } from './position.ts';

/**
 * Rows go out in pieces, each a transaction of its own: commits go between them, and a commit waits for one piece at
 * most. A larger row goes alone.
 */
const CHUNK = { bytes: 200_000, records: 1000 };
const ANCESTORS = 32;

export type MirrorTopics = Pick<ActorTopics, 'snapshots' | 'windows'>;

export interface MirrorFigures {
  readonly number: number;
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/**
 * The newest snapshot of a partition in its snapshots topic, for its next owner. The rows of the database are
 * published as they are, those that the snapshot before did not have; then the head, which makes the snapshot exist;
 * then tombstones for what only the one before needed; then a mark. Segments of windows go to a topic of their own, so
 * that the next owner need not read past them. The snapshots topic is written to first and last: what it says of
 * itself holds for both.
 */
export class Mirror {
  readonly #log: Log;
  readonly #topic: string;
  readonly #windows: string;
  readonly #partition: number;
  readonly #chunk: typeof CHUNK;
  #head: Head | null;
  /** The snapshot of which the topic has every row. */
  #base: { readonly number: number; readonly manifest: Buffer } | null = null;
  /** Rows may stand in the topic that no head needs. */
  #isLittered: boolean;

  private constructor(
    log: Log,
    { snapshots, windows = snapshots }: MirrorTopics,
    partition: number,
    chunk: typeof CHUNK,
    tail: MirrorTail,
  ) {
    this.#chunk = chunk;
    this.#log = log;
    this.#topic = snapshots;
    this.#windows = windows;
    this.#partition = partition;
    this.#head = tail.head;
    this.#isLittered = !tail.isEmpty && tail.mark === null;
  }

  /** Reads how the topic ends. Call it with the claim in hand: nobody else writes to it then. */
  static async open(log: Log, topics: MirrorTopics, partition: number, chunk = CHUNK): Promise<Mirror> {
    return new Mirror(log, topics, partition, chunk, await readTail(log, topics.snapshots, partition));
  }

  /** Position of the mirrored snapshot; null where none can be used. */
  get position(): ShardPosition | null {
    return this.#head?.position ?? null;
  }

  /** The mirrored snapshot, to restore from. */
  get snapshot(): MirroredSnapshot | null {
    if (this.#head === null) return null;
    const { number, layout, manifest, holdsWindows } = this.#head;
    const windows = holdsWindows ? this.#topic : this.#windows;
    return { number, layout, manifest, rows: () => this.#rows(this.#topic), windows: () => this.#rowsBack(windows) };
  }

  relation(local: readonly SnapshotName[]): Relation {
    return this.#head === null ? 'apart' : relationOf(local, this.#head, nameOf(0, this.#head.manifest).crc);
  }

  /** What it holds turned out damaged: the next publication replaces it as a whole. */
  giveUp(): void {
    this.#head = null;
    this.#isLittered = true;
  }

  /** From now on `state` is what is published; rows that the topic has already are not sent again. */
  async follow(state: PartitionState): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    const relation = this.relation(await state.snapshots());
    const isElsewhere = head.holdsWindows !== this.#holdsWindows;
    if (isElsewhere) this.#base = null;
    else if (relation === 'same') this.#base = head;
    else if (relation === 'behind') {
      const newest = (await state.export(null)) as ExportedSnapshot;
      this.#base = { number: newest.name.number, manifest: newest.manifest };
    }
    if (isElsewhere || relation !== 'same') this.#isLittered = true;
    state.passNumbers(head.number);
  }

  /**
   * Publishes the newest durable snapshot of `state`, which stands at `position`. Null where it is there already.
   * Throws `log_fenced`, and whatever writing to the log throws; what was published until then does no harm.
   */
  async publish(claim: Claim, state: PartitionState, position: ShardPosition): Promise<MirrorFigures | null> {
    const started = performance.now();
    const exported = await state.export(this.#base);
    if (exported === null || this.#isPublished(exported.name)) return null;
    const chunks = this.#chunks(claim);
    const isLittered = this.#isLittered;
    this.#isLittered = true;
    crashPoint('mirror.1');
    for await (const rows of exported.rows()) for (const row of rows) await chunks.add(this.#topicOf(row.key), row);
    const head = this.#nextHead(exported, position);
    await chunks.add(this.#topic, { key: headKey, value: encodeHead(head) });
    for await (const keys of exported.obsolete()) {
      for (const key of keys) await chunks.add(this.#topicOf(key), { key, value: null });
    }
    await chunks.flush();
    crashPoint('mirror.3');
    this.#head = head;
    this.#base = head;
    if (isLittered || !exported.isComplete) await this.#sweep(exported, chunks);
    this.#isLittered = false;
    await chunks.add(this.#topic, { key: markKey, value: encodeMark({ number: head.number, released: null }) });
    await chunks.flush();
    crashPoint('mirror.4');
    const { records, bytes } = chunks;
    return { number: head.number, records, bytes, durationMs: performance.now() - started };
  }

  /**
   * Says that the partition is let go. Where the mirrored snapshot does not hold everything that was committed, only if
   * there is nothing left to remove either: the mark says that too.
   */
  async release(claim: Claim, committed: ShardPosition): Promise<void> {
    const head = this.#head;
    if (head === null || (head.position.commit !== committed.commit && this.#isLittered)) return;
    const value = encodeMark({ number: head.number, released: committed.commit });
    await this.#log.publish(claim, new Map([[this.#topic, [{ key: markKey, value }]]]));
  }

  #isPublished({ number, crc }: SnapshotName): boolean {
    return this.#head !== null && this.#head.number === number && nameOf(0, this.#head.manifest).crc === crc;
  }

  #nextHead({ name, layout, manifest }: ExportedSnapshot, position: ShardPosition): Head {
    const before =
      this.#base === null ? [] : (this.#head?.ancestors ?? []).filter((a) => a.number < this.#base!.number);
    const base = this.#base === null ? [] : [nameOf(this.#base.number, this.#base.manifest)];
    const ancestors = [...before, ...base].slice(-ANCESTORS);
    return { number: name.number, position, layout, manifest, ancestors, holdsWindows: this.#holdsWindows };
  }

  get #holdsWindows(): boolean {
    return this.#windows === this.#topic;
  }

  #topicOf(key: Buffer): string {
    return segmentPlaceOf(key) === null ? this.#topic : this.#windows;
  }

  /** Tombstones for every row that the snapshot just published does not need. */
  async #sweep(exported: ExportedSnapshot, chunks: Chunks): Promise<void> {
    const named = await exported.named();
    for (const topic of new Set([this.#windows, this.#topic])) {
      const litter = new Map<string, Buffer>();
      for await (const rows of this.#rows(topic)) {
        for (const { key, value } of rows) {
          if (key.equals(headKey) || key.equals(markKey)) continue;
          if (this.#topicOf(key) === topic && named.has(key)) continue;
          if (value === null) litter.delete(key.toString('latin1'));
          else litter.set(key.toString('latin1'), Buffer.from(key));
        }
      }
      for (const key of litter.values()) await chunks.add(topic, { key, value: null });
    }
  }

  async *#rows(topic: string): AsyncGenerator<StateRow[]> {
    const { start, end } = await this.#log.latest(topic, this.#partition);
    yield* readRows(this.#log, topic, this.#partition, { from: start, to: end });
  }

  async *#rowsBack(topic: string): AsyncGenerator<StateRow[]> {
    const { start, end } = await this.#log.latest(topic, this.#partition);
    yield* readRowsBack(this.#log, topic, this.#partition, { from: start, to: end });
  }

  #chunks(claim: Claim): Chunks {
    return new Chunks(this.#chunk, (records) => this.#log.publish(claim, records));
  }
}

/** Collects records and publishes them in pieces of bounded size, in order. */
class Chunks {
  records = 0;
  bytes = 0;
  readonly #limit: typeof CHUNK;
  readonly #publish: (records: ReadonlyMap<string, readonly KeyedRecord[]>) => Promise<void>;
  #waiting = new Map<string, KeyedRecord[]>();
  #waitingRecords = 0;
  #waitingBytes = 0;

  constructor(limit: typeof CHUNK, publish: (records: ReadonlyMap<string, readonly KeyedRecord[]>) => Promise<void>) {
    this.#limit = limit;
    this.#publish = publish;
  }

  async add(topic: string, record: KeyedRecord): Promise<void> {
    const bytes = record.key.length + (record.value?.length ?? 0);
    if (this.#waitingRecords === this.#limit.records || this.#waitingBytes + bytes > this.#limit.bytes)
      await this.flush();
    const waiting = this.#waiting.get(topic);
    if (waiting === undefined) this.#waiting.set(topic, [record]);
    else waiting.push(record);
    this.#waitingRecords += 1;
    this.#waitingBytes += bytes;
  }

  async flush(): Promise<void> {
    if (this.#waitingRecords === 0) return;
    await this.#publish(this.#waiting);
    this.records += this.#waitingRecords;
    this.bytes += this.#waitingBytes;
    this.#waiting = new Map();
    this.#waitingRecords = 0;
    this.#waitingBytes = 0;
    crashPoint('mirror.2');
  }
}
