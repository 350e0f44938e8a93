import type { SnapshotMeta } from './contract.ts';
import { manifestKey } from './keys.ts';
import { decodeRecord, encodeRecord } from './record.ts';

const FORMAT = 1;

/** What a snapshot knows of every block, resident or not, by block id. */
export interface BlockTable {
  /** Number of the snapshot that holds the newest image; 0 = the block never existed. */
  readonly numbers: Uint32Array;
  readonly crcs: Uint32Array;
  readonly assets: Uint32Array;
  readonly windowEnds: Float64Array;
}

/** The last thing a snapshot writes: without it, nothing of the snapshot exists. */
export interface Manifest {
  readonly number: number;
  readonly meta: SnapshotMeta;
  readonly table: BlockTable;
  readonly due: Float64Array;
  readonly unpublished: Uint8Array;
  readonly names: readonly string[];
}

export function emptyTable(blocks: number): BlockTable {
  return {
    numbers: new Uint32Array(blocks),
    crcs: new Uint32Array(blocks),
    assets: new Uint32Array(blocks),
    windowEnds: new Float64Array(blocks),
  };
}

export function copyTable(table: BlockTable): BlockTable {
  return {
    numbers: table.numbers.slice(),
    crcs: table.crcs.slice(),
    assets: table.assets.slice(),
    windowEnds: table.windowEnds.slice(),
  };
}

interface Stored {
  readonly format: number;
  readonly number: number;
  readonly meta: { position: Uint8Array; versions: [string, string][] };
  readonly numbers: Uint8Array;
  readonly crcs: Uint8Array;
  readonly assets: Uint8Array;
  readonly windowEnds: Uint8Array;
  readonly due: Uint8Array;
  readonly unpublished: Uint8Array;
  readonly names: string[];
}

export function encodeManifest(manifest: Manifest): Buffer {
  const { table } = manifest;
  const stored: Stored = {
    format: FORMAT,
    number: manifest.number,
    meta: { position: manifest.meta.position, versions: Object.entries(manifest.meta.versions) },
    numbers: bytesOf(table.numbers),
    crcs: bytesOf(table.crcs),
    assets: bytesOf(table.assets),
    windowEnds: bytesOf(table.windowEnds),
    due: bytesOf(manifest.due),
    unpublished: manifest.unpublished,
    names: manifest.names as string[],
  };
  return encodeRecord(manifestKey(manifest.number), stored);
}

/** The manifest for a directory of `blocks` blocks, or null when the bytes cannot be trusted or read. */
export function decodeManifest(number: number, bytes: Buffer, blocks: number): Manifest | null {
  const stored = decodeRecord(manifestKey(number), bytes) as Stored | undefined;
  if (stored === undefined || stored.format > FORMAT || stored.number !== number) return null;
  const table = emptyTable(blocks);
  const due = new Float64Array(blocks).fill(Number.POSITIVE_INFINITY);
  const unpublished = new Uint8Array(blocks);
  if (stored.unpublished.length > blocks) return null;
  fill(table.numbers, stored.numbers);
  fill(table.crcs, stored.crcs);
  fill(table.assets, stored.assets);
  fill(table.windowEnds, stored.windowEnds);
  fill(due, stored.due);
  fill(unpublished, stored.unpublished);
  return {
    number,
    meta: { position: Uint8Array.from(stored.meta.position), versions: Object.fromEntries(stored.meta.versions) },
    table,
    due,
    unpublished,
    names: stored.names,
  };
}

type Table = Uint8Array | Uint32Array | Float64Array;

function bytesOf(table: Table): Uint8Array {
  return new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
}

function fill(table: Table, bytes: Uint8Array): void {
  bytesOf(table).set(bytes);
}
