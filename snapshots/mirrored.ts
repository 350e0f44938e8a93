/** One row of a partition's database as it stands there; `value` null: the row is not needed any more. */
export interface StateRow {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** A durable snapshot, named so that two directories can tell whether they hold the same one. */
export interface SnapshotName {
  readonly number: number;
  /** Checksum of its manifest. */
  readonly crc: number;
}

/** What of a partition's directory is fixed when it is created. */
export interface SnapshotLayout {
  readonly blocksPerKind: number;
  readonly kinds: readonly string[];
}

/** A snapshot that was kept somewhere else than in the partition's directory, and can replace it. */
export interface MirroredSnapshot {
  readonly number: number;
  readonly layout: SnapshotLayout;
  /** Its manifest, as the row that it is in the database. */
  readonly manifest: Buffer;
  /**
   * Images and records: every row that was ever kept, oldest first, or at least the newest of each key; also rows that
   * the snapshot does not need. Throws what reading throws.
   */
  rows(): AsyncIterable<readonly StateRow[]>;
  /** Segments of windows likewise, but newest first, since what is old is seldom asked for. */
  windows(): AsyncIterable<readonly StateRow[]>;
}

/** A durable snapshot as rows, for whoever has the snapshot `base` already; see export.ts. */
export interface ExportedSnapshot {
  readonly name: SnapshotName;
  readonly layout: SnapshotLayout;
  readonly manifest: Buffer;
  /** Rows that `base` lacks, in small lists. Throws GridfoldError `block_corrupt`. */
  rows(): AsyncIterable<readonly StateRow[]>;
  /** Keys that `base` needs and this snapshot does not, in small lists. */
  obsolete(): AsyncIterable<readonly Buffer[]>;
  /** False once such keys could not all be told, because `base` is too old. */
  readonly isComplete: boolean;
  /** Which rows the snapshot needs: reads all of its images. */
  named(): Promise<{ has(key: Buffer): boolean }>;
}

/** Name of a snapshot whose manifest is this row. */
export function nameOf(number: number, manifest: Buffer): SnapshotName {
  return { number, crc: manifest.readUInt32LE(manifest.length - 4) };
}

export function isSame(a: SnapshotName, b: SnapshotName): boolean {
  return a.number === b.number && a.crc === b.crc;
}
