import type { RecordBatch } from '../contract.ts';
import { corrupt, isFileDamage, outOfRange } from './failures.ts';
import { baseOf, partitionRange, recordsKey } from './keys.ts';
import type { Partition } from './partition.ts';
import type { Db } from './rows.ts';
import { checkValue, recordsOf, type ValueHeader } from './value.ts';

/** A sequential reader asks for the same place only once: caching its values would push others out. */
const get = { fillCache: false } as const;

/** Runs a LevelDB read and turns its complaints about damaged files into `log_corrupt`. */
export function guarded<T>(partition: Partition, from: number, read: () => T): T {
  try {
    return read();
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

/** The value at `base` and its header, checked. Null when LevelDB has none there. */
export function valueAt(db: Db, partition: Partition, base: number): { value: Uint8Array; header: ValueHeader } | null {
  const value = guarded(partition, base, () => db.getSync(recordsKey(partition.topic, partition.index, base), get));
  if (value === undefined) return null;
  const header = checkValue(value, partition.identity, base);
  if (typeof header !== 'string') return { value, header };
  throw corrupt(`${partition.topic}/${partition.index}: the records from offset ${base} on are damaged (${header})`);
}

/**
 * Values from the one that holds `from` on, at least one, while their sum stays under `maxBytes`. Every value's
 * checksum and its place in the chain are verified.
 */
export async function readFrom(db: Db, partition: Partition, from: number, maxBytes: number): Promise<RecordBatch[]> {
  const { topic, index, start, end } = partition;
  if (from < start || from > end) throw outOfRange(topic, index, from, start, end);
  const batches: RecordBatch[] = [];
  // A sequential reader stands at the beginning of a value, and costs one lookup; any other costs a seek more.
  let base = from;
  let sum = 0;
  let previousCrc = from === partition.readEnd ? partition.readCrc : null;
  while (base < end) {
    let found = valueAt(db, partition, base);
    if (found === null && batches.length === 0) {
      const seeked = await seekBelow(db, partition, from);
      if (seeked !== null) found = valueAt(db, partition, seeked);
    }
    if (found === null) throw await missing(db, partition, base);
    const { value, header } = found;
    if (header.baseOffset + header.count <= base) throw await missing(db, partition, header.baseOffset + header.count);
    if (previousCrc !== null && header.previousCrc !== previousCrc) {
      throw corrupt(`${topic}/${index}: the records from offset ${base} on do not follow those before them`);
    }
    if (batches.length > 0 && sum + value.length > maxBytes) break;
    batches.push(recordsOf(value, header));
    sum += value.length;
    base = header.baseOffset + header.count;
    previousCrc = header.crc;
  }
  if (previousCrc !== null && batches.length > 0) {
    partition.readEnd = base;
    partition.readCrc = previousCrc;
  }
  return batches;
}

async function seekBelow(db: Db, partition: Partition, from: number): Promise<number | null> {
  try {
    return await baseAtOrBelow(db, partition, from);
  } catch (error) {
    throw isFileDamage(error) ? unreadable(partition, from, error) : error;
  }
}

/** Records that should be there are not: trimmed meanwhile, or lost. */
async function missing(db: Db, partition: Partition, from: number): Promise<Error> {
  const { topic, index, start, end } = partition;
  if (from < start) return outOfRange(topic, index, from, start, end);
  const next = await firstBaseAbove(db, partition, from).catch(() => end);
  return corrupt(`${topic}/${index}: offsets ${from}..${next - 1} are missing`);
}
