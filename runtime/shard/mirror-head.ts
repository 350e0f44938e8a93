import { deflateSync, inflateSync } from 'node:zlib';
import { decodeRecord, encodeRecord } from '../../snapshots/record.ts';
import type { SnapshotLayout, SnapshotName } from '../../snapshots/mirrored.ts';
import { decodePosition, encodePosition, type ShardPosition } from './position.ts';

/**
 * What of a mirrored snapshot is known without reading its rows. It is published behind them: only then the snapshot
 * exists for others.
 */
export interface Head {
  readonly number: number;
  readonly position: ShardPosition;
  readonly layout: SnapshotLayout;
  /** The row of the manifest, as in the database. */
  readonly manifest: Buffer;
  /** Snapshots that stood here before it, oldest first: the state of all of them led to this one. */
  readonly ancestors: readonly SnapshotName[];
  /** Whether the segments of windows stand among the rows, and not in a topic of their own: of a fold without one, and in earlier releases. */
  readonly holdsWindows: boolean;
}

/** What follows a head once nothing but the rows it needs is left. */
export interface Mark {
  readonly number: number;
  /** The commit after which its owner let the partition go; null while somebody may own it. */
  readonly released: number | null;
}

const HEAD_FORMAT = 2;
const WITH_WINDOWS = 1;
const MARK_FORMAT = 1;

/** Rows of the database begin with M, N, O or W. */
export const headKey = Buffer.from('head');
export const markKey = Buffer.from('mark');

export function encodeHead({ number, position, layout, manifest, ancestors, holdsWindows }: Head): Buffer {
  const { blocksPerKind, kinds } = layout;
  const names = ancestors.flatMap((name) => [name.number, name.crc]);
  // A head must fit into one record, and much of a manifest repeats itself.
  const packed = deflateSync(manifest, { level: 1 });
  const format = holdsWindows ? WITH_WINDOWS : HEAD_FORMAT;
  return encodeRecord(headKey, [format, number, encodePosition(position), blocksPerKind, kinds, packed, names]);
}

/** Null where the bytes cannot be trusted, or a later release wrote them. */
export function decodeHead(bytes: Buffer): Head | null {
  const fields = decodeRecord(headKey, bytes);
  if (!Array.isArray(fields) || !(fields[0] <= HEAD_FORMAT)) return null;
  const [format, number, position, blocksPerKind, kinds, packed, names] = fields as [
    number,
    number,
    Uint8Array,
    number,
    string[],
    Uint8Array,
    number[],
  ];
  const ancestors: SnapshotName[] = [];
  for (let i = 0; i < names.length; i += 2) ancestors.push({ number: names[i], crc: names[i + 1] });
  return {
    number,
    position: decodePosition(position),
    layout: { blocksPerKind, kinds },
    manifest: inflateSync(packed),
    ancestors,
    holdsWindows: format === WITH_WINDOWS,
  };
}

export function encodeMark({ number, released }: Mark): Buffer {
  return encodeRecord(markKey, [MARK_FORMAT, number, released]);
}

export function decodeMark(bytes: Buffer): Mark | null {
  const fields = decodeRecord(markKey, bytes);
  if (!Array.isArray(fields) || fields[0] !== MARK_FORMAT) return null;
  const [, number, released] = fields as [number, number, number | null];
  return { number, released };
}
