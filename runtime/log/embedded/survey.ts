import { corrupt } from './failures.ts';
import {
  baseOf,
  type RecordsKey,
  parseMarkerKey,
  parseRecordsKey,
  partitionRange,
  recordsKey,
  recordsRange,
  markersRange,
} from './keys.ts';
import type { MarkerRow, CommitRow, Db } from './rows.ts';
import { checkValue, identityOf } from './value.ts';
import { judge, type Seam, type Seen, type Verdict } from './verdict.ts';

/** How far back values are verified: more than LevelDB can hold in its own logs, where it drops damage silently. */
export const VERIFIED_BYTES = 32 * 1024 * 1024;

export interface Survey {
  readonly topic: string;
  readonly partition: number;
  readonly begin: Seam;
  readonly verdict: Verdict;
}

export interface Directory {
  readonly places: readonly { topic: string; partition: number }[];
  /** Keys that are no records keys although they stand among them. */
  readonly damagedKeys: readonly Uint8Array[];
}

/** Topics and partitions that have records or a start marker, found with one seek for each. */
export async function listPlaces(
  db: Db,
  commits: readonly { partition: number; row: CommitRow | null }[],
): Promise<Directory> {
  const places = new Map<string, { topic: string; partition: number }>();
  const note = ({ topic, partition }: { topic: string; partition: number }) =>
    places.set(`${topic}/${partition}`, { topic, partition });
  const damagedKeys: Uint8Array[] = [];
  const keys = db.keys(recordsRange);
  try {
    for (let key = await keys.next(); key !== undefined; key = await keys.next()) {
      const parsed: RecordsKey | null = parseRecordsKey(key);
      if (parsed === null) {
        damagedKeys.push(key);
        continue;
      }
      note(parsed);
      keys.seek(Buffer.concat([partitionRange(parsed.topic, parsed.partition).lte, Buffer.from([0])]));
    }
  } finally {
    await keys.close();
  }
  for (const key of await db.keys(markersRange).all()) {
    const parsed = parseMarkerKey(key);
    if (parsed !== null) note(parsed);
  }
  for (const { partition, row } of commits) {
    for (const topic of Object.keys(row?.ends ?? {})) note({ topic, partition });
  }
  return { places: [...places.values()], damagedKeys };
}

async function newest(db: Db, topic: string, partition: number): Promise<Seen | null> {
  const [entry] = await db.iterator({ ...partitionRange(topic, partition), reverse: true, limit: 1 }).all();
  return entry === undefined ? null : look(topic, partition, entry[0], entry[1]);
}

function look(topic: string, partition: number, key: Uint8Array, value: Uint8Array): Seen {
  const base = baseOf(key);
  return { base, bytes: value.length, header: checkValue(value, identityOf(topic, partition), base) };
}

/** The log's bytes as of its newest good values; a value below this by {@link VERIFIED_BYTES} is not looked at. */
export async function logBytesOf(db: Db, places: Directory['places']): Promise<number> {
  let most = 0;
  for (const { topic, partition } of places) {
    const seen = await newest(db, topic, partition);
    if (seen !== null && typeof seen.header !== 'string')
      most = Math.max(most, seen.header.logBytesBefore + seen.bytes);
  }
  return most;
}

/** Where the partition begins: its marker, and the bytes before it. */
export function beginOf(marker: MarkerRow | null): Seam {
  return { offset: marker?.start ?? 0, crc: marker?.crc ?? 0, bytes: marker?.bytes ?? 0 };
}

/**
 * Verifies a partition's values from its newest one down to those written before the log held `verifyFrom` bytes.
 * The oldest value is always held against the marker.
 */
export async function survey(
  db: Db,
  topic: string,
  partition: number,
  marker: MarkerRow | null,
  verifyFrom: number,
): Promise<Survey> {
  const begin = beginOf(marker);
  const range = { gte: recordsKey(topic, partition, begin.offset), lte: partitionRange(topic, partition).lte };
  const seen: Seen[] = [];
  let reachedBeginning = true;
  for await (const [key, value] of db.iterator({ ...range, reverse: true, highWaterMarkBytes: 1 << 20 })) {
    const one = look(topic, partition, key, value);
    seen.push(one);
    if (typeof one.header !== 'string' && one.header.logBytesBefore < verifyFrom) {
      reachedBeginning = false;
      break;
    }
  }
  seen.reverse();
  if (!reachedBeginning) {
    const [first] = await db.iterator({ ...range, limit: 1 }).all();
    const oldest = look(topic, partition, first[0], first[1]);
    const verdict = judge([oldest], begin);
    if (verdict.kind !== 'whole') {
      const lost = `offsets ${begin.offset}..${Math.max(oldest.base - 1, begin.offset)}`;
      throw corrupt(`${topic}/${partition}: at least ${lost} are lost (${verdict.damage})`);
    }
  }
  return { topic, partition, begin, verdict: judge(seen, reachedBeginning ? begin : null) };
}
