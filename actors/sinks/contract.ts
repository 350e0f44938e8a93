import type { DerivedEvent } from '../../runtime/shard/derived.ts';

/** Derived events `[from, next)` of one partition of the derived topic, in order, none missing. */
export interface SinkBatch {
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly events: readonly DerivedEvent[];
  /** Offset of each event, where the log has holes between them; without it event `i` has offset `from + i`. */
  readonly offsets?: readonly number[];
}

/** What the target itself says it holds of one partition. */
export interface LedgerEntry {
  readonly partition: number;
  /** Next offset of the derived topic that the target wants. */
  readonly next: number;
  /** Rows written so far, over all tables. */
  readonly rows: number;
}

/**
 * A target for derived events, written exactly once: rows and ledger change in one atomic step inside the target.
 * Every implementation passes conformance.ts. Errors are GridfoldErrors with reaction `retry`
 * (target away or busy) or `stop` (`sink_offset_gap`, `sink_schema_mismatch`).
 */
export interface Sink {
  readonly name: string;
  /** Creates what is missing in the target; never changes data. */
  open(): Promise<void>;
  /** Read from the target, never from memory of our own. */
  ledger(): Promise<LedgerEntry[]>;
  /**
   * Writes all batches and moves the ledger, or does nothing. A batch that lies wholly below the ledger is skipped,
   * one that straddles it is cut, one that starts above it fails with `sink_offset_gap`.
   */
  write(batches: readonly SinkBatch[]): Promise<void>;
  /** Ranges committed per partition, for the auditor: neither overlaps nor holes. */
  audit(): Promise<SinkAudit[]>;
  close(): Promise<void>;
}

export interface SinkAudit {
  readonly partition: number;
  readonly next: number;
  readonly rows: number;
  /** Events ids that stand more than once, and offsets below `next` that are missing. Both must be 0. */
  readonly doubled: number;
  readonly missing: number;
}
