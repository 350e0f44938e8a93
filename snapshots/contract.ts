import type { Block } from './block.ts';
import type { SideAccess } from './cursor.ts';
import type { ExportedSnapshot, MirroredSnapshot, SnapshotName } from './mirrored.ts';
import type { StateSchema } from './schema.ts';

/** What the owner of a partition stores with a snapshot and gets back on recovery; opaque to the store. */
export interface SnapshotMeta {
  /** Encoded position S: everything before it is in the snapshot, nothing after it. */
  readonly position: Uint8Array;
  /** Machine and state versions by kind, compared on restore by the owner. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * All state of one partition: blocks in memory (some of them), images and side records in LevelDB.
 *
 * Block ids are `kind * blocksPerKind + hash`; a block holds assets of one kind only. Everything the fold calls is
 * synchronous: a block that is not resident is read by `getSync` on first touch. Changes since the newest snapshot
 * live in memory only; the log can repeat them.
 */
export interface PartitionState extends SideAccess {
  readonly blocksPerKind: number;
  /** Meta of the snapshot this state was restored from, or null when it started empty. */
  readonly restored: SnapshotMeta | null;

  /** The block if any asset ever lived in it (loaded when not resident), else null. */
  block(id: number): Block | null;
  /** The block, created empty when it never existed. */
  blockOrCreate(id: number, schema: StateSchema): Block;
  /** Must be called before the first change to a block in a turn: copies it if a running snapshot still needs it, marks it changed. */
  change(block: Block): void;
  /** Ids of all blocks that exist, resident or not, ascending. */
  blockIds(): readonly number[];
  /** Number of assets, over all blocks. */
  readonly assets: number;
  readonly residentBytes: number;

  /** Fold side record (also through SideAccess.read/write) and the lifecycle list; both msgpack-able, loaded when asked for. */
  readLife(block: Block, slot: number): object | null;
  writeLife(block: Block, slot: number, value: object | null): void;

  /**
   * Appends one entry, `entry[0, length)`, to the block's window. Bytes are copied; a change to the block.
   * An entry begins with its own length (u32, little-endian, these four bytes included).
   */
  appendWindow(block: Block, entry: Uint8Array, length: number): void;
  /**
   * The window of a block as it was appended, in chunks from the newest to the oldest still held;
   * return false from `visit` to stop. A chunk holds whole entries; the bytes stay as they are after the visit.
   * Logically the window reaches `windowBytesPerBlock` back from its end, whatever is still on disk: chunks and
   * their borders depend on nothing but what was appended.
   * Throws GridfoldError `window_corrupt` where a chunk cannot be trusted that the snapshot before does not need,
   * `state_lost` where it does, `window_pending` where the chunk is still to come.
   */
  scanWindow(block: Block, visit: (bytes: Uint8Array, start: number, end: number) => boolean): void;

  /**
   * Null unless the state was made from a mirrored snapshot of which windows are still being brought. Until then no
   * snapshot can be taken, and what lies in the directory does not count: a process that ends begins anew.
   */
  readonly filling: WindowFilling | null;

  /** Earliest due time of the assets of a block: a lower bound, kept for resident and absent blocks alike. */
  readonly due: Float64Array;
  /** 1 for blocks that hold an asset with unpublished open facts. */
  readonly unpublished: Uint8Array;

  /** Index + 1 of an interned name; 0 when the table (65,535 names) is full. Deterministic in call order. */
  intern(name: string): number;
  name(index: number): string | null;

  /**
   * Cuts a snapshot at this moment (synchronously) and writes it in the background, in small batches that do not stall
   * the loop; the manifest comes last, with sync, after `confirmed` resolves (the commit the cut belongs to).
   * One at a time. Resolves with figures for metrics.
   */
  snapshot(meta: SnapshotMeta, confirmed: Promise<void>): Promise<SnapshotFigures>;
  readonly snapshotting: boolean;

  /** Durable snapshots in the directory, newest first, at most two. */
  snapshots(): Promise<readonly SnapshotName[]>;
  /** The newest durable snapshot as rows beyond those of `base`, the manifest row of another; null where none is durable yet. */
  export(base: { readonly number: number; readonly manifest: Buffer } | null): Promise<ExportedSnapshot | null>;
  /** The next snapshot gets a number above this one: those up to it were used elsewhere. */
  passNumbers(upTo: number): void;

  /** Reads every image and side record of the restored snapshot and says what cannot be trusted. Cold, for doctors and tests. */
  verify(): Promise<Verification>;

  /** Lets clean, long untouched blocks go until at most `maxResidentBytes` stay. Returns how many went. */
  passivate(): number;
  close(): Promise<void>;
}

/** Windows on their way into the directory, beside the fold. */
export interface WindowFilling {
  /**
   * Resolves when all of them are there; rejects with `mirror_damaged`, with what reading threw, or when the state was
   * closed. They begin to come when this, or `more`, is first asked for.
   */
  readonly done: Promise<FillFigures>;
  /** Resolves as soon as there are more than now; rejects like `done`. */
  more(): Promise<void>;
}

export interface FillFigures {
  readonly segments: number;
  readonly bytes: number;
  readonly durationMs: number;
}

export interface SnapshotFigures {
  readonly number: number;
  readonly blocks: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly longestPauseMs: number;
}

export interface Verification {
  readonly blocks: number;
  readonly bytes: number;
  /** Ids of blocks whose image or side records are missing or damaged. */
  readonly corrupt: readonly number[];
}

export interface PartitionStateOptions {
  readonly dir: string;
  /** In the order of the actor type's kinds. */
  readonly schemas: readonly StateSchema[];
  /** Default 1024, 16..16384; fixed when the directory is created. */
  readonly blocksPerKind?: number;
  /** Default 1 GiB. */
  readonly maxResidentBytes?: number;
  /** Default 4 MiB: how far back (in bytes of readings) late data can be folded in a block. */
  readonly windowBytesPerBlock?: number;
  /** Restore only snapshots for which this returns true (the owner refuses positions beyond the log). */
  readonly usable?: (meta: SnapshotMeta) => boolean;
  /** Restore the snapshot before the newest usable one: the answer to `block_corrupt` and `window_corrupt`. The newest is discarded for good. */
  readonly skipNewest?: boolean;
  /** Forget everything in the directory and start empty: the answer to `state_lost` when the log reaches back to its start. */
  readonly startEmpty?: boolean;
  /** Replaces whatever is in the directory by this snapshot before it is opened. */
  readonly replaceWith?: MirroredSnapshot | null;
  /** Default 8 KiB: size at which a window chunk is closed and written. */
  readonly windowChunkBytes?: number;
  /** Default 8 MiB: decoded side records kept after use. */
  readonly sideCacheBytes?: number;
  readonly message: (level: 'info' | 'warn' | 'error', text: string, fields?: Record<string, unknown>) => void;
}
