import type { AppendRecord, Extent } from '../contract.ts';
import { recordsKey } from './keys.ts';
import type { Op } from './rows.ts';
import { encodeValue, identityOf, valueBytes } from './value.ts';

/** A value closes at whichever comes first, so that one read never has to fetch much more than it wants. */
const MAX_VALUE_BYTES = 256 * 1024;
const MAX_VALUE_RECORDS = 4096;

/** Records waiting to become one value. Grows to what is put in; bytes are copied once, on arrival. */
class Packer {
  count = 0;
  size = 0;
  keyEnd = new Uint32Array(16);
  valueEnd = new Uint32Array(16);
  bytes: Uint8Array;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.min(capacity, MAX_VALUE_BYTES));
  }

  fits(size: number): boolean {
    return this.count === 0 || (this.count < MAX_VALUE_RECORDS && this.size + size <= MAX_VALUE_BYTES);
  }

  add(record: AppendRecord, size: number): void {
    if (this.size + size > this.bytes.length) this.#growBytes(this.size + size);
    if (this.count === this.keyEnd.length) this.#growTables();
    const { key, value } = record;
    if (key !== null) {
      this.bytes.set(key, this.size);
      this.size += key.length;
    }
    this.keyEnd[this.count] = this.size;
    this.bytes.set(value, this.size);
    this.size += value.length;
    this.valueEnd[this.count] = this.size;
    this.count += 1;
  }

  #growBytes(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, Math.min(2 * this.bytes.length, MAX_VALUE_BYTES)));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }

  #growTables(): void {
    const grow = (table: Uint32Array) => {
      const larger = new Uint32Array(2 * table.length);
      larger.set(table);
      return larger;
    };
    this.keyEnd = grow(this.keyEnd);
    this.valueEnd = grow(this.valueEnd);
  }
}

export function recordSize(record: AppendRecord): number {
  return (record.key === null ? 0 : record.key.length) + record.value.length;
}

/** What is known about a topic's partition when it is opened. */
export interface PartitionStart {
  readonly start: number;
  readonly end: number;
  /** Checksum of the newest value, 0 before the first. */
  readonly crc: number;
  /** Bytes of values ever written before `start` and before `end`. */
  readonly bytesBeforeStart: number;
  readonly bytes: number;
}

/** One partition of one topic: its extent, its open packers and who listens to it. */
export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly identity: number;
  readonly listeners = new Set<() => void>();
  start: number;
  bytesBeforeStart: number;
  /** End of what is durable and readable. */
  end: number;
  /** The offset the next record gets; runs ahead of `end` by what waits to be written. */
  next: number;
  /** Where the newest sequential read ended and the checksum of its last value, so that the chain spans reads. */
  readEnd = -1;
  readCrc = 0;
  /** Checksum of the value that will precede the next one written, and the bytes up to there. */
  crc: number;
  bytes: number;
  #sealedEnd: number;
  #packers: Packer[] = [];

  constructor(topic: string, index: number, at: PartitionStart) {
    this.topic = topic;
    this.index = index;
    this.identity = identityOf(topic, index);
    this.start = at.start;
    this.bytesBeforeStart = at.bytesBeforeStart;
    this.end = at.end;
    this.next = at.end;
    this.#sealedEnd = at.end;
    this.crc = at.crc;
    this.bytes = at.bytes;
  }

  /** Takes the records into the open group and gives them their offsets. `size` is their sum of bytes. */
  pack(records: readonly AppendRecord[], size: number): Extent {
    const start = this.next;
    let rest = size;
    let packer = this.#packers.at(-1);
    for (const record of records) {
      const bytes = recordSize(record);
      if (packer === undefined || !packer.fits(bytes)) {
        packer = new Packer(rest);
        this.#packers.push(packer);
      }
      packer.add(record, bytes);
      rest -= bytes;
    }
    this.next += records.length;
    return { start, end: this.next };
  }

  /** Turns what waits into LevelDB puts, chained to the values before them. Returns the log's bytes after them. */
  seal(timestamp: number, logBytes: number, ops: Op[]): number {
    let written = logBytes;
    for (const { count, keyEnd, valueEnd, bytes, size } of this.#packers) {
      const header = {
        previousCrc: this.crc,
        identity: this.identity,
        baseOffset: this.#sealedEnd,
        timestamp,
        bytesBefore: this.bytes,
        logBytesBefore: written,
      };
      const { value, crc } = encodeValue(header, count, keyEnd, valueEnd, bytes);
      ops.push({ type: 'put', key: recordsKey(this.topic, this.index, this.#sealedEnd), value });
      this.crc = crc;
      this.#sealedEnd += count;
      this.bytes += valueBytes(count, size);
      written += value.length;
    }
    this.#packers = [];
    return written;
  }

  /** Offsets below this have been sealed into values. */
  get sealedEnd(): number {
    return this.#sealedEnd;
  }
}
