import { corrupt } from './failures.ts';
import { partitionRange, recordsKey, markerKey } from './keys.ts';
import { type Db, sealRow } from './rows.ts';
import type { Survey } from './survey.ts';
import type { Seam } from './verdict.ts';

/** Records that were cut from the end of a partition when the log was opened: damaged, with nothing good after them. */
export interface Cut {
  readonly topic: string;
  readonly partition: number;
  /** First offset that is gone, and the partition's end now. */
  readonly from: number;
  readonly reason: string;
}

/** What to do about a partition. Offsets from `start` to `end` remain. */
export type Decision =
  | { readonly kind: 'keep'; readonly start: Seam; readonly end: Seam }
  | { readonly kind: 'cut'; readonly start: Seam; readonly end: Seam; readonly cut: Cut }
  /** Only with the operator's consent: everything up to the last damage goes, so that no offset is used twice. */
  | { readonly kind: 'refuse'; readonly start: Seam; readonly end: Seam; readonly loss: string };

/**
 * Damage at the very end is what a power cut leaves: it is cut. Damage below good records, or below what the newest
 * commit of the partition refers to (`committedEnd`), means that acknowledged records are lost: the log refuses.
 */
export function decide({ topic, partition, begin, verdict }: Survey, committedEnd: number): Decision {
  const name = `${topic}/${partition}`;
  const empty = { ...verdict.end, offset: Math.max(verdict.end.offset, committedEnd), crc: 0 };
  if (verdict.kind === 'holed') {
    const { from, resume, end, damage } = verdict;
    const upTo = resume === null ? 'on' : `up to ${resume.offset - 1}`;
    const loss = `${name}: offsets from ${from} ${upTo} are lost (${damage}), although newer records are there`;
    const usable = resume !== null && end.offset >= committedEnd;
    return { kind: 'refuse', loss, start: usable ? resume : empty, end: usable ? end : empty };
  }
  if (verdict.end.offset < committedEnd) {
    const loss = `${name}: offsets ${verdict.end.offset}..${committedEnd - 1} are lost, although a commit refers to them`;
    return { kind: 'refuse', loss, start: empty, end: empty };
  }
  if (verdict.kind === 'whole') return { kind: 'keep', start: begin, end: verdict.end };
  const cut = { topic, partition, from: verdict.end.offset, reason: verdict.damage };
  return { kind: 'cut', start: begin, end: verdict.end, cut };
}

/** Makes LevelDB hold exactly `start` to `end`. A crash in between is harmless: the next open decides the same. */
export async function mend(db: Db, topic: string, partition: number, { kind, start, end }: Decision): Promise<void> {
  const range = partitionRange(topic, partition);
  if (kind === 'refuse') {
    const marker = { start: start.offset, crc: start.crc, bytes: start.bytes };
    await db.batch([sealRow(markerKey(topic, partition), marker)], { sync: true });
  }
  if (kind !== 'keep') await deleteRange(db, recordsKey(topic, partition, end.offset), range.lte, true);
  // Deleted before, or below a newer marker: nobody can read them, they only take room.
  if (start.offset > 0) await deleteRange(db, range.gte, recordsKey(topic, partition, start.offset), false);
}

async function deleteRange(db: Db, gte: Uint8Array, to: Uint8Array, inclusive: boolean): Promise<void> {
  const range = inclusive ? { gte, lte: to } : { gte, lt: to };
  for (;;) {
    const keys = await db.keys({ ...range, limit: 1000 }).all();
    if (keys.length === 0) return;
    await db.batch(
      keys.map((key) => ({ type: 'del' as const, key })),
      { sync: true },
    );
  }
}

export function refusal(losses: readonly string[]): Error {
  return corrupt(losses.join('; '));
}
