import type { RecordBatch } from '../contract.ts';
import { type BatchHeader, batchHeader, HEADER_BYTES, nextOffsetOf } from './wire/batch-header.ts';
import { compressions, decompress } from './wire/compression.ts';
import { decodeRecords, withoutHoles } from './wire/decode-records.ts';

/** A transaction that was aborted: what the producer wrote from `firstOffset` on counts for nothing. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

const NO_TABLE = new Uint32Array(0);
const NO_BYTES = Buffer.alloc(0);
const ABORT = 0;

/** What one answer brought of one partition: batches as the broker stores them, decoded one at a time as they are read. */
export class Segment {
  /** Offset after everything in it: where to fetch on. */
  readonly nextOffset: number;
  readonly bytes: Buffer;
  /** Not yet passed, by first offset. */
  readonly #aborted: AbortedTransaction[];
  readonly #abortedNow = new Set<number>();
  #at = 0;
  #offset: number;

  /** `from`: the offset that was asked for. Throws where a batch is of another version or does not match its checksum. */
  constructor(bytes: Buffer, from: number, aborted: readonly AbortedTransaction[]) {
    this.bytes = bytes;
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
    this.#offset = from;
    this.nextOffset = nextOffsetOf(bytes, from);
  }

  /** Offset of the batch that is decoded next. */
  get offset(): number {
    return this.#offset;
  }

  get isRead(): boolean {
    return this.#offset >= this.nextOffset;
  }

  /** Bytes that are not decoded yet. */
  get bytesLeft(): number {
    return this.isRead ? 0 : this.bytes.length - this.#at;
  }

  /**
   * Committed records of the next stored batch, in batches without holes. Where it has none at its end, an empty batch
   * says where reading goes on. Throws an Error that says what is wrong with the stored batch.
   */
  async next(): Promise<RecordBatch[]> {
    const header = batchHeader(this.bytes, this.#at) as BatchHeader;
    const batches = this.#isCommittedData(header) ? await decode(this.bytes, this.#at, header) : [];
    this.#at = header.end;
    this.#offset = header.nextOffset;
    const last = batches.at(-1);
    if (last === undefined || last.baseOffset + last.count < header.nextOffset) batches.push(emptyAt(header));
    return batches;
  }

  #isCommittedData({ isControl, isTransactional, producerId, nextOffset }: BatchHeader): boolean {
    while (this.#aborted.length > 0 && this.#aborted[0].firstOffset < nextOffset) {
      this.#abortedNow.add((this.#aborted.shift() as AbortedTransaction).producerId);
    }
    if (isControl) {
      if (this.#markerType() === ABORT) this.#abortedNow.delete(producerId);
      return false;
    }
    return !(isTransactional && this.#abortedNow.has(producerId));
  }

  /** A marker is a record whose key is a version and a type, two bytes each. */
  #markerType(): number {
    const { keyStart } = decodeRecords(this.bytes, this.#at + HEADER_BYTES, this.bytes.length, 1);
    return this.bytes.readInt16BE(keyStart[0] + 2);
  }
}

async function decode(bytes: Buffer, at: number, header: BatchHeader): Promise<RecordBatch[]> {
  const { baseOffset, end, codec, count, maxTimestamp } = header;
  if (codec === 0) {
    return withoutHoles(decodeRecords(bytes, at + HEADER_BYTES, end, count), baseOffset, maxTimestamp);
  }
  const name = compressions[codec];
  if (name === undefined || name === 'none') throw new Error(`is compressed with codec ${codec}, which is not known`);
  const inflating = decompress(name, bytes.subarray(at + HEADER_BYTES, end));
  const inflated = inflating instanceof Promise ? await inflating : inflating;
  return withoutHoles(decodeRecords(inflated, 0, inflated.length, count), baseOffset, maxTimestamp);
}

function emptyAt({ nextOffset, maxTimestamp }: BatchHeader): RecordBatch {
  return {
    baseOffset: nextOffset,
    count: 0,
    timestamp: maxTimestamp,
    bytes: NO_BYTES,
    keyStart: NO_TABLE,
    keyEnd: NO_TABLE,
    valueStart: NO_TABLE,
    valueEnd: NO_TABLE,
  };
}
