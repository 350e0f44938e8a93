import { crc32c } from '@node-rs/crc32';
import { readInt64 } from './writer.ts';

/** What the first 61 bytes of a record batch (version 2) say. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Offset after its last record, retained or not. */
  readonly nextOffset: number;
  /** Where the batch ends in the bytes it was read from. */
  readonly end: number;
  /** Index into the codecs, see compression.ts. */
  readonly codec: number;
  readonly isTransactional: boolean;
  /** A marker: the end of a producer's transaction, no data. */
  readonly isControl: boolean;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly count: number;
}

export const HEADER_BYTES = 61;
const LENGTH_AT = 8;
/** CRC-32C of everything from {@link CHECKED_FROM} to the batch's end. */
export const CHECKSUM_AT = 17;
export const CHECKED_FROM = 21;

/** The header at `at`, or null where the bytes hold no more whole batch: a fetch may cut the last one off. */
export function batchHeader(bytes: Buffer, at: number): BatchHeader | null {
  if (at + LENGTH_AT + 4 > bytes.length) return null;
  const length = bytes.readInt32BE(at + LENGTH_AT);
  const end = at + LENGTH_AT + 4 + length;
  if (end > bytes.length) return null;
  const version = length < HEADER_BYTES - LENGTH_AT - 4 ? -1 : bytes[at + 16];
  if (version !== 2) throw new Error(`has format ${version} of ${length} bytes; batches of version 2 are read`);
  const baseOffset = readInt64(bytes, at);
  const attributes = bytes.readInt16BE(at + 21);
  return {
    baseOffset,
    nextOffset: baseOffset + bytes.readInt32BE(at + 23) + 1,
    end,
    codec: attributes & 7,
    isTransactional: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
    maxTimestamp: readInt64(bytes, at + 35),
    producerId: readInt64(bytes, at + 43),
    count: bytes.readInt32BE(at + 57),
  };
}

/** Whether the batch at `at` is as it was written. */
function isSound(bytes: Buffer, at: number, { end }: BatchHeader): boolean {
  return crc32c(bytes.subarray(at + CHECKED_FROM, end)) === bytes.readUInt32BE(at + CHECKSUM_AT);
}

/**
 * Offset after the last whole batch, or `from` where there is none. Throws where one does not match its checksum: what it
 * says of its offsets may not be believed either.
 */
export function nextOffsetOf(bytes: Buffer, from: number): number {
  let next = from;
  for (let at = 0; ; ) {
    const header = batchHeader(bytes, at);
    if (header === null) return next;
    if (!isSound(bytes, at, header)) throw new Error('does not match its checksum');
    next = header.nextOffset;
    at = header.end;
  }
}
