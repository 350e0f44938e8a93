import { crc32 } from 'node:zlib';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import type { Block, WindowCursor } from './block.ts';
import { segmentKey } from './keys.ts';
import { lengthAt } from './window-length.ts';
import { SEGMENT_HEAD as HEAD, WindowTail } from './window-tail.ts';

/**
 * The window of a block is one string of bytes that only grows; a position in it never changes its meaning. It is cut
 * into chunks by what was appended alone: an entry that no longer fits begins the next chunk. Chunks are written as
 * segments, closed when the chunk is full or a snapshot cuts it. A segment is never written again, and names the one
 * before it with its checksum, so that the segments a block's cursor leads to are exactly those it means:
 *
 *   version u8, zeros, chunk position f64, previous position f64, previous crc u32, own crc u32, entries
 */
const VERSION = 2;
/** Closed segments are handed to the disk when they add up to this. */
const FLUSH_BYTES = 256 * 1024;
const FLUSH_SEGMENTS = 64;
/** Verified segments kept in memory per partition. */
const VERIFIED_BYTES = 8 * 1024 * 1024;
const CACHE_STRIDE = 2 ** 36;

/** What the windows need of the database. */
export interface SegmentStore {
  /** False while segments are still being brought: what is missing then is not lost. */
  readonly isComplete: boolean;
  getSync(key: Buffer): Buffer | undefined;
  /** What is to be thrown where the segment of `block` at `position` cannot be trusted. */
  corrupt(block: number, position: number, what: string): GridfoldError;
  batch(operations: { type: 'put'; key: Buffer; value: Buffer }[]): Promise<void>;
}

export class Windows {
  readonly #store: SegmentStore;
  readonly #chunkBytes: number;
  readonly #reach: number;
  /** What was appended since the newest closed segment, by block. */
  readonly #tails = new Map<number, WindowTail>();
  /** Closed and not yet on disk, by key. */
  readonly #closed = new Map<string, { key: Buffer; value: Buffer }>();
  #closedBytes = 0;
  /** Read and verified lately, by block and position. */
  readonly #verified = new Map<number, Buffer>();
  #verifiedBytes = 0;
  #flushing: Promise<void> | null = null;

  constructor(store: SegmentStore, chunkBytes: number, reach: number) {
    this.#store = store;
    this.#chunkBytes = chunkBytes;
    this.#reach = reach;
  }

  /** Bytes of closed segments that wait for the disk. */
  get backlogBytes(): number {
    return this.#closedBytes;
  }

  get bytes(): number {
    let bytes = this.#closedBytes + this.#verifiedBytes;
    for (const tail of this.#tails.values()) bytes += tail.bytes.length;
    return bytes;
  }

  append(block: Block, entry: Uint8Array, length: number): void {
    if (length < 1 || lengthAt(entry, 0) !== length) {
      throw new GridfoldError(
        'window_entry',
        'stop',
        `a window entry of ${length} bytes does not begin with its length`,
      );
    }
    const cursor = block.window;
    const isFull = cursor.end > cursor.chunk && cursor.end - cursor.chunk + length > this.#chunkBytes;
    if (isFull) {
      this.close(block);
      cursor.chunk = cursor.end;
    }
    let tail = this.#tails.get(block.id);
    const limit = this.#chunkBytes - (cursor.end - (tail?.length ?? 0) - cursor.chunk);
    if (tail === undefined) this.#tails.set(block.id, (tail = new WindowTail(limit, isFull)));
    tail.append(entry, length, limit);
    cursor.end += length;
  }

  /** Closes what the block appended since its newest segment, if anything; it is written by the next flush. */
  close(block: Block): void {
    const tail = this.#tails.get(block.id);
    if (tail === undefined) return;
    this.#tails.delete(block.id);
    const cursor = block.window;
    const start = cursor.end - tail.length;
    const key = segmentKey(block.id, start);
    const value = tail.toSegment();
    value[0] = VERSION;
    value.writeDoubleLE(cursor.chunk, 8);
    value.writeDoubleLE(cursor.last, 16);
    value.writeUInt32LE(cursor.lastCrc, 24);
    const crc = checksum(key, value);
    value.writeUInt32LE(crc, 28);
    cursor.last = start;
    cursor.lastCrc = crc;
    const known = this.#closed.get(key.toString('latin1'));
    if (known !== undefined) this.#closedBytes -= known.value.length;
    this.#closed.set(key.toString('latin1'), { key, value });
    this.#closedBytes += value.length;
    if (this.#closedBytes > FLUSH_BYTES) void this.flush().catch(() => {});
  }

  /** Writes closed segments until none is left. A failure leaves them for the next call. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.#closed.size > 0) {
      const batch: { type: 'put'; key: Buffer; value: Buffer }[] = [];
      for (const { key, value } of this.#closed.values()) {
        batch.push({ type: 'put', key, value });
        if (batch.length === FLUSH_SEGMENTS) break;
      }
      await this.#store.batch(batch);
      for (const { key, value } of batch) {
        const name = key.toString('latin1');
        if (this.#closed.get(name)?.value !== value) continue;
        this.#closed.delete(name);
        this.#closedBytes -= value.length;
      }
    }
  }

  /** Chunks from the newest to the oldest within reach; see PartitionState.scanWindow. */
  scan(block: Block, visit: (bytes: Uint8Array, start: number, end: number) => boolean): void {
    const { end, last, lastCrc, chunk } = block.window;
    const from = this.oldest(end);
    const tail = this.#tails.get(block.id);
    let parts: { bytes: Uint8Array; start: number; end: number }[] = [];
    let chunkStart = chunk;
    if (tail !== undefined) parts.push({ bytes: tail.bytes, start: HEAD, end: tail.end });
    let position = last;
    let crc = lastCrc;
    let before = end - (tail?.length ?? 0);
    while (position >= 0 && this.#touches(position, from)) {
      const segment = this.#segment(block, position, crc, before);
      const segmentChunk = segment.readDoubleLE(8);
      if (segmentChunk !== chunkStart) {
        if (parts.length > 0 && !this.#visit(parts, chunkStart, from, visit)) return;
        parts = [];
        chunkStart = segmentChunk;
        if (!this.#touches(chunkStart, from)) return;
      }
      parts.unshift({ bytes: segment, start: HEAD, end: segment.length });
      before = position;
      position = segment.readDoubleLE(16);
      crc = segment.readUInt32LE(24);
    }
    if (parts.length > 0 && this.#touches(chunkStart, from)) this.#visit(parts, chunkStart, from, visit);
  }

  /** Position of the first byte within reach of a window that ends at `end`. */
  oldest(end: number): number {
    return Math.max(0, end - this.#reach);
  }

  /** Segments are deleted in stretches of at least this many bytes. */
  get deletionStep(): number {
    return Math.max(this.#chunkBytes, this.#reach / 16);
  }

  /** Position below which no segment of a window that ends at `end` is ever read again. */
  deletable(end: number): number {
    return Math.max(0, this.oldest(end) - this.#chunkBytes + 1);
  }

  /** Whether a chunk or segment that begins at `position` can hold an entry at or after `from`: a larger chunk is one entry. */
  #touches(position: number, from: number): boolean {
    return position > from - this.#chunkBytes;
  }

  #visit(
    parts: { bytes: Uint8Array; start: number; end: number }[],
    chunkStart: number,
    from: number,
    visit: (bytes: Uint8Array, start: number, end: number) => boolean,
  ): boolean {
    let [{ bytes, start, end }] = parts;
    if (parts.length > 1) {
      bytes = Buffer.concat(parts.map((part) => part.bytes.subarray(part.start, part.end)));
      start = 0;
      end = bytes.length;
    }
    for (let position = chunkStart; start < end && position < from; ) {
      const length = lengthAt(bytes, start);
      start += length;
      position += length;
    }
    return start >= end || visit(bytes, start, end);
  }

  /** Segments that were just read are likely to be read again: late readings come in bunches. Oldest out first. */
  #keep(id: number, value: Buffer): void {
    this.#verifiedBytes += value.length - (this.#verified.get(id)?.length ?? 0);
    this.#verified.set(id, value);
    for (const [oldest, { length }] of this.#verified) {
      if (this.#verifiedBytes <= VERIFIED_BYTES) break;
      this.#verified.delete(oldest);
      this.#verifiedBytes -= length;
    }
  }

  #segment(block: Block, position: number, crc: number, end: number): Buffer {
    const id = block.id * CACHE_STRIDE + position;
    const known = this.#verified.get(id);
    if (known !== undefined && known.readUInt32LE(28) === crc && known.length - HEAD === end - position) return known;
    const key = segmentKey(block.id, position);
    const value = this.#closed.get(key.toString('latin1'))?.value ?? this.#store.getSync(key);
    const sound =
      value !== undefined &&
      value.length - HEAD === end - position &&
      value.readUInt32LE(28) === crc &&
      segmentMatches(key, value);
    if (sound) {
      this.#keep(id, value);
      return value;
    }
    if (!this.#store.isComplete) {
      throw new GridfoldError('window_pending', 'retry', `the window of block ${block.id} is not there yet`);
    }
    const what = `the window of block ${block.id} is ${value ? 'damaged' : 'cut off'} at position ${position}`;
    throw this.#store.corrupt(block.id, position, what);
  }
}

/** A segment as the one behind it names it: where it begins and ends, and its checksum. */
export interface Link {
  readonly position: number;
  readonly end: number;
  readonly crc: number;
}

/** The newest segment of a window that was cut; a negative position where it has none. */
export function newestLink({ last, lastCrc, end }: WindowCursor): Link {
  return { position: last, end, crc: lastCrc };
}

/** The link to the segment itself, at `position`. */
export function linkTo(segment: Buffer, position: number): Link {
  return { position, end: position + segment.length - HEAD, crc: segment.readUInt32LE(HEAD - 4) };
}

/** The link to the segment before the one at `position`. */
export function linkBefore(segment: Buffer, position: number): Link {
  return { position: segment.readDoubleLE(16), end: position, crc: segment.readUInt32LE(24) };
}

/** Whether the segment is whole and stands under its own key. */
export function segmentMatches(key: Buffer, segment: Buffer): boolean {
  return segment.length >= HEAD && segment[0] === VERSION && checksum(key, segment) === segment.readUInt32LE(HEAD - 4);
}

function checksum(key: Buffer, segment: Buffer): number {
  return crc32(segment.subarray(HEAD), crc32(segment.subarray(0, HEAD - 4), crc32(key)));
}
