import type { StateRow } from '../../snapshots/mirrored.ts';
import type { Log } from '../log/contract.ts';
import type { ActorTopics } from './contract.ts';
import { decodeHead, decodeMark, type Head, headKey, type Mark, markKey } from './mirror-head.ts';

const READ_BYTES = 1 << 20;
const TAIL_RECORDS = 64;
const TAIL_GROWTH = 16;
const MAX_STRETCH = 1 << 16;
const MAX_STRETCH_BYTES = 4 * READ_BYTES;

/** How a partition of a snapshots topic ends. */
export interface MirrorTail {
  /** The newest snapshot that became whole, or null. */
  readonly head: Head | null;
  /** What was said after it, if that was the last thing said. */
  readonly mark: Mark | null;
  readonly isEmpty: boolean;
}

/** Records `[from, to)` of a partition in lists as they were read, oldest first; keys and values are views of what was read. */
export async function* readRows(
  log: Log,
  topic: string,
  partition: number,
  { from, to }: { from: number; to: number },
): AsyncGenerator<StateRow[]> {
  for (let next = from; next < to; ) {
    const batches = await log.read(topic, partition, next, READ_BYTES);
    if (batches.length === 0) return;
    for (const { baseOffset, count, bytes, keyStart, keyEnd, valueStart, valueEnd } of batches) {
      const rows: StateRow[] = [];
      const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let i = Math.max(0, next - baseOffset); i < count && baseOffset + i < to; i++) {
        const value = valueEnd[i] === valueStart[i] ? null : all.subarray(valueStart[i], valueEnd[i]);
        rows.push({ key: all.subarray(keyStart[i], keyEnd[i]), value });
      }
      if (rows.length > 0) yield rows;
      next = Math.max(next, baseOffset + count);
    }
  }
}

/**
 * The same newest first: lists hold about {@link READ_BYTES}, and so does what is read at once. Stretches of offsets
 * are as long as the ones before suggest, since compaction leaves holes.
 */
export async function* readRowsBack(
  log: Log,
  topic: string,
  partition: number,
  { from, to }: { from: number; to: number },
): AsyncGenerator<StateRow[]> {
  let records = TAIL_RECORDS;
  for (let end = to; end > from; ) {
    const start = Math.max(from, end - records);
    const rows = readRows(log, topic, partition, { from: start, to: end });
    const stretch = await collect(rows, records > TAIL_RECORDS ? MAX_STRETCH_BYTES : Number.POSITIVE_INFINITY);
    if (stretch === null) {
      // Behind holes rows may lie close: the same again in shorter stretches.
      records = Math.max(TAIL_RECORDS, records >> 2);
      continue;
    }
    const bytes = sizeOf(stretch);
    if (bytes > READ_BYTES) records = Math.max(TAIL_RECORDS, records >> 1);
    else if (bytes < READ_BYTES / 2) records = Math.min(MAX_STRETCH, records * 2);
    end = start;
    if (stretch.length > 0) yield stretch.reverse();
  }
}

/** All of the rows, or null where they hold more than `maxBytes`. */
async function collect(lists: AsyncIterable<StateRow[]>, maxBytes: number): Promise<StateRow[] | null> {
  const all: StateRow[] = [];
  let bytes = 0;
  for await (const rows of lists) {
    all.push(...rows);
    bytes += sizeOf(rows);
    if (bytes > maxBytes) return null;
  }
  return all;
}

const sizeOf = (rows: readonly StateRow[]) =>
  rows.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);

/** Reads backwards from the end, in growing stretches, until a head is found. */
export async function readTail(log: Log, topic: string, partition: number): Promise<MirrorTail> {
  const { start, end } = await log.latest(topic, partition);
  let mark: Mark | null = null;
  let isEmpty = true;
  for (let to = end, records = TAIL_RECORDS; to > start; records *= TAIL_GROWTH) {
    const from = Math.max(start, to - records);
    let head: Head | null = null;
    let last: StateRow | null = null;
    for await (const rows of readRows(log, topic, partition, { from, to })) {
      for (const { key, value } of rows) if (key.equals(headKey) && value !== null) head = decodeHead(value) ?? head;
      last = rows[rows.length - 1];
    }
    if (isEmpty && last !== null) {
      isEmpty = false;
      if (last.key.equals(markKey) && last.value !== null) mark = decodeMark(last.value);
    }
    if (head !== null) return { head, mark: mark?.number === head.number ? mark : null, isEmpty };
    to = from;
  }
  return { head: null, mark: null, isEmpty };
}

/**
 * Whether the owner of a partition has let it go after its newest commit: nobody need wait for it. Where it had
 * everything in the snapshots topic by then, whoever starts the partition replays nothing.
 */
export async function released(log: Log, { journal, snapshots }: ActorTopics, partition: number): Promise<boolean> {
  const { end, start } = await log.latest(snapshots, partition);
  let mark: Mark | null = null;
  const from = Math.max(start, end - TAIL_RECORDS);
  for await (const rows of readRows(log, snapshots, partition, { from, to: end })) {
    const { key, value } = rows[rows.length - 1];
    mark = key.equals(markKey) && value !== null ? decodeMark(value) : null;
  }
  if (mark === null || mark.released === null) return false;
  const { journalNext } = await log.committed(journal, partition);
  return mark.released === journalNext;
}
