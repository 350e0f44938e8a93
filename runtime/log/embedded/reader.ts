import type { RecordBatch } from '../contract.ts';
import { corrupt, isFileDamage, outOfRange } from './failures.ts';
import { baseOf, partitionRange, recordsKey } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Db } from './rows.ts';
import { checkValue, recordsOf, type ValueHeader } from './value.ts';

/** However much a reader asks for, it gets about this at a time. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/** A sequential reader asks for the same place only once: caching its values would push others out. */
const get = { fillCache: false } as const;

/** Runs LevelDB reads and turns complaints about damaged files into `log_corrupt`. */
async function damageNamed<T>(partition: Partition, from: number, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw isFileDamage(error) ? unreadable(partition, from, error) : error;
  }
}

function unreadable(partition: Partition, from: number, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return corrupt(
    `${partition.topic}/${partition.index} cannot be read at offset ${from}: LevelDB reports "${why}"`,
    error,
  );
}

/** Base of the newest value that begins at or below `offset`, null when there is none. */
async function baseAtOrBelow(db: Db, partition: Partition, offset: number): Promise<number | null> {
  const { gte } = partitionRange(partition.topic, partition.index);
  const lte = recordsKey(partition.topic, partition.index, offset);
  const [key] = await db.keys({ gte, lte, reverse: true, limit: 1 }).all();
  return key === undefined ? null : baseOf(key);
}

async function firstBaseAbove(db: Db, partition: Partition, offset: number): Promise<number> {
  const { lte } = partitionRange(partition.topic, partition.index);
  const gt = recordsKey(partition.topic, partition.index, offset);
  const [key] = await db.keys({ gt, lte, limit: 1 }).all();
  return key === undefined ? partition.end : baseOf(key);
}

function rawValue(db: Db, partition: Partition, base: number): Uint8Array | undefined {
  try {
    return db.getSync(recordsKey(partition.topic, partition.index, base), get);
  } catch (error) {
    throw isFileDamage(error) ? unreadable(partition, base, error) : error;
  }
}

/** The value at `base` and its header, checked. Null when LevelDB has none there. */
export function valueAt(db: Db, partition: Partition, base: number): { value: Uint8Array; header: ValueHeader } | null {
  const value = rawValue(db, partition, base);
  if (value === undefined) return null;
  const header = checkValue(value, partition.identity, base);
  if (typeof header !== 'string') return { value, header };
  throw damaged(partition, base, header);
}

function damaged({ topic, index }: Partition, base: number, why: string): Error {
  return corrupt(`${topic}/${index}: the records from offset ${base} on are damaged (${why})`);
}

/** Checks values one after another as they are added, and keeps their records. */
class Run {
  readonly batches: RecordBatch[] = [];
  readonly #partition: Partition;
  /** Where the next value has to begin, and the checksum it has to name; null when that is not known. */
  next: number;
  #crc: number | null;
  bytes = 0;
  lastBytes = 0;

  constructor(partition: Partition, from: number) {
    this.#partition = partition;
    this.next = from;
    this.#crc = from === partition.readEnd ? partition.readCrc : null;
  }

  /** `base` is `next`, or below it for the first value. Returns false when the value ends before `next`: a hole. */
  add(base: number, value: Uint8Array): boolean {
    const { topic, index, identity } = this.#partition;
    const header = checkValue(value, identity, base);
    if (typeof header === 'string') throw damaged(this.#partition, base, header);
    const end = base + header.count;
    if (end <= this.next) {
      this.next = end;
      return false;
    }
    if (this.#crc !== null && base === this.next && header.previousCrc !== this.#crc) {
      throw corrupt(`${topic}/${index}: the records from offset ${base} on do not follow those before them`);
    }
    this.batches.push(recordsOf(value, header));
    this.next = end;
    this.#crc = header.crc;
    this.bytes += value.length;
    this.lastBytes = value.length;
    this.#partition.readEnd = end;
    this.#partition.readCrc = header.crc;
    return true;
  }
}

/**
 * Values from the one that holds `from` on, at least one, while their sum stays under `maxBytes`. Every value's
 * checksum and its place in the chain are verified.
 *
 * A reader at the end of the log is served on this thread, which is quickest; one that is behind gets all but the first
 * value through LevelDB's thread.
 */
export async function readFrom(db: Db, partition: Partition, from: number, maxBytes: number): Promise<RecordBatch[]> {
  const { topic, index, start, end } = partition;
  if (from < start || from > end) throw outOfRange(topic, index, from, start, end);
  if (from === end) return [];
  const run = new Run(partition, from);
  const first = await holding(db, partition, from);
  if (first === null || !run.add(first.base, first.value)) throw await missing(db, partition, run.next);
  // The next value is taken to be as long as the one before, so that none is fetched in vain.
  const room = Math.min(maxBytes - run.bytes - run.lastBytes, MAX_READ_BYTES);
  if (run.next === end || room < 0) return run.batches;
  for (const [key, value] of await following(db, partition, run.next, end, room)) {
    if (run.bytes + value.length > maxBytes) break;
    if (baseOf(key) !== run.next || !run.add(run.next, value)) throw await missing(db, partition, run.next);
  }
  return run.batches;
}

/** The value that holds `offset`. A sequential reader stands at its beginning, and costs one lookup. */
async function holding(
  db: Db,
  partition: Partition,
  offset: number,
): Promise<{ base: number; value: Uint8Array } | null> {
  const exact = rawValue(db, partition, offset);
  if (exact !== undefined) return { base: offset, value: exact };
  const base = await damageNamed(partition, offset, () => baseAtOrBelow(db, partition, offset));
  const value = base === null ? undefined : rawValue(db, partition, base);
  return base === null || value === undefined ? null : { base, value };
}

/** Values from `base` on, below `end`: the first, and more until `room` is exceeded. */
async function following(db: Db, partition: Partition, base: number, end: number, room: number) {
  const gte = recordsKey(partition.topic, partition.index, base);
  const lt = recordsKey(partition.topic, partition.index, end);
  return damageNamed(partition, base, async () => {
    const iterator = db.iterator({ gte, lt, highWaterMarkBytes: room });
    try {
      return await iterator.nextv(1000);
    } finally {
      await iterator.close();
    }
  });
}

/** Records that should be there are not: trimmed meanwhile, or lost. */
async function missing(db: Db, partition: Partition, from: number): Promise<Error> {
  const { topic, index, start, end } = partition;
  if (from < start) return outOfRange(topic, index, from, start, end);
  const next = await firstBaseAbove(db, partition, from).catch(() => end);
  return corrupt(`${topic}/${index}: offsets ${from}..${next - 1} are missing`);
}
