import type { GridfoldError } from '../kernel/errors.ts';

/** One record to append. `key` decides nothing here: the caller has chosen the partition. */
export interface AppendRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
}

/** A record among the outputs of a commit; without `partition` it goes to the partition that commits. */
export interface OutputRecord extends AppendRecord {
  readonly partition?: number;
}

/** A record of a compacted topic: the newest of a key counts. `value` null deletes the key (a tombstone). */
export interface KeyedRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Records as they lie in the log, many in one buffer; nothing is copied per record.
 * Record `i` has offset `baseOffset + i`, key `bytes[keyStart[i], keyEnd[i])` (empty = no key),
 * value `bytes[valueStart[i], valueEnd[i])` (empty for a tombstone too).
 */
export interface RecordBatch {
  readonly baseOffset: number;
  readonly count: number;
  /** When the log accepted the batch, epoch milliseconds. */
  readonly timestamp: number;
  readonly bytes: Uint8Array;
  readonly keyStart: Uint32Array;
  readonly keyEnd: Uint32Array;
  readonly valueStart: Uint32Array;
  readonly valueEnd: Uint32Array;
}

/** First retained offset and the next offset to be written. `start === end`: nothing retained. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** The right to commit for a partition of a journal. A newer claim on it fences it. */
export interface Claim {
  /** Topic of the journal: who folds a partition of some input claims the journal of that fold. */
  readonly journal: string;
  readonly partition: number;
  readonly generation: number;
}

/** Everything that becomes visible together: outputs, one journal record, the position. */
export interface CommitBatch {
  /** By topic; each goes to the claim's partition of that topic, or to the partition it names, in order. */
  readonly outputs: ReadonlyMap<string, readonly OutputRecord[]>;
  readonly journal: Uint8Array;
  /** Opaque to the log: the runtime's encoded position, read back by {@link Log.committed}. */
  readonly position: Uint8Array;
  /** By input topic, the offset up to which it is folded: for tools that show how far a consumer is. Nothing is read back from it. */
  readonly inputs?: ReadonlyMap<string, number>;
}

export interface Committed {
  /** What the newest commit wrote, or null before the first one. */
  readonly position: Uint8Array | null;
  readonly generation: number;
  /** Offset after its journal record: where the next one is looked for. 0 before the first commit. */
  readonly journalNext: number;
}

export interface Retention {
  /** Records older than this may go; Infinity keeps all. */
  readonly maxAgeMs: number;
  /** Oldest records go while a partition holds more than this; Infinity keeps all. */
  readonly maxBytes: number;
}

/**
 * A partitioned, append-only log with transactions. Embedded (LevelDB) and Kafka logs pass the same
 * conformance suite (conformance.ts).
 *
 * Errors are {@link GridfoldError}s: `log_fenced` (rejoin), `log_offset_out_of_range` (stop; the message
 * names the missing range), `log_corrupt` (stop; names topic, partition and offsets), `log_closed` (stop).
 */
export interface Log {
  readonly partitions: number;
  /**
   * Whether other processes may own partitions of it: then offsets can have holes, and a partition keeps its state in
   * the log for its next owner.
   */
  readonly shared: boolean;

  /** Resolves when the records are durable. Offsets are contiguous; appends to one partition keep call order. */
  append(topic: string, partition: number, records: readonly AppendRecord[]): Promise<Extent>;

  /**
   * The batch that holds `from`, and those after it while their sum stays under `maxBytes` (at least one batch);
   * the first may begin below `from`. Empty array at the end of the log. Offsets may have holes (what a transaction
   * leaves behind, what compaction removed): a batch has none inside, and an empty batch (`count` 0) says that reading
   * goes on at its `baseOffset`.
   */
  read(topic: string, partition: number, from: number, maxBytes: number): Promise<RecordBatch[]>;

  /** As known here now; at most some moments behind where others write too. `end` is what committed readers may read up to. */
  extent(topic: string, partition: number): Extent;

  /** The extent as the log itself says it now. */
  latest(topic: string, partition: number): Promise<Extent>;

  /** Calls `listener` after each append or commit that made records of the partition readable; returns unsubscribe. */
  onAppend(topic: string, partition: number, listener: () => void): () => void;

  /** Raises the generation of the journal's partition, durably: whoever held it before is fenced from then on. */
  claim(journal: string, partition: number): Promise<Claim>;

  /**
   * All of the batch or nothing. Throws `log_fenced` and writes nothing when the claim is not the newest.
   * Returns the offset after the journal record.
   */
  commit(claim: Claim, batch: CommitBatch): Promise<number>;

  /**
   * Keyed records by compacted topic, each for the claim's partition of it: what a partition keeps for its next owner.
   * Without a journal record or position, fenced like a commit, all or nothing, in order.
   */
  publish(claim: Claim, records: ReadonlyMap<string, readonly KeyedRecord[]>): Promise<void>;

  committed(journal: string, partition: number): Promise<Committed>;

  /** Deletes whole batches that `retention` lets go and that end at or below `notPast`. Returns the new extent. */
  trim(topic: string, partition: number, retention: Retention, notPast: number): Promise<Extent>;

  close(): Promise<void>;
}

/** Topic names, without the configured prefix. */
export const topics = {
  telemetry: 'telemetry',
  lifecycle: 'lifecycle',
  derived: 'derived',
  contributions: 'contributions',
  deadLetters: 'dead-letters',
  journal: 'journal',
  snapshots: 'snapshots',
  snapshotWindows: 'snapshot-windows',
} as const;

/** Whether a topic is a journal: written by commits alone. */
export function isJournal(topic: string): boolean {
  return topic === topics.journal || topic.endsWith(`-${topics.journal}`);
}

export type LogError = GridfoldError;
