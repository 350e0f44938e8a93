import type { PartitionState } from '../../snapshots/contract.ts';
import { type ExportedSnapshot, type MirroredSnapshot, nameOf, type SnapshotName } from '../../snapshots/mirrored.ts';
import { crashPoint } from '../kernel/crash.ts';
import type { Claim, KeyedRecord, Log } from '../log/contract.ts';
import { encodeHead, encodeMark, type Head, headKey, markKey } from './mirror-head.ts';
import { type Relation, relationOf } from './mirror-start.ts';
import { type MirrorTail, readRows, readTail } from './mirror-topic.ts';
import type { ShardPosition } from './position.ts';

/**
 * Rows go out in pieces, each a transaction of its own: commits go between them, and a commit waits for one piece at
 * most. A larger row goes alone.
 */
const CHUNK = { bytes: 200_000, records: 1000 };
const ANCESTORS = 32;

export interface MirrorFigures {
  readonly number: number;
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/**
 * The newest snapshot of a partition in its snapshots topic, for its next owner. The rows of the database are
 * published as they are, those that the snapshot before did not have; then the head, which makes the snapshot exist;
 * then tombstones for what only the one before needed; then a mark.
 */
export class Mirror {
  readonly #log: Log;
  readonly #topic: string;
  readonly #partition: number;
  readonly #chunk: typeof CHUNK;
  #head: Head | null;
  /** The snapshot of which the topic has every row. */
  #base: { readonly number: number; readonly manifest: Buffer } | null = null;
  /** Rows may stand in the topic that no head needs. */
  #isLittered: boolean;

  private constructor(log: Log, topic: string, partition: number, chunk: typeof CHUNK, tail: MirrorTail) {
    this.#chunk = chunk;
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
    this.#head = tail.head;
    this.#isLittered = !tail.isEmpty && tail.mark === null;
  }

  /** Reads how the topic ends. Call it with the claim in hand: nobody else writes to it then. */
  static async open(log: Log, topic: string, partition: number, chunk = CHUNK): Promise<Mirror> {
    return new Mirror(log, topic, partition, chunk, await readTail(log, topic, partition));
  }

  /** Position of the mirrored snapshot; null where none can be used. */
  get position(): ShardPosition | null {
    return this.#head?.position ?? null;
  }

  /** The mirrored snapshot, to restore from. */
  get snapshot(): MirroredSnapshot | null {
    if (this.#head === null) return null;
    const { number, layout, manifest } = this.#head;
    return { number, layout, manifest, rows: () => this.#rows() };
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
    if (relation === 'same') this.#base = head;
    else if (relation === 'behind') {
      const newest = (await state.export(null)) as ExportedSnapshot;
      this.#base = { number: newest.name.number, manifest: newest.manifest };
    }
    if (relation !== 'same') this.#isLittered = true;
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
    for await (const rows of exported.rows()) for (const row of rows) await chunks.add(row);
    const head = this.#nextHead(exported, position);
    await chunks.add({ key: headKey, value: encodeHead(head) });
    for await (const keys of exported.obsolete()) for (const key of keys) await chunks.add({ key, value: null });
    await chunks.flush();
    crashPoint('mirror.3');
    this.#head = head;
    this.#base = head;
    if (isLittered || !exported.isComplete) await this.#sweep(exported, chunks);
    this.#isLittered = false;
    await chunks.add({ key: markKey, value: encodeMark({ number: head.number, released: null }) });
    await chunks.flush();
    crashPoint('mirror.4');
    const { records, bytes } = chunks;
    return { number: head.number, records, bytes, durationMs: performance.now() - started };
  }

  /** Says that the partition is let go. Only where the mirrored snapshot holds everything that was committed. */
  async release(claim: Claim, committed: ShardPosition): Promise<void> {
    const head = this.#head;
    if (head === null || head.position.commit !== committed.commit) return;
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
    return { number: name.number, position, layout, manifest, ancestors };
  }

  /** Tombstones for every row that the snapshot just published does not need. */
  async #sweep(exported: ExportedSnapshot, chunks: Chunks): Promise<void> {
    const named = await exported.named();
    const litter = new Map<string, Buffer>();
    for await (const rows of this.#rows()) {
      for (const { key, value } of rows) {
        if (key.equals(headKey) || key.equals(markKey) || named.has(key)) continue;
        if (value === null) litter.delete(key.toString('latin1'));
        else litter.set(key.toString('latin1'), Buffer.from(key));
      }
    }
    for (const key of litter.values()) await chunks.add({ key, value: null });
  }

  async *#rows(): AsyncGenerator<{ key: Buffer; value: Buffer | null }[]> {
    const { start, end } = await this.#log.latest(this.#topic, this.#partition);
    yield* readRows(this.#log, this.#topic, this.#partition, { from: start, to: end });
  }

  #chunks(claim: Claim): Chunks {
    return new Chunks(this.#chunk, (records) => this.#log.publish(claim, new Map([[this.#topic, records]])));
  }
}

/** Collects records and publishes them in pieces of bounded size, in order. */
class Chunks {
  records = 0;
  bytes = 0;
  readonly #limit: typeof CHUNK;
  readonly #publish: (records: readonly KeyedRecord[]) => Promise<void>;
  #waiting: KeyedRecord[] = [];
  #waitingBytes = 0;

  constructor(limit: typeof CHUNK, publish: (records: readonly KeyedRecord[]) => Promise<void>) {
    this.#limit = limit;
    this.#publish = publish;
  }

  async add(record: KeyedRecord): Promise<void> {
    const bytes = record.key.length + (record.value?.length ?? 0);
    if (this.#waiting.length === this.#limit.records || this.#waitingBytes + bytes > this.#limit.bytes)
      await this.flush();
    this.#waiting.push(record);
    this.#waitingBytes += bytes;
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    await this.#publish(this.#waiting);
    this.records += this.#waiting.length;
    this.bytes += this.#waitingBytes;
    this.#waiting = [];
    this.#waitingBytes = 0;
    crashPoint('mirror.2');
  }
}
